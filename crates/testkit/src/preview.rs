//! The t.me pages of a [`World`](crate::World), served on loopback, with faults on demand.
//!
//! Built like the real pages (same structure, class names, cursors, landing pages), so that a
//! reader cannot tell the difference by reading; hosts are this server's own.

mod address;
pub mod faults;
mod html;
mod inject;
pub mod journal;
mod landing;
mod media;
mod message;
mod page;
mod paging;
mod routes;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

pub use faults::{FaultCounts, FaultSwitch, Faults, Malformed};
pub use journal::{PathKind, Requests, Served};

use crate::WorldHandle;
use crate::serve::Server;

/// How a site is started.
#[derive(Debug, Clone, Copy)]
pub struct SiteOptions {
    /// Port on loopback; 0 takes a free one.
    pub port: u16,
    /// Pages as heavy as real ones (about 5 KB a message); off makes tests of many pages lighter.
    pub realistic_weight: bool,
}

impl Default for SiteOptions {
    fn default() -> Self {
        Self {
            port: 0,
            realistic_weight: true,
        }
    }
}

/// A running site. Dropping it ends it at once, connections included.
#[derive(Debug)]
pub struct PreviewSite {
    server: Server,
    shared: Arc<Shared>,
}

/// What requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) world: WorldHandle,
    pub(crate) base: String,
    pub(crate) realistic_weight: bool,
    /// Grows when links expire.
    pub(crate) generation: AtomicU32,
    pub(crate) faults: FaultSwitch,
    pub(crate) journal: journal::Journal,
    pub(crate) drawn: routes::Drawn,
}

impl PreviewSite {
    /// Shows `world` on a free port.
    pub async fn start(world: WorldHandle) -> Self {
        Self::start_with(world, SiteOptions::default())
            .await
            .expect("loopback has a free port")
    }

    /// Shows `world` as `options` say; fails when the port is taken.
    pub async fn start_with(world: WorldHandle, options: SiteOptions) -> std::io::Result<Self> {
        let mut made = None;
        let server = Server::start(options.port, |address| {
            let shared = Arc::new(Shared {
                world,
                base: format!("http://{address}"),
                realistic_weight: options.realistic_weight,
                generation: AtomicU32::new(1),
                faults: FaultSwitch::default(),
                journal: journal::Journal::default(),
                drawn: routes::Drawn::default(),
            });
            made = Some(shared.clone());
            routes::router(shared)
        })
        .await?;
        let shared = made.expect("a started server has made its router");
        Ok(Self { server, shared })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn base_url(&self) -> String {
        self.shared.base.clone()
    }

    /// Its port, to start again at the same place.
    pub fn port(&self) -> u16 {
        self.server.address().port()
    }

    /// The world it shows.
    pub fn world(&self) -> &WorldHandle {
        &self.shared.world
    }

    /// The switch of its faults.
    pub fn faults(&self) -> &FaultSwitch {
        &self.shared.faults
    }

    /// Every file address handed out so far answers 404 from now on; pages print new ones.
    pub fn expire_links(&self) {
        self.shared.expire_links();
    }

    /// Requests that arrived, by kind of path.
    pub fn requests(&self) -> Requests {
        self.shared.journal.requests()
    }

    /// The `before` of every page request in order of arrival; `None` asks for the newest page.
    pub fn cursors(&self) -> Vec<Option<u32>> {
        self.shared.journal.cursors()
    }

    /// Most requests that were being answered at one moment.
    pub fn max_in_flight(&self) -> usize {
        self.shared.journal.max_in_flight()
    }

    /// When each request to a page (not a file) arrived.
    pub fn request_times(&self) -> Vec<Instant> {
        self.shared.journal.page_times()
    }

    /// Everything that was asked and answered, in order of arrival.
    pub fn served(&self) -> Vec<Served> {
        self.shared.journal.served()
    }

    /// Forgets what was counted so far; the world and the faults stay.
    pub fn reset_counts(&self) {
        self.shared.journal.reset();
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// Ends it and waits until its port is free.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    /// Serves until the process ends.
    pub async fn forever(self) {
        self.server.forever().await;
    }
}

impl Shared {
    pub(crate) fn expire_links(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}
