//! Bodies of every shape: too big, of the wrong kind, nonsense. Never a 5xx.

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use gleaner_http::{Access, Hosts};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::server::{TestServer, app_in, send};

#[tokio::test]
async fn a_body_that_is_not_said_to_be_json_is_refused() {
    let server = TestServer::start_dev().await;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
    ] {
        let request = server
            .request(Method::POST, "/sources/")
            .header("content-type", kind)
            .body("{}");
        let answer = send(request).await;
        assert_eq!(answer.status, 415, "{kind}");
        assert!(!answer.detail().is_empty());
    }
}

#[tokio::test]
async fn a_body_that_is_too_big_is_refused() {
    let server = TestServer::start_dev().await;
    let big = json!({ "name": "x".repeat(1_100_000) });
    let answer = server.post("/sources/", &big).await;
    assert_eq!(
        (answer.status, answer.header("x-error-code")),
        (413, "INVALID_INPUT")
    );
    // A pasted list may be longer than any form.
    let list = json!({ "text": "#".repeat(1_900_000), "target": "LOCAL", "dry_run": true });
    let answer = server.post("/api/sources/import", &list).await;
    assert_ne!(answer.status, 413, "{}", answer.body);
    let list = json!({ "text": "#".repeat(2_200_000), "target": "LOCAL", "dry_run": true });
    assert_eq!(server.post("/api/sources/import", &list).await.status, 413);
}

#[test]
fn nonsense_is_never_answered_with_a_5xx() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let dir = tempfile::tempdir().expect("a folder");
    let app = runtime.block_on(app_in(&dir));
    let address = "127.0.0.1:8000".parse().expect("an address");
    let router = gleaner_http::router(app, Access::dev(Hosts::of(address, &[]), 8000));

    let cases = Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(cases)
        .run(&(bodies(), operations()), |(body, (method, path))| {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header(header::HOST, "127.0.0.1:8000")
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body))
                .expect("a request");
            let (status, told) = runtime.block_on(async {
                let response = router.clone().oneshot(request).await.expect("an answer");
                (
                    response.status(),
                    to_bytes(response.into_body(), 10_000_000).await.expect("a body"),
                )
            });
            prop_assert!(
                status.as_u16() < 500,
                "{status} {}",
                String::from_utf8_lossy(&told)
            );
            if !status.is_success() {
                let problem: Value = serde_json::from_slice(&told).expect("JSON");
                prop_assert!(problem["detail"].is_string(), "{problem}");
            }
            Ok(())
        })
        .expect("no nonsense hurts");
}

/// Operations that take a body and touch nothing outside the data folder.
fn operations() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop::sample::select(vec![
        ("POST", "/sources/"),
        ("PATCH", "/api/sources/1"),
        ("POST", "/api/sources/bulk"),
        ("POST", "/api/sources/import"),
        ("PATCH", "/api/settings"),
        ("POST", "/api/data/erase"),
        ("POST", "/api/auth/exchange"),
    ])
}

/// Bytes, JSON of any shape, and right forms with one wrong value.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        any_json().prop_map(|value| value.to_string().into_bytes()),
        (0..KEYS.len(), any_json()).prop_map(|(at, value)| spoiled(at, value)),
        (0..KEYS.len(), any_json(), 0_usize..200).prop_map(|(at, value, cut)| {
            let mut body = spoiled(at, value);
            body.truncate(cut);
            body
        }),
    ]
}

const KEYS: [&str; 14] = [
    "name",
    "identifier",
    "channel_title",
    "access_level",
    "target",
    "session_ref",
    "schedule",
    "policy",
    "path",
    "ids",
    "action",
    "text",
    "code",
    "confirm",
];

fn spoiled(at: usize, value: Value) -> Vec<u8> {
    let mut form = json!({
        "name": "n", "identifier": "@abcde", "access_level": "public", "target": "LOCAL",
        "ids": [1], "action": "pause", "text": "@abcde", "code": "c", "dry_run": true
    });
    form[KEYS[at]] = value;
    form.to_string().into_bytes()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-z_]{0,12}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
