//! Who is not let in: wrong Host, wrong Origin, wrong token. None of it leaves a trace.

use std::fmt::Write as _;

use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::server::{TestServer, send};

const BODY: &str = r#"{"name":"Intruder","identifier":"@intruder","access_level":"public","target":"LOCAL"}"#;

/// A request that would add a source, but for the lines given.
async fn knock(server: &TestServer, target: &str, lines: &[String]) -> String {
    let mut request = format!("POST {target} HTTP/1.1\r\n");
    for line in lines {
        write!(request, "{line}\r\n").expect("a string grows");
    }
    let length = BODY.len();
    write!(
        request,
        "Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{BODY}"
    )
    .expect("a string grows");
    server.raw(&request).await
}

async fn assert_refused(server: &TestServer, status: &str, cases: &[Vec<String>]) {
    assert!(cases.len() >= 20, "a table of twenty");
    for lines in cases {
        let answer = knock(server, "/sources/", lines).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{lines:?}: {answer}"
        );
        assert!(!answer.contains("Intruder"), "nothing of ours leaks: {answer}");
        assert!(
            !answer.to_lowercase().contains("access-control"),
            "no other page may read it: {answer}"
        );
    }
    assert_eq!(
        server.app.list_sources().await.expect("a list"),
        [],
        "no side effects"
    );
}

#[tokio::test]
async fn a_request_that_is_right_passes() {
    let server = TestServer::start().await;
    let lines = [
        format!("Host: {}", server.address),
        format!("Origin: http://{}", server.address),
        format!("Authorization: Bearer {}", server.token.reveal()),
    ];
    let answer = knock(&server, "/sources/", &lines).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(server.app.list_sources().await.expect("a list").len(), 1);
}

