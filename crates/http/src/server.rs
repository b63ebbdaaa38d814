//! The server: binds, says where it is, serves until it is told to stop.

use std::future::{Future, IntoFuture};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use gleaner_app::App;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::auth::Access;
use crate::events::Closing;
use crate::guard::Hosts;
use crate::router;
use crate::token::Token;

/// How long answers under way may take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(5);

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
    /// The listener broke.
    #[error("the server stopped: {0}")]
    Serve(std::io::Error),
}

/// A server that listens already and serves once [`Server::run`] is awaited.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    access: Access,
    closing: Closing,
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
        let closing = Closing::default();
        let router = router::build(app, access.clone(), closing.clone(), config.ui);
        Ok(Self {
            listener,
            address,
            access,
            closing,
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

    /// Serves until `stop`; then answers under way get some seconds and event streams end.
    pub async fn run(self, stop: CancellationToken) -> Result<(), ServeError> {
        let Self {
            listener,
            closing,
            router,
            ..
        } = self;
        let listener = listener.tap_io(|stream| {
            // Small answers must not wait for the other side's acknowledgements.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection keeps its delay");
            }
        });
        let told = {
            let stop = stop.clone();
            async move {
                stop.cancelled().await;
                closing.0.cancel();
            }
        };
        tokio::select! {
            ended = axum::serve(listener, router).with_graceful_shutdown(told).into_future() => {
                ended.map_err(ServeError::Serve)
            }
            () = grace(&stop) => Ok(()),
        }
    }
}

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

fn grace(stop: &CancellationToken) -> impl Future<Output = ()> {
    let stop = stop.clone();
    async move {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    }
}
