//! One run of a source at a time, on this machine.
//!
//! Life is proven by a locked file: the OS frees it with the process, however it ends,
//! so a killed run is taken over at once. The fence in the database rises with every
//! holder; what an old holder still tries to write is refused by its number.

use std::fs::{File, TryLockError};
use std::time::Duration;

use gleaner_domain::{Code, Source, SourceId, SourceUid};

use crate::{ApiError, ApiResult, App, places};

/// Held for the length of a run, or while a session talks to Telegram.
pub(crate) struct Lease {
    pub(crate) fence: i64,
    key: String,
    /// Unlocked when dropped.
    _file: File,
}

/// How often a locked file is tried again: somebody may only be looking whether it is locked.
const TRIES: u32 = 10;
/// The wait between two tries.
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

impl App {
    /// Takes the lease of a source, and reads the source as it is now that nobody else changes where it goes.
    pub(crate) async fn take_source_lease(&self, id: SourceId) -> ApiResult<(Source, Lease)> {
        let known = self.0.store.source(id).await?;
        let path = places::source_lock(&self.0.config, known.uid);
        let file = lock_soon(&path, TRIES, BETWEEN_TRIES).await?.ok_or_else(|| {
            ApiError::new(
                Code::AlreadyRunning,
                format!("{} is being scraped already", known.name),
            )
        })?;
        let source = self.0.store.source(id).await?;
        let lease = self.lease(format!("source:{}", source.uid), file).await?;
        Ok((source, lease))
    }

    /// Takes the lease of an auth key: Telegram destroys one that is used from two places at once.
    /// `name` is for the sentence that says who has it.
    pub(crate) async fn take_session_lease(&self, auth_key_id: &str, name: &str) -> ApiResult<Lease> {
        let path = places::session_lock(&self.0.config, auth_key_id);
        let file = lock_soon(&path, TRIES, BETWEEN_TRIES)
            .await?
            .ok_or_else(|| ApiError::new(Code::AlreadyRunning, format!("{name} is in use at this moment")))?;
        self.lease(format!("session:{auth_key_id}"), file).await
    }

    async fn lease(&self, key: String, file: File) -> ApiResult<Lease> {
        let holder = format!("pid {}", std::process::id());
        let fence = self.0.store.take_lease(&key, &holder, self.0.clock.now()).await?;
        Ok(Lease {
            fence,
            key,
            _file: file,
        })
    }

    pub(crate) async fn release_lease(&self, lease: Lease) {
        if let Err(error) = self.0.store.release_lease(&lease.key, lease.fence).await {
            tracing::warn!(%error, "a lease was not marked as released; its file lock is");
        }
    }

    /// When no process works on this source: its lock, so that none begins while it is held.
    pub(crate) fn lock_idle_source(&self, source: SourceUid) -> ApiResult<Option<File>> {
        lock(&places::source_lock(&self.0.config, source))
    }
}

/// Locks a file, trying again for a while; `None` while somebody else has it.
pub(crate) async fn lock_soon(
    path: &std::path::Path,
    tries: u32,
    between: Duration,
) -> ApiResult<Option<File>> {
    for _ in 1..tries {
        if let Some(file) = lock(path)? {
            return Ok(Some(file));
        }
        tokio::time::sleep(between).await;
    }
    lock(path)
}

/// Locks a file, or says that somebody else has.
pub(crate) fn lock(path: &std::path::Path) -> ApiResult<Option<File>> {
    let failed = |e: std::io::Error| {
        ApiError::new(
            Code::Database,
            format!("The lock file {} cannot be used: {e}", path.display()),
        )
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(failed(e)),
    }
}
