//! `contract/openapi.json` is what the handlers say, and the router serves what it says.

use std::path::Path;
use std::{env, fs};

use crate::server::{TestServer, send};

#[test]
fn openapi_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contract/openapi.json");
    let mut now = serde_json::to_string_pretty(&gleaner_http::document()).expect("a document is JSON");
    now.push('\n');
    if wanted() {
        fs::write(&path, &now).expect("the contract folder is writable");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == now,
        "contract/openapi.json is stale: run UPDATE_CONTRACT=1 cargo nextest run -p gleaner-http openapi_is_current"
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "how a person asks this test to write the document anew"
)]
fn wanted() -> bool {
    env::var("UPDATE_CONTRACT").is_ok_and(|value| value == "1")
}

#[tokio::test]
async fn the_router_serves_what_the_document_says() {
    let server = TestServer::start_dev().await;
    let served = server.get("/api/openapi.json").await.json();
    assert_eq!(
        served,
        serde_json::to_value(gleaner_http::document()).expect("JSON")
    );
    for (path, operations) in served["paths"].as_object().expect("paths") {
        let asked = path
            .replace("{id}", "77")
            .replace("{uid}", "0197b5f0-0000-7000-8000-000000000000");
        for (method, operation) in operations.as_object().expect("operations") {
            if operation["operationId"] == "events" {
                continue; // has no end; tests of its own
            }
            let method = method.to_uppercase().parse().expect("a method");
            let answer = send(server.request(method, &asked).json(&serde_json::json!({}))).await;
            let routed = answer.status < 400 || !answer.header("x-error-code").is_empty();
            assert!(routed, "{path}: {} {}", answer.status, answer.body);
        }
    }
}

#[test]
fn every_operation_has_an_id_and_a_summary() {
    let document = serde_json::to_value(gleaner_http::document()).expect("JSON");
    let mut ids: Vec<_> = document["paths"]
        .as_object()
        .expect("paths")
        .values()
        .flat_map(|path| path.as_object().expect("operations").values())
        .map(|operation| {
            assert!(operation["summary"].is_string(), "{operation}");
            operation["operationId"].as_str().expect("an id").to_owned()
        })
        .collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id names one operation");
}