#[tokio::test]
async fn a_foreign_host_is_refused() {
    let server = TestServer::start().await;
    let (port, good) = (server.address.port(), server.address.to_string());
    let token = format!("Authorization: Bearer {}", server.token.reveal());
    let hosts = [
        String::new(),
        "127.0.0.1".to_owned(),
        "localhost".to_owned(),
        "127.0.0.1:1".to_owned(),
        "localhost:1".to_owned(),
        format!("evil.example:{port}"),
        "evil.example".to_owned(),
        format!("127.0.0.1.evil.example:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("localhost.:{port}"),
        format!("127.0.0.2:{port}"),
        format!("127.1:{port}"),
        format!("2130706433:{port}"),
        format!("0x7f000001:{port}"),
        format!("0.0.0.0:{port}"),
        format!("[::1]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("127.0.0.1:0{port}"),
        format!("{good}, evil.example"),
        format!("user@{good}"),
        format!("{good}/"),
        format!("{good}#"),
    ];
    let mut cases: Vec<_> = hosts
        .iter()
        .map(|host| vec![format!("Host: {host}"), token.clone()])
        .collect();
    cases.push(vec![
        format!("Host: {good}"),
        "Host: evil.example".to_owned(),
        token.clone(),
    ]);
    cases.push(vec![
        format!("Host: {good}"),
        format!("Host: {good}"),
        token.clone(),
    ]);
    cases.push(vec![
        format!("Host: {good}"),
        format!("Origin: http://{good}"),
        "Host: x".to_owned(),
        token,
    ]);
    // hyper itself answers 400 to a Host that is no authority at all; both are refusals.
    for lines in &cases {
        let answer = knock(&server, "/sources/", lines).await;
        let refused = ["HTTP/1.1 403 ", "HTTP/1.1 400 "]
            .iter()
            .any(|line| answer.starts_with(line));
        assert!(refused, "{lines:?}: {answer}");
    }
    assert!(cases.len() >= 20);
    assert_eq!(server.app.list_sources().await.expect("a list"), []);
}

#[tokio::test]
async fn a_request_without_a_host_is_refused() {
    let server = TestServer::start().await;
    let token = format!("Authorization: Bearer {}", server.token.reveal());
    let answer = knock(&server, "/sources/", std::slice::from_ref(&token)).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    let old = server
        .raw(&format!("GET /sources/ HTTP/1.0\r\n{token}\r\n\r\n"))
        .await;
    assert!(old.contains(" 403 "), "{old}");
}

#[tokio::test]
async fn a_target_that_names_another_host_is_refused() {
    let server = TestServer::start().await;
    let lines = [
        format!("Host: {}", server.address),
        format!("Authorization: Bearer {}", server.token.reveal()),
    ];
    let answer = knock(&server, "http://evil.example/sources/", &lines).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(server.app.list_sources().await.expect("a list"), []);
}

#[tokio::test]
async fn a_foreign_origin_is_refused() {
    let server = TestServer::start().await;
    let (port, good) = (server.address.port(), server.address.to_string());
    let token = format!("Authorization: Bearer {}", server.token.reveal());
    let origins = [
        String::new(),
        "null".to_owned(),
        "*".to_owned(),
        good.clone(),
        format!("https://{good}"),
        format!("HTTP://{good}"),
        format!("http://{good}/"),
        format!("http://{good}.evil.example"),
        format!("http://evil.example/{good}"),
        format!("http://user@{good}"),
        format!("http://localhost:{port}"),
        "http://127.0.0.1".to_owned(),
        "http://127.0.0.1:1".to_owned(),
        "http://localhost:5173".to_owned(),
        "http://[::1]:5173".to_owned(),
        "http://evil.example".to_owned(),
        format!("http://evil.example:{port}"),
        "https://t.me".to_owned(),
        "file://".to_owned(),
        "chrome-extension://abcdef".to_owned(),
        format!("http://{good}, http://evil.example"),
        "http://".to_owned(),
    ];
    let host = format!("Host: {good}");
    let mut cases: Vec<_> = origins
        .iter()
        .map(|o| vec![host.clone(), format!("Origin: {o}"), token.clone()])
        .collect();
    let own = format!("Origin: http://{good}");
    cases.push(vec![
        host.clone(),
        own.clone(),
        "Origin: http://evil.example".to_owned(),
        token.clone(),
    ]);
    cases.push(vec![
        host.clone(),
        "Origin: http://evil.example".to_owned(),
        own,
        token.clone(),
    ]);
    // No Origin, but the browser says that another page asks.
    cases.push(vec![
        host.clone(),
        "Sec-Fetch-Site: cross-site".to_owned(),
        token.clone(),
    ]);
    cases.push(vec![host, "Sec-Fetch-Site: same-site".to_owned(), token]);
    assert_refused(&server, "403", &cases).await;
}

#[tokio::test]
async fn a_wrong_token_is_refused() {
    let server = TestServer::start().await;
    let good = server.token.reveal().to_owned();
    let code = server.links.fresh();
    let code = code.split("#code=").nth(1).expect("a code");
    let host = format!("Host: {}", server.address);
    let cookie = format!("gleaner_{}", server.address.port());
    let lines = [
        "X-Nothing: here".to_owned(),
        "Authorization:".to_owned(),
        "Authorization: Bearer".to_owned(),
        "Authorization: Bearer ".to_owned(),
        "Authorization: Bearer wrong".to_owned(),
        format!("Authorization: {good}"),
        format!("Authorization: Basic {good}"),
        format!("Authorization: Token {good}"),
        format!("Authorization: Bearer {}", &good[1..]),
        format!("Authorization: Bearer {}", &good[..42]),
        format!("Authorization: Bearer {good}="),
        format!("Authorization: Bearer x{good}"),
        format!("Authorization: Bearer {}", good.to_lowercase()),
        format!("Authorization: Bearer {good}, Bearer {good}"),
        format!("Authorization: Bearer  {good}"),
        format!("Authorization: Bearer {code}"),
        format!("Cookie: {cookie}={good}"),
        format!("Cookie: {cookie}={code}"),
        format!("Cookie: {cookie}="),
        "Cookie: ;;;=;".to_owned(),
        format!("Cookie: token={good}; {cookie}=x"),
        format!("X-Api-Key: {good}"),
        format!("X-Token: {good}"),
    ];
    let mut cases: Vec<_> = lines.into_iter().map(|line| vec![host.clone(), line]).collect();
    let bearer = format!("Authorization: Bearer {good}");
    cases.push(vec![
        host.clone(),
        bearer.clone(),
        "Authorization: Bearer wrong".to_owned(),
    ]);
    cases.push(vec![host, "Authorization: Bearer wrong".to_owned(), bearer]);
    assert_refused(&server, "401", &cases).await;
}

/// Every operation of the document, with something for each parameter of its path.
fn operations() -> Vec<(Method, String)> {
    let document = serde_json::to_value(gleaner_http::document()).expect("JSON");
    let mut all = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let id = if path.starts_with("/api/temp-sessions/") {
            UID
        } else {
            "1"
        };
        let path = path.replace("{id}", id).replace("{uid}", UID);
        for method in operations.as_object().expect("operations").keys() {
            all.push((method.to_uppercase().parse().expect("a method"), path.clone()));
        }
    }
    assert!(all.len() >= 50, "{}", all.len());
    all
}

const UID: &str = "0197b5f0-0000-7000-8000-000000000000";

#[tokio::test]
async fn every_operation_but_the_exchange_needs_the_token() {
    let server = TestServer::start().await;
    for (method, path) in operations() {
        let answer = send(server.anonymous(method, &path).json(&json!({}))).await;
        let expected = if path == "/api/auth/exchange" { 422 } else { 401 };
        assert_eq!(answer.status, expected, "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn every_operation_refuses_a_foreign_page_whatever_it_shows() {
    for server in [TestServer::start().await, TestServer::start_dev().await] {
        let port = server.address.port();
        for (method, path) in operations() {
            for (name, value) in [
                ("host", format!("evil.example:{port}")),
                ("origin", format!("http://evil.example:{port}")),
                ("origin", "null".to_owned()),
            ] {
                let request = server.request(method.clone(), &path).header(name, &value);
                let answer = send(request.json(&json!({}))).await;
                assert_eq!(answer.status, 403, "{method} {path} with {name}: {value}");
                assert_eq!(answer.header("x-error-code"), "FORBIDDEN");
                assert_eq!(answer.header("access-control-allow-origin"), "");
            }
        }
    }
}

/// A browser sends a form of another page without asking first: no preflight stands before this one.
#[tokio::test]
async fn a_form_of_a_foreign_page_uploads_nothing() {
    let strict = TestServer::start().await;
    let open = TestServer::start_dev().await;
    let file = strict.session_file().await;
    let a_session = || {
        let file = Part::bytes(file.clone()).file_name("intruder.session");
        Form::new()
            .text("session_name", "intruder")
            .text("phone_number", "")
            .part("session_file", file)
    };
    let origin = |request: RequestBuilder| request.header("origin", "http://evil.example");
    let upload = |server: &TestServer| server.request(Method::POST, "/sessions/upload-file");
    for (refused, status) in [
        (origin(upload(&strict)), 403),
        (origin(upload(&open)), 403),
        (strict.anonymous(Method::POST, "/sessions/upload-file"), 401),
    ] {
        let answer = send(refused.multipart(a_session())).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    for server in [&strict, &open] {
        assert!(server.app.list_sessions().await.expect("a list").is_empty());
        let kept = send(upload(server).multipart(a_session())).await;
        assert_eq!(kept.status, 200, "it was the page alone: {}", kept.body);
    }
}

#[tokio::test]
async fn a_token_in_the_address_counts_for_nothing() {
    let server = TestServer::start().await;
    let path = format!(
        "/sources/?token={0}&access_token={0}&code={0}",
        server.token.reveal()
    );
    let answer = send(server.anonymous(Method::GET, &path)).await;
    assert_eq!(answer.status, 401);
}
