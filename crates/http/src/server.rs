//! The server: binds, says where it is, serves until it is told to stop.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use gleaner_app::App;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Access;
use crate::connections::{self, Limits};
use crate::events::Closing;
use crate::guard::Hosts;
use crate::router;
use crate::token::Token;

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// The contract's development mode: this machine only, no token, CORS for its other ports.
    pub dev: bool,
    /// What scripts show; unused in development mode.
    pub token: Token,
    /// Whether the pages are served too.
    pub ui: bool,
    /// More names under which the server is reached, such as that of a proxy in front of it.
    pub hosts: Vec<String>,
}

impl ServeConfig {
    /// Loopback, port 8000, with pages and token.
    pub fn new(token: Token) -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            dev: false,
            token,
            ui: true,
            hosts: Vec::new(),
        }
    }
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Development mode has no token.
    #[error("development mode serves this machine only: bind to 127.0.0.1, or leave --dev away")]
    DevBeyondLoopback,
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// Which address.
        address: SocketAddr,
        /// What the OS said.
        source: std::io::Error,
    },
}

/// A server that listens already and serves once [`Server::run`] is awaited.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    access: Access,
    closing: Closing,
    work: TaskTracker,
    router: Router,
}

impl Server {
    /// Takes the address.
    pub async fn bind(app: App, config: ServeConfig) -> Result<Self, ServeError> {
        if config.dev && !config.bind.ip().is_loopback() {
            return Err(ServeError::DevBeyondLoopback);
        }
        let failed = |source| ServeError::Bind {
            address: config.bind,
            source,
        };
        let listener = TcpListener::bind(config.bind).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let hosts = Hosts::of(address, &config.hosts);
        let access = if config.dev {
            Access::dev(hosts, address.port())
        } else {
            Access::with_token(config.token, hosts, address.port())
        };
        let (closing, work) = (Closing::default(), TaskTracker::new());
        let router = router::build(app, access.clone(), closing.clone(), work.clone(), config.ui);
        Ok(Self {
            listener,
            address,
            access,
            closing,
            work,
            router,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Who may ask; for fresh links later.
    pub fn links(&self) -> Links {
        let ip = match self.address.ip() {
            ip if !ip.is_unspecified() => ip,
            ip if ip.is_ipv4() => Ipv4Addr::LOCALHOST.into(),
            _ => Ipv6Addr::LOCALHOST.into(),
        };
        Links {
            base: format!("http://{}/", SocketAddr::new(ip, self.address.port())),
            access: self.access.clone(),
        }
    }

    /// Serves until `stop`; then answers under way get some seconds, event streams end, and what
    /// changes something gets half a minute to come to its end.
    pub async fn run(self, stop: CancellationToken) {
        let streams_end = async {
            stop.cancelled().await;
            self.closing.0.cancel();
        };
        let served = connections::serve(self.listener, self.router, Limits::default(), stop.clone());
        tokio::join!(served, streams_end);
        self.work.close();
        if tokio::time::timeout(LAST_WORK, self.work.wait()).await.is_err() {
            tracing::warn!("a change was still under way when the server stopped");
        }
    }
}

/// Time for changes under way when the server stops. Supervisors kill after as much, and runs that go on
/// need theirs to keep what they have read.
const LAST_WORK: Duration = Duration::from_secs(30);

/// Addresses to open in a browser.
#[derive(Debug, Clone)]
pub struct Links {
    base: String,
    access: Access,
}

impl Links {
    /// The plain address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// An address that signs one browser in, within a minute; the plain one in development mode.
    pub fn fresh(&self) -> String {
        if self.access.is_dev() {
            return self.base.clone();
        }
        format!("{}#code={}", self.base, self.access.fresh_code().reveal())
    }
}
