//! Pages: every address of the app draws it, under a policy that allows nothing foreign.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use rstest::rstest;
use sha2::{Digest, Sha256};

use crate::server::{Answer, TestServer, send};

async fn page(server: &TestServer, path: &str) -> Answer {
    send(server.anonymous(Method::GET, path)).await
}

#[rstest]
#[case("/")]
#[case("/sources")]
#[case("/source?id=5")]
#[case("/runs")]
#[case("/settings")]
#[case("/no/such/page")]
#[tokio::test]
async fn an_address_of_the_app_is_drawn_by_its_one_page(#[case] path: &str) {
    let server = TestServer::start().await;
    let answer = page(&server, path).await;
    assert_eq!(
        answer.header("content-type"),
        "text/html; charset=utf-8",
        "{path}"
    );
    assert!(answer.body.to_lowercase().contains("<!doctype html>"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    let policy = answer.header("content-security-policy");
    for rule in [
        "default-src 'self'",
        "style-src 'self';",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{rule}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn the_policy_knows_every_inline_script_of_the_page() {
    let server = TestServer::start().await;
    let answer = page(&server, "/").await;
    if not_built(&answer) {
        return;
    }
    let policy = answer.header("content-security-policy");
    let scripts: Vec<_> = answer.body.split("<script>").skip(1).collect();
    assert!(!scripts.is_empty(), "SvelteKit starts the app with one");
    for script in scripts {
        let script = script.split("</script>").next().expect("an end");
        let hash = STANDARD.encode(Sha256::digest(script));
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{policy}");
    }
}

/// Without the built UI there is a page that says so, and nothing else to see.
#[expect(clippy::print_stderr, reason = "a test that cannot run here says so")]
fn not_built(answer: &Answer) -> bool {
    if answer.status == 503 {
        assert!(answer.body.contains("not built in"), "{}", answer.body);
        eprintln!("SKIPPED: ui/build holds no pages; run npm run build in ui/");
    }
    answer.status == 503
}

#[rstest]
#[case("/api/nothing")]
#[case("/api/")]
#[case("/sources/1/2")]
#[case("/_app/immutable/gone.js")]
#[tokio::test]
async fn what_is_no_page_is_not_drawn(#[case] path: &str) {
    let server = TestServer::start().await;
    let answer = page(&server, path).await;
    assert_eq!((answer.status, answer.detail()), (404, "Not Found".to_owned()));
}

#[tokio::test]
async fn answers_of_the_api_are_kept_by_nobody_and_have_an_id() {
    let server = TestServer::start().await;
    let answer = server.get("/sources/").await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(
        answer.header("content-security-policy"),
        "default-src 'none'; frame-ancestors 'none'"
    );
    let other = server.get("/sources/").await;
    assert_ne!(answer.header("x-request-id"), other.header("x-request-id"));
}

#[tokio::test]
async fn a_page_that_is_known_is_not_sent_again() {
    let server = TestServer::start().await;
    let first = page(&server, "/").await;
    if not_built(&first) {
        return;
    }
    let again = server
        .anonymous(Method::GET, "/")
        .header("if-none-match", first.header("etag"));
    let again = send(again).await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    // Browsers take the headers of this answer for the page they kept.
    for name in [
        "content-security-policy",
        "cache-control",
        "referrer-policy",
        "x-content-type-options",
    ] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
}
