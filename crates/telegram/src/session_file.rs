//! Session files of Telethon, Pyrogram and Kurigram, read without ever touching them.
//!
//! All three are SQLite databases with the same extension. What is read may be hostile: it is
//! opened only in memory or as a private copy, no code in its schema runs, and work and size are
//! bounded.

mod database;
mod error;
mod format;
mod snapshot;

use std::path::Path;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use zeroize::Zeroizing;

use crate::imported::Imported;
use database::Database;
pub use error::SessionFileError;
use snapshot::Snapshot;

/// Largest session file that is read, in bytes. One with 100,000 peers has some 10 MB.
pub const MOST_BYTES: u64 = 50 << 20;

/// A session file is read in milliseconds; whatever takes this long is none.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads a session file, with what a running or killed program left in its journal beside it.
///
/// The file and its neighbours are only read.
pub async fn read(path: &Path) -> Result<Imported, SessionFileError> {
    let path = path.to_owned();
    let snapshot = blocking(move || Snapshot::take(&path)).await?;
    if !snapshot.has_journal() {
        return read_bytes(&snapshot.main).await;
    }
    let copy = blocking(move || snapshot.copy()).await?;
    let read = patiently(async {
        let mut database = Database::at(&copy.main).await?;
        let read = format::read(&mut database).await;
        database.close().await;
        read
    });
    let read = read.await;
    blocking(move || {
        copy.delete();
        Ok(())
    })
    .await?;
    read
}

/// Deletes the private copies of session files that killed processes left in the temporary folder an hour or
/// more before `now`. They hold keys in the open.
pub async fn sweep(now: DateTime<Utc>) {
    let old = SystemTime::from(now - TimeDelta::hours(1));
    let swept = tokio::task::spawn_blocking(move || snapshot::sweep(&std::env::temp_dir(), old)).await;
    if swept.is_err() {
        tracing::warn!("forgotten copies of session files were not looked for");
    }
}

/// Reads a session file that came as bytes, such as an upload. Nothing is written to a disk.
pub async fn read_bytes(bytes: &[u8]) -> Result<Imported, SessionFileError> {
    let size = bytes.len() as u64;
    if size > MOST_BYTES {
        return Err(SessionFileError::TooBig(size));
    }
    if bytes.is_empty() {
        return Err(SessionFileError::EmptyFile);
    }
    if bytes.starts_with(b"TDF$") {
        return Err(SessionFileError::Tdata);
    }
    if !bytes.starts_with(b"SQLite format 3\0") {
        return Err(SessionFileError::NotADatabase);
    }
    patiently(async {
        let (mut database, wal) = Database::in_memory(bytes).await?;
        let read = format::read(&mut database).await;
        database.close().await;
        match read {
            Err(
                SessionFileError::EmptyDatabase
                | SessionFileError::NoAccount
                | SessionFileError::Field(crate::imported::FieldError::Key(_)),
            ) if wal => Err(SessionFileError::NewestPartMissing),
            read => read,
        }
    })
    .await
}

async fn patiently<T>(
    work: impl Future<Output = Result<T, SessionFileError>>,
) -> Result<T, SessionFileError> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .unwrap_or(Err(SessionFileError::Excessive))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SessionFileError> + Send + 'static,
) -> Result<T, SessionFileError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|stopped| Err(SessionFileError::Scratch(stopped.into())))
}

/// Bytes that may hold a key: wiped when dropped.
type Bytes = Zeroizing<Vec<u8>>;
