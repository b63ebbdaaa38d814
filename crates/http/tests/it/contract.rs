//! Every example of the contract's sources, and every row of its errors.

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::server::{Answer, TestServer, send};

fn euronews() -> Value {
    json!({
        "name": "Euronews English",
        "identifier": "@euronews_eng",
        "channel_title": "Euronews",
        "access_level": "public",
        "target": "LOCAL",
        "session_ref": null
    })
}

/// Equal but for the time, which must have the contract's form: `2025-10-30T10:00:00Z`.
fn assert_is(answer: &Value, expected: &Value) {
    let mut answer = answer.clone();
    let created = answer
        .as_object_mut()
        .expect("an object")
        .remove("created_at")
        .expect("a time");
    assert_eq!(&answer, expected);
    let form: String = created
        .as_str()
        .expect("a string")
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(form, "0000-00-00T00:00:00Z");
}

fn stored(id: i64) -> Value {
    let mut source = euronews();
    source["id"] = json!(id);
    source
}

#[tokio::test]
async fn a_source_is_created_listed_read_and_deleted_as_the_contract_says() {
    let server = TestServer::start_dev().await;
    let created = server.post("/sources/", &euronews()).await;
    assert_eq!(created.status, 200, "{}", created.body);
    assert_eq!(created.header("content-type"), "application/json");
    assert_is(&created.json(), &stored(1));

    let list = server.get("/sources/").await.json();
    assert_eq!(list.as_array().expect("a list").len(), 1);
    assert_is(&list[0], &stored(1));
    assert_is(&server.get("/sources/1").await.json(), &stored(1));

    let deleted = server.delete("/sources/1").await;
    assert_eq!(
        (deleted.status, deleted.json()),
        (200, json!({"message": "Source deleted successfully"}))
    );
    assert_eq!(server.get("/sources/").await.json(), json!([]));
}

#[tokio::test]
async fn the_fields_come_in_the_order_of_the_contract() {
    let server = TestServer::start_dev().await;
    let body = server.post("/sources/", &euronews()).await.body;
    let keys = [
        "id",
        "name",
        "identifier",
        "channel_title",
        "access_level",
        "target",
        "session_ref",
        "created_at",
    ];
    let places: Vec<_> = keys
        .iter()
        .map(|key| body.find(&format!("\"{key}\":")).expect(key))
        .collect();
    assert!(places.is_sorted(), "{body}");
}

#[tokio::test]
async fn a_deleted_sources_number_is_never_used_again() {
    let server = TestServer::start_dev().await;
    server.post("/sources/", &euronews()).await;
    server.delete("/sources/1").await;
    assert_is(&server.post("/sources/", &euronews()).await.json(), &stored(2));
}

#[tokio::test]
async fn a_public_source_forgets_its_session() {
    let server = TestServer::start_dev().await;
    let mut with_session = euronews();
    with_session["session_ref"] = json!(7);
    assert_is(&server.post("/sources/", &with_session).await.json(), &stored(1));
}

#[tokio::test]
async fn a_private_source_needs_a_session() {
    let server = TestServer::start_dev().await;
    let private = json!({
        "name": "Private Channel",
        "identifier": "@private_channel",
        "channel_title": "My Private Channel",
        "access_level": "private",
        "target": "LOCAL",
        "session_ref": null
    });
    let without = server.post("/sources/", &private).await;
    assert_error(&without, 400, "Session required for private", "SESSION_REQUIRED");
    let mut unknown = private;
    unknown["session_ref"] = json!(1);
    assert_error(
        &server.post("/sources/", &unknown).await,
        404,
        "Session not found",
        "SESSION_NOT_FOUND",
    );
}

#[tokio::test]
async fn an_unknown_source_is_not_found_whatever_is_asked_of_it() {
    let server = TestServer::start_dev().await;
    for id in ["1", "0", "-5", "9223372036854775807"] {
        let path = format!("/sources/{id}");
        assert_error(
            &server.get(&path).await,
            404,
            "Source not found",
            "SOURCE_NOT_FOUND",
        );
        assert_error(
            &server.delete(&path).await,
            404,
            "Source not found",
            "SOURCE_NOT_FOUND",
        );
    }
}

#[tokio::test]
async fn a_second_source_for_the_same_channel_and_target_is_refused() {
    let server = TestServer::start_dev().await;
    server.post("/sources/", &euronews()).await;
    let mut again = euronews();
    again["identifier"] = json!("https://t.me/EuroNews_eng");
    let answer = server.post("/sources/", &again).await;
    assert_eq!(
        (answer.status, answer.header("x-error-code")),
        (409, "DUPLICATE_SOURCE")
    );
    assert!(answer.detail().contains("Euronews English"), "{}", answer.body);
}

#[rstest]
#[case("name", json!(null), "name: ")]
#[case("name", json!(""), "name: ")]
#[case("name", json!("x".repeat(300)), "name: ")]
#[case("name", json!(12), "name: ")]
#[case("identifier", json!(""), "identifier: ")]
#[case("identifier", json!("@"), "identifier: ")]
#[case("identifier", json!("https://example.org/a"), "identifier: ")]
#[case("access_level", json!("secret"), "access_level: ")]
#[case("access_level", json!("PUBLIC"), "access_level: ")]
#[case("target", json!("FTP"), "target: ")]
#[case("target", json!("local"), "target: ")]
#[case("session_ref", json!("one"), "session_ref: ")]
#[case("session_ref", json!(1.5), "session_ref: ")]
#[case("schedule", json!({"kind": "interval", "minutes": 0}), "schedule: ")]
#[case("schedule", json!({"kind": "cron", "pattern": "x", "zone": "UTC"}), "schedule: ")]
#[tokio::test]
async fn a_wrong_field_is_named_in_one_sentence(
    #[case] field: &str,
    #[case] value: Value,
    #[case] starts: &str,
) {
    let server = TestServer::start_dev().await;
    let mut wrong = euronews();
    wrong[field] = value;
    let answer = server.post("/sources/", &wrong).await;
    assert_eq!(
        (answer.status, answer.header("x-error-code")),
        (422, "INVALID_INPUT"),
        "{}",
        answer.body
    );
    assert!(answer.detail().starts_with(starts), "{}", answer.body);
    assert_eq!(server.get("/sources/").await.json(), json!([]));
}

#[tokio::test]
async fn an_id_that_is_no_number_is_told_so() {
    let server = TestServer::start_dev().await;
    let answer = server.get("/sources/abc").await;
    assert_error(&answer, 422, "id: must be a whole number", "INVALID_INPUT");
    let answer = server.get("/api/runs/abc").await;
    assert_error(&answer, 422, "uid: must be a uid", "INVALID_INPUT");
    let answer = server.get("/api/runs?limit=many").await;
    assert_eq!(answer.status, 422);
    assert!(answer.detail().starts_with("limit: "), "{}", answer.body);
}

#[tokio::test]
async fn a_method_the_contract_does_not_know_is_refused_in_its_form() {
    let server = TestServer::start_dev().await;
    for (method, path) in [
        (Method::PUT, "/sources/"),
        (Method::PATCH, "/sources/1"),
        (Method::POST, "/sources"),
    ] {
        let answer = send(server.request(method, path)).await;
        assert_eq!(
            (answer.status, answer.detail()),
            (405, "Method Not Allowed".to_owned()),
            "{path}"
        );
    }
}

fn assert_error(answer: &Answer, status: u16, detail: &str, code: &str) {
    assert_eq!((answer.status, answer.detail().as_str()), (status, detail));
    assert_eq!(answer.header("x-error-code"), code);
}
