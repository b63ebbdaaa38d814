//! Every use case of Gleaner, once.
//!
//! Shells (window, HTTP, command line) call [`App`] and nothing under it. Only this
//! crate wires objects together; only [`config`] reads the environment. Absent on
//! purpose: HTTP, windows, argument parsing.

mod board;
pub mod config;
mod data;
mod due;
pub mod error;
mod events;
mod import;
mod keys;
mod lease;
mod login;
mod logins;
pub mod logs;
pub mod memory;
mod mend;
mod places;
mod presence;
pub mod private_file;
mod rows;
mod runner;
mod runs;
mod safe;
mod scheduler;
mod session_import;
mod sessions;
mod settings;
mod sources;
mod targets;
mod telegram;
pub mod view;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gleaner_domain::{Clock, Code, SystemClock};
use gleaner_preview::PreviewClient;
use gleaner_store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use config::Config;
pub use error::{ApiError, ApiResult, FieldError};
pub use runner::OnProgress;
pub use secrecy::{ExposeSecret, SecretString};

use crate::board::Board;
use crate::events::Bus;
use crate::logins::Logins;
use crate::presence::Presence;
use crate::safe::Safe;
use crate::settings::Caps;

/// How long quitting waits for tasks, and then for the database.
const PATIENCE_AT_THE_END: Duration = Duration::from_secs(10);

/// The surface. Cheap to clone; all clones are one app.
#[derive(Clone)]
pub struct App(Arc<Inner>);

pub(crate) struct Inner {
    config: Config,
    store: Store,
    clock: Arc<dyn Clock>,
    bus: Bus,
    board: Arc<Board>,
    preview: PreviewClient,
    /// Every task of the app; `shutdown` waits for it.
    tasks: TaskTracker,
    /// Cancelled once, by `shutdown`.
    stop: CancellationToken,
    /// Held while this process runs what is due; see [`scheduler`].
    scheduler: Mutex<Option<std::fs::File>>,
    /// Set while the data folder is moved or erased and from then on: nothing may be written any more.
    closed: Mutex<Option<String>>,
    /// Tells other processes that this one has the data folder open.
    presence: Presence,
    /// Whose keys and sessions these are; see [`safe`].
    workspace: uuid::Uuid,
    safe: Safe,
    logins: Logins,
}

impl App {
    /// Opens (or creates) the data folder and its database, mends what a crash left behind.
    /// Starts nothing by itself: see [`App::start_scheduler`] and [`App::run_here`].
    pub async fn start(config: Config) -> ApiResult<Self> {
        Self::start_with(config, Arc::new(SystemClock)).await
    }

    /// As [`App::start`], on a clock of one's own.
    pub async fn start_with(config: Config, clock: Arc<dyn Clock>) -> ApiResult<Self> {
        // Fails when a provider is installed already, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        places::prepare(&config)?;
        let presence = Presence::enter(&config)?;
        let store = Store::open(&config.data_dir.join("gleaner.db")).await?;
        let preview = runner::preview_client(&config, &store, &clock)?;
        let bus = Bus::start(&store).await?;
        let workspace = safe::workspace(&store).await?;
        let safe = Safe::new(&config, workspace);
        let app = Self(Arc::new(Inner {
            safe,
            config,
            store,
            clock,
            bus,
            board: Arc::default(),
            preview,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            scheduler: Mutex::new(None),
            closed: Mutex::new(None),
            presence,
            workspace,
            logins: Logins::default(),
        }));
        app.default_local_target().await?;
        app.mend_interrupted_runs().await?;
        app.tail_events();
        app.sweep_logins();
        let now = app.0.clock.now();
        app.0.tasks.spawn(gleaner_telegram::session_file::sweep(now));
        Ok(app)
    }

    /// The configuration this process started with.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Stops everything: runs keep their checkpoint. Waits at most ten seconds for them, and as long for
    /// the database.
    pub async fn shutdown(&self) {
        self.stop_tasks().await;
        // A call that holds its connection for good must not hold the door: SQLite mends itself.
        if tokio::time::timeout(PATIENCE_AT_THE_END, self.0.store.close())
            .await
            .is_err()
        {
            tracing::warn!("the database was still in use; it is closed with the process");
        }
        self.0.presence.leave();
    }

    async fn stop_tasks(&self) {
        self.0.stop.cancel();
        self.end_logins().await;
        self.0.tasks.close();
        if tokio::time::timeout(PATIENCE_AT_THE_END, self.0.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("some tasks did not stop in time; their checkpoints are kept");
        }
        drop(self.0.scheduler.lock().expect("no panic while held").take());
    }

    /// Refuses once the data folder was moved or erased.
    fn open_for_writing(&self) -> ApiResult<()> {
        match &*self.0.closed.lock().expect("no panic while held") {
            Some(why) => Err(ApiError::new(Code::NotAvailable, why.clone())),
            None => Ok(()),
        }
    }

    async fn caps(&self) -> ApiResult<Caps> {
        Ok(self.0.store.setting(settings::CAPS).await?.unwrap_or_default())
    }
}
