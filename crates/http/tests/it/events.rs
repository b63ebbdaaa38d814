//! Changes arrive once each, stored ones first, in order.

use bytes::BytesMut;
use gleaner_app::view::CreateSource;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use crate::server::{PATIENCE, TestServer};

struct Stream {
    response: Response,
    seen: BytesMut,
}

impl Stream {
    async fn open(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("a stream");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            seen: BytesMut::new(),
        }
    }

    /// The next stored event: its id and data. Live figures and comments are passed over.
    async fn next(&mut self) -> (i64, Value) {
        tokio::time::timeout(PATIENCE, async {
            loop {
                while let Some(end) = self.seen.windows(2).position(|two| two == b"\n\n") {
                    let frame = self.seen.split_to(end + 2);
                    let frame = std::str::from_utf8(&frame).expect("text");
                    let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name));
                    if let (Some(id), Some(data)) = (field("id: "), field("data: ")) {
                        return (
                            id.parse().expect("a number"),
                            serde_json::from_str(data).expect("JSON"),
                        );
                    }
                }
                let chunk = self
                    .response
                    .chunk()
                    .await
                    .expect("a living stream")
                    .expect("more to come");
                self.seen.extend_from_slice(&chunk);
            }
        })
        .await
        .expect("an event in time")
    }

    /// The next event that says the list of sources changed.
    async fn next_sources(&mut self) -> i64 {
        loop {
            let (id, event) = self.next().await;
            assert_eq!(event["seq"], id);
            if event["tag"] == "sources" {
                return id;
            }
        }
    }
}

async fn add(server: &TestServer, name: &str) {
    let new = CreateSource {
        name: name.to_owned(),
        identifier: format!("@{name}"),
        access_level: "public".to_owned(),
        target: "LOCAL".to_owned(),
        ..CreateSource::default()
    };
    server.app.create_source(new).await.expect(name);
}

#[tokio::test]
async fn a_listener_hears_what_it_missed_and_then_what_happens() {
    let server = TestServer::start().await;
    add(&server, "first").await;
    let before = last_seq(&server).await;
    add(&server, "second").await;
    add(&server, "third").await;
    let mut stream = Stream::open(server.request(Method::GET, &format!("/api/events?after={before}"))).await;
    let second = stream.next_sources().await;
    let third = stream.next_sources().await;
    assert!(before < second && second < third);
    add(&server, "fourth").await;
    assert!(stream.next_sources().await > third, "nothing twice");
}

#[tokio::test]
async fn a_browser_that_reconnects_goes_on_where_it_was() {
    let server = TestServer::start().await;
    for name in ["first", "second", "third"] {
        add(&server, name).await;
    }
    let mut stream = Stream::open(server.request(Method::GET, "/api/events?after=0")).await;
    let first = stream.next_sources().await;
    drop(stream);
    let again = server
        .request(Method::GET, "/api/events?after=0")
        .header("last-event-id", first);
    let (next, _) = Stream::open(again).await.next().await;
    let stored = server.app.events_after(first, 1).await.expect("events");
    assert_eq!(next, stored.first().expect("some").seq, "the very next one");
}

#[tokio::test]
async fn a_listener_without_a_past_hears_only_what_is_new() {
    let server = TestServer::start().await;
    let mut told = server.app.subscribe();
    add(&server, "first").await;
    let before = last_seq(&server).await;
    // What is stored is told a moment later: until then it is still news.
    let caught_up = async { while told.recv().await.expect("an event").seq < before {} };
    tokio::time::timeout(PATIENCE, caught_up)
        .await
        .expect("told in time");
    let mut stream = Stream::open(server.request(Method::GET, "/api/events")).await;
    add(&server, "second").await;
    let (first, _) = stream.next().await;
    assert!(first > before, "nothing of the past: {first}, {before}");
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let server = TestServer::start().await;
    let Stream { response, .. } = Stream::open(server.request(Method::GET, "/api/events")).await;
    drop(server);
    tokio::time::timeout(PATIENCE, response.text())
        .await
        .expect("the end in time")
        .expect("a proper end");
}

async fn last_seq(server: &TestServer) -> i64 {
    server
        .app
        .events_after(0, 1_000)
        .await
        .expect("events")
        .last()
        .expect("some")
        .seq
}
