//! Politeness: who may send a request when.

use std::time::Duration;

use async_trait::async_trait;

/// Hands out turns to send, shared by all processes of a machine.
#[async_trait]
pub trait Pacer: Send + Sync {
    /// How long to wait before the next request to `host`. The turn is taken by asking.
    async fn turn(&self, host: &str) -> Duration;

    /// `host` asks to be left alone for `wait`: until then every turn of every process waits.
    async fn hold(&self, _host: &str, _wait: Duration) {}
}

/// No politeness: for servers of one's own, in tests and benchmarks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unpaced;

#[async_trait]
impl Pacer for Unpaced {
    async fn turn(&self, _host: &str) -> Duration {
        Duration::ZERO
    }
}
