//! The simulated data centre of the demo and of tests, which hands out a fresh key for each login.
//!
//! Only in builds with the feature `demo`. Asked over its control port, in HTTP/1.1 by hand: one request,
//! one answer, no client worth a dependency.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::connect::{Centre, DataCentres};
use crate::keys::AuthKey;

const PATIENCE: Duration = Duration::from_secs(5);

/// The simulated Telegram behind a control port.
#[derive(Debug, Clone, Copy)]
pub struct Simulated {
    control: SocketAddr,
}

/// What the control port says of a new key.
#[derive(Deserialize)]
struct NewKey {
    host: String,
    port: u16,
    auth_key: String,
}

impl Simulated {
    /// The one whose control port listens here.
    pub fn new(control: SocketAddr) -> Self {
        Self { control }
    }

    async fn new_key(&self, dc_id: i32) -> Option<Centre> {
        let body = format!("{{\"dc\":{dc_id}}}");
        let request = format!(
            "POST /control/telegram/key HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.control,
            body.len()
        );
        let mut stream = TcpStream::connect(self.control).await.ok()?;
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        stream.take(64 * 1024).read_to_end(&mut answer).await.ok()?;
        let answer = String::from_utf8(answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        if !head.starts_with("HTTP/1.1 200") {
            return None;
        }
        let new: NewKey = serde_json::from_str(body).ok()?;
        Some(Centre {
            address: SocketAddr::new(new.host.parse().ok()?, new.port),
            auth_key: Some(AuthKey::parse(&STANDARD.decode(new.auth_key).ok()?).ok()?),
        })
    }
}

impl DataCentres for Simulated {
    fn first(&self) -> i32 {
        2
    }

    fn find(&self, dc_id: i32) -> BoxFuture<'_, Option<Centre>> {
        Box::pin(async move { timeout(PATIENCE, self.new_key(dc_id)).await.ok().flatten() })
    }
}
