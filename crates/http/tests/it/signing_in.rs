//! How a browser and a script come in, and what development mode gives away.

use std::net::SocketAddr;

use gleaner_http::{ServeConfig, ServeError, Server, Token};
use reqwest::Method;
use rstest::rstest;
use serde_json::json;

use crate::server::{Answer, TestServer, app_in, send};

async fn exchange(server: &TestServer, code: &str) -> Answer {
    send(
        server
            .anonymous(Method::POST, "/api/auth/exchange")
            .json(&json!({ "code": code })),
    )
    .await
}

fn code_of(link: &str) -> &str {
    link.split_once("#code=")
        .expect("the code is in the fragment, which browsers never send")
        .1
}

#[tokio::test]
async fn a_browser_swaps_the_code_of_a_printed_address_for_a_cookie() {
    let server = TestServer::start().await;
    let link = server.links.fresh();
    assert!(
        link.starts_with(&format!("http://{}/#code=", server.address)),
        "{link}"
    );
    let answer = exchange(&server, code_of(&link)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let cookie = answer.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(
        !cookie.contains(server.token.reveal()),
        "the cookie is not the token"
    );
    let pair = cookie.split(';').next().expect("a pair").to_owned();
    let asked = server
        .anonymous(Method::GET, "/sources/")
        .header("cookie", format!("a=b; {pair}"));
    assert_eq!(send(asked).await.status, 200);
}

#[tokio::test]
async fn a_code_is_spent_by_its_first_use() {
    let server = TestServer::start().await;
    let link = server.links.fresh();
    assert_eq!(exchange(&server, code_of(&link)).await.status, 200);
    let again = exchange(&server, code_of(&link)).await;
    assert_eq!(
        (again.status, again.header("x-error-code")),
        (401, "UNAUTHORIZED")
    );
    assert_eq!(again.header("set-cookie"), "");
}

#[rstest]
#[case("")]
#[case("wrong")]
#[tokio::test]
async fn a_made_up_code_opens_nothing(#[case] code: &str) {
    let server = TestServer::start().await;
    server.links.fresh();
    assert_eq!(exchange(&server, code).await.status, 401);
}

#[tokio::test]
async fn the_token_itself_is_no_code() {
    let server = TestServer::start().await;
    assert_eq!(exchange(&server, server.token.reveal()).await.status, 401);
}

#[tokio::test]
async fn a_script_shows_the_token_as_a_bearer() {
    let server = TestServer::start().await;
    let answer = server.get("/sources/").await;
    assert_eq!((answer.status, answer.json()), (200, json!([])));
    let without = send(server.anonymous(Method::GET, "/sources/")).await;
    assert_eq!(
        (without.status, without.header("www-authenticate")),
        (401, "Bearer")
    );
}

#[tokio::test]
async fn development_mode_needs_no_token_and_lets_pages_of_this_machine_in() {
    let server = TestServer::start_dev().await;
    assert!(!server.links.fresh().contains('#'));
    let origin = "http://localhost:5173";
    let answer = send(server.request(Method::GET, "/sources/").header("origin", origin)).await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, origin)
    );
    assert!(
        answer
            .header("access-control-expose-headers")
            .contains("x-error-code")
    );
    let preflight = server
        .request(Method::OPTIONS, "/api/sources/1")
        .header("origin", origin)
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "content-type");
    let answer = send(preflight).await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, origin)
    );
    assert!(answer.header("access-control-allow-methods").contains("PATCH"));
}

#[rstest]
#[case("http://evil.example")]
#[case("http://localhost.evil.example")]
#[case("null")]
#[tokio::test]
async fn development_mode_still_refuses_the_rest_of_the_world(#[case] origin: &str) {
    let server = TestServer::start_dev().await;
    let answer = send(server.request(Method::GET, "/sources/").header("origin", origin)).await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (403, "")
    );
}

#[tokio::test]
async fn development_mode_does_not_leave_this_machine() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut config = ServeConfig::new(Token::generate());
    config.bind = SocketAddr::from(([0, 0, 0, 0], 0));
    config.dev = true;
    let refused = Server::bind(app_in(&dir).await, config).await;
    assert!(matches!(refused, Err(ServeError::DevBeyondLoopback)));
}
