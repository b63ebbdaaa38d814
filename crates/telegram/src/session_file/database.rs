//! A database that may be hostile, opened so that it can do no harm.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteOwnedBuf, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};

use super::SessionFileError;
use crate::imported::shown;

/// SQLite's instructions between two looks at how many there were.
const STEP: i32 = 100;

/// Steps a database may take altogether. A session takes fewer than 3; every eight tables or so of
/// a schema cost another, so that this also bounds the memory a schema takes.
const MOST_STEPS: u32 = 10;

pub(super) struct Database(SqliteConnection);

impl Database {
    /// Also says whether it was written with a write-ahead log, the end of which may be elsewhere.
    pub(super) async fn in_memory(bytes: &[u8]) -> Result<(Self, bool), SessionFileError> {
        let mut database = Self::open(SqliteConnectOptions::new().in_memory(true)).await?;
        let mut copy = SqliteOwnedBuf::try_from(bytes).map_err(failed)?;
        // Read and write version: 2 means a write-ahead log, which memory cannot have.
        let versions = copy.get_mut(18..20);
        let wal = versions.as_deref() == Some(&[2, 2]);
        if let Some(versions) = versions.filter(|_| wal) {
            versions.copy_from_slice(&[1, 1]);
        }
        database.0.deserialize(None, copy, true).await.map_err(failed)?;
        Ok((database, wal))
    }

    /// Opens a private copy, to be written: that is how SQLite undoes what was left half done.
    pub(super) async fn at(path: &Path) -> Result<Self, SessionFileError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .pragma("synchronous", "OFF");
        Self::open(options).await
    }

    async fn open(options: SqliteConnectOptions) -> Result<Self, SessionFileError> {
        // None of these reads the file: the bounds below are there before its first page.
        let options = options
            .foreign_keys(false)
            .pragma("trusted_schema", "OFF")
            .pragma("cell_size_check", "ON")
            .pragma("mmap_size", "0")
            .pragma("temp_store", "MEMORY")
            .pragma("query_only", "ON")
            .statement_cache_capacity(0)
            .disable_statement_logging();
        let mut connection = options.connect().await.map_err(failed)?;
        let mut left = MOST_STEPS;
        let mut handle = connection.lock_handle().await.map_err(failed)?;
        handle.set_progress_handler(STEP, move || {
            left = left.saturating_sub(1);
            left > 0
        });
        drop(handle);
        Ok(Self(connection))
    }

    /// Runs one of our own queries. No column of a query may be a bare column of a table: sqlx
    /// trusts the names of its types, which are the file's.
    pub(super) async fn rows(&mut self, query: String) -> Result<Vec<SqliteRow>, SessionFileError> {
        sqlx::query(AssertSqlSafe(query))
            .fetch_all(&mut self.0)
            .await
            .map_err(failed)
    }

    pub(super) async fn close(self) {
        // It is a copy: whatever could not be written does not matter.
        drop(self.0.close().await);
    }
}

/// SQLite's result codes: <https://www.sqlite.org/rescode.html>.
#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
pub(super) fn failed(cause: sqlx::Error) -> SessionFileError {
    const INTERRUPT: i32 = 9;
    const FULL: i32 = 13;
    const NOT_A_DATABASE: i32 = 26;
    let Some(told) = cause.as_database_error() else {
        return SessionFileError::Damaged(shown(&cause.to_string()));
    };
    let code = told.code().and_then(|code| code.parse::<i32>().ok());
    match code.map(|code| code & 0xff) {
        Some(INTERRUPT) => SessionFileError::Excessive,
        Some(FULL) => SessionFileError::Scratch(std::io::ErrorKind::StorageFull.into()),
        Some(NOT_A_DATABASE) => SessionFileError::NotADatabase,
        _ => SessionFileError::Damaged(shown(told.message())),
    }
}
