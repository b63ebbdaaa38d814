//! Connections: how many at once, how long one may stay silent, how they end.
//!
//! None of this knows who asks: it holds for strangers too.

use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// At once; who comes later waits for a place.
    pub(crate) connections: usize,
    /// How long a connection may be silent before, or dawdle over, the head of a request.
    pub(crate) head: Duration,
    /// How long answers under way may take once the server is told to stop.
    pub(crate) grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // More tabs than anybody has open, fewer than the files a process may have open (256 on a Mac).
            connections: 128,
            head: Duration::from_secs(30),
            grace: Duration::from_secs(5),
        }
    }
}

/// Serves until `stop`.
pub(crate) async fn serve(
    mut listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = open.join_next() => {}
            // axum's accept waits by itself when the system has no connection to give.
            (stream, _) = Listener::accept(&mut listener), if open.len() < limits.connections => {
                open.spawn(talk(stream, router.clone(), limits.head, stop.clone()));
            }
        }
    }
    drop(listener);
    let ended = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.grace, ended).await.is_err() {
        tracing::debug!("connections are cut that did not end in time");
    }
}

/// One connection, request after request.
async fn talk(stream: TcpStream, router: Router, head: Duration, stop: CancellationToken) {
    // Small answers must not wait for the other side's acknowledgements.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;
    use tokio_util::sync::DropGuard;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Serves one word until the guard is dropped.
    async fn start(limits: Limits) -> (SocketAddr, DropGuard) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new().route("/", get(|| async { "hello" }));
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, router, limits, stop.clone()));
        (address, stop.drop_guard())
    }

    /// Says something; hears everything until the connection ends.
    async fn say(stream: &mut TcpStream, words: &str) -> String {
        stream.write_all(words.as_bytes()).await.expect("it reads");
        let mut heard = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut heard))
            .await
            .expect("the end in time")
            .expect("text");
        heard
    }

    #[tokio::test]
    async fn who_does_not_say_what_it_wants_is_let_go() {
        let limits = Limits {
            head: Duration::from_millis(50),
            ..Limits::default()
        };
        let (address, _stop) = start(limits).await;
        for words in ["", "GET / HTTP/1.1\r\nHost: "] {
            let mut stream = TcpStream::connect(address).await.expect("it listens");
            assert!(!say(&mut stream, words).await.contains("hello"), "{words}");
        }
    }

    #[tokio::test]
    async fn a_silent_crowd_keeps_nobody_out_for_long() {
        let limits = Limits {
            connections: 2,
            head: Duration::from_millis(200),
            ..Limits::default()
        };
        let (address, _stop) = start(limits).await;
        let mut crowd = Vec::new();
        for _ in 0..2 {
            crowd.push(TcpStream::connect(address).await.expect("it listens"));
        }
        let mut late = TcpStream::connect(address).await.expect("it waits for a place");
        let heard = say(
            &mut late,
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )
        .await;
        assert!(heard.ends_with("hello"), "{heard}");
    }

    #[tokio::test]
    async fn a_server_that_stops_ends_what_is_silent() {
        let (address, stop) = start(Limits::default()).await;
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .expect("it reads");
        let mut first = [0; 1];
        timeout(PATIENCE, stream.read_exact(&mut first))
            .await
            .expect("an answer in time")
            .expect("an answer");
        drop(stop);
        say(&mut stream, "").await;
    }
}
