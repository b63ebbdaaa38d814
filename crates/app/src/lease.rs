//! One run of a source at a time, on this machine.
//!
//! Life is proven by a locked file: the OS frees it with the process, however it ends,
//! so a killed run is taken over at once. The fence in the database rises with every
//! holder; what an old holder still tries to write is refused by its number.

use std::fs::{File, TryLockError};

use gleaner_domain::{Code, Source};

use crate::{ApiError, ApiResult, App, places};

/// Held for the length of a run.
pub(crate) struct SourceLease {
    pub(crate) fence: i64,
    key: String,
    /// Unlocked when dropped.
    _file: File,
}

impl App {
    pub(crate) async fn take_source_lease(&self, source: &Source) -> ApiResult<SourceLease> {
        let path = places::source_lock(&self.0.config, source.uid);
        let file = lock(&path)?.ok_or_else(|| {
            ApiError::new(
                Code::AlreadyRunning,
                format!("{} is being scraped already", source.name),
            )
        })?;
        let key = format!("source:{}", source.uid);
        let holder = format!("pid {}", std::process::id());
        let fence = self.0.store.take_lease(&key, &holder, self.0.clock.now()).await?;
        Ok(SourceLease {
            fence,
            key,
            _file: file,
        })
    }

    pub(crate) async fn release_source_lease(&self, lease: SourceLease) {
        if let Err(error) = self.0.store.release_lease(&lease.key, lease.fence).await {
            tracing::warn!(%error, "a lease was not marked as released; its file lock is");
        }
    }

    /// True when no process works on this source.
    pub(crate) fn source_is_idle(&self, source: &Source) -> ApiResult<bool> {
        Ok(lock(&places::source_lock(&self.0.config, source.uid))?.is_some())
    }
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
