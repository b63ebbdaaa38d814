//! Opening, checking and backing up the file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

use crate::{DatabaseError, Store, StoreError};

/// The newest format of the file this program knows (`PRAGMA user_version`).
const FORMAT: i64 = 1;
/// Readers beside the one writer.
const READERS: u32 = 4;
/// Bytes up to which the whole file is read through at every opening: some tenths of a second.
const CHECKED_WHOLE: u64 = 256 << 20;
/// What is read through of a larger file: what only it knows. The index of messages can be rebuilt.
const CHECKS_OF_DEFINITIONS: [&str; 9] = [
    "PRAGMA quick_check('targets')",
    "PRAGMA quick_check('sources')",
    "PRAGMA quick_check('checkpoints')",
    "PRAGMA quick_check('runs')",
    "PRAGMA quick_check('leases')",
    "PRAGMA quick_check('settings')",
    "PRAGMA quick_check('sessions')",
    "PRAGMA quick_check('crypto_keys')",
    "PRAGMA quick_check('sealed_settings')",
];
/// Rows the driver reads ahead of us: the fewer stops, the sooner a long list is there.
const ROWS_AHEAD: usize = 1_000;
/// How long another process's transaction is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a new file is tried while another process turns it to write-ahead logging:
/// SQLite answers that one change with "busy" at once, without any patience.
const DOOR_TRIES: u32 = 100;

impl Store {
    /// Opens the file, or creates it in a folder that exists: checks it and brings its tables up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .pragma("journal_size_limit", "67108864")
            .pragma("trusted_schema", "OFF")
            .disable_statement_logging();
        // Stays open until the pools are, so that the log is not folded up and unfolded in between.
        let mut door = open_door(path, &options).await?;
        check(path, &mut door)
            .await
            .map_err(|error| name_damage(path, error))?;
        migrate(&mut door).await?;

        let unopened = |cause| {
            StoreError::from(DatabaseError::Unopened {
                path: path.to_owned(),
                cause,
            })
        };
        let pool = || {
            SqlitePoolOptions::new()
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
        };
        let writer = pool()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(unopened)?;
        let readers = pool()
            .max_connections(READERS)
            .connect_with(options.pragma("query_only", "ON").row_buffer_size(ROWS_AHEAD))
            .await
            .map_err(unopened)?;
        door.close().await?;
        Ok(Self {
            path: Arc::from(path),
            writer,
            readers,
        })
    }

    /// Writes a copy of everything, as of now, into a new file. Nobody has to wait for it.
    pub async fn backup_to(&self, path: &Path) -> Result<(), StoreError> {
        let unwritten = |cause: Box<dyn std::error::Error + Send + Sync>| {
            StoreError::from(DatabaseError::Unwritten {
                path: path.to_owned(),
                cause,
            })
        };
        if tokio::fs::try_exists(path)
            .await
            .map_err(|e| unwritten(e.into()))?
        {
            return Err(DatabaseError::Exists {
                path: path.to_owned(),
            }
            .into());
        }
        let name = path
            .to_str()
            .ok_or_else(|| unwritten("its name is not Unicode".into()))?;
        // A connection of its own: readers may not write, and the writer has better things to do.
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .busy_timeout(PATIENCE)
            .synchronous(SqliteSynchronous::Full)
            .disable_statement_logging();
        let mut source = SqliteConnection::connect_with(&options)
            .await
            .map_err(|e| unwritten(e.into()))?;
        let written = sqlx::query("VACUUM INTO ?1")
            .bind(name)
            .execute(&mut source)
            .await;
        source.close().await?;
        // SQLite leaves it to us to make the new file last.
        let lasting = match written {
            Ok(_) => make_last(path).await.map_err(|e| unwritten(e.into())),
            Err(error) => Err(unwritten(error.into())),
        };
        if lasting.is_err() {
            // It was not there before; what is there now is half a copy.
            let _ = tokio::fs::remove_file(path).await;
        }
        lasting
    }
}

/// Makes a new file and its name survive a power cut.
async fn make_last(path: &Path) -> std::io::Result<()> {
    let file = tokio::fs::File::options().write(true).open(path).await?;
    file.sync_all().await?;
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        tokio::fs::File::open(folder).await?.sync_all().await?;
    }
    Ok(())
}

async fn open_door(path: &Path, options: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    let mut tries = 0;
    loop {
        match SqliteConnection::connect_with(options).await {
            Ok(door) => return Ok(door),
            Err(error) if is_busy(&error) && tries < DOOR_TRIES => {
                tries += 1;
                tokio::time::sleep(PATIENCE / DOOR_TRIES).await;
            }
            Err(error) if is_damage(&error) => return Err(damaged(path, error.to_string())),
            Err(cause) => {
                return Err(DatabaseError::Unopened {
                    path: path.to_owned(),
                    cause,
                }
                .into());
            }
        }
    }
}

async fn check(path: &Path, door: &mut SqliteConnection) -> Result<(), StoreError> {
    let found: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *door)
        .await?;
    if found > FORMAT {
        return Err(DatabaseError::Newer {
            path: path.to_owned(),
            found,
            known: FORMAT,
        }
        .into());
    }
    let size = tokio::fs::metadata(path).await.map_or(0, |file| file.len());
    let checks = if size > CHECKED_WHOLE {
        &CHECKS_OF_DEFINITIONS[..]
    } else {
        &["PRAGMA quick_check(1)"]
    };
    match fault(door, checks).await? {
        Some(fault) => Err(damaged(path, fault)),
        None => Ok(()),
    }
}

/// What is broken, if something is.
async fn fault(door: &mut SqliteConnection, checks: &[&'static str]) -> Result<Option<String>, StoreError> {
    for check in checks {
        let verdict: String = sqlx::query_scalar(*check).fetch_one(&mut *door).await?;
        if verdict != "ok" {
            return Ok(Some(verdict));
        }
    }
    Ok(None)
}

/// All or nothing, and one process after the other.
async fn migrate(door: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut migrator = sqlx::migrate!("../../migrations/local");
    // A newer program may have added what this one can live with; `FORMAT` says when it cannot.
    migrator.set_ignore_missing(true);
    let mut tx = door.begin_with("BEGIN IMMEDIATE").await?;
    migrator
        .run_direct(None, &mut *tx, false)
        .await
        .map_err(DatabaseError::from)?;
    Ok(tx.commit().await?)
}

fn name_damage(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Database(DatabaseError::Sql(cause)) if is_damage(&cause) => {
            damaged(path, cause.to_string())
        }
        other => other,
    }
}

fn damaged(path: &Path, detail: String) -> StoreError {
    DatabaseError::Damaged {
        path: PathBuf::from(path),
        detail,
    }
    .into()
}

/// `SQLITE_CORRUPT` and `SQLITE_NOTADB`.
fn is_damage(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(11 | 26))
}

/// `SQLITE_BUSY`.
fn is_busy(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(5)
}

/// The low byte of SQLite's extended code.
fn primary_code(error: &sqlx::Error) -> Option<i64> {
    let code: i64 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_connection_keeps_its_promises() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("gleaner.db"))
            .await
            .expect("a new file");
        for (pool, query_only) in [(&store.writer, 0_i64), (&store.readers, 1)] {
            let mut connection = pool.acquire().await.expect("a connection");
            for (pragma, expected) in [
                ("PRAGMA synchronous", 2),
                ("PRAGMA foreign_keys", 1),
                ("PRAGMA busy_timeout", 5_000),
                ("PRAGMA trusted_schema", 0),
                ("PRAGMA user_version", FORMAT),
                ("PRAGMA query_only", query_only),
            ] {
                let found: i64 = sqlx::query_scalar(pragma)
                    .fetch_one(&mut *connection)
                    .await
                    .expect(pragma);
                assert_eq!(found, expected, "{pragma}");
            }
            let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
                .fetch_one(&mut *connection)
                .await
                .expect("a mode");
            assert_eq!(mode, "wal");
        }
        store.close().await;
    }

    #[tokio::test]
    async fn of_a_large_file_the_tables_that_cannot_be_rebuilt_are_checked() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gleaner.db");
        let store = Store::open(&path).await.expect("a new file");
        let mut door = store.writer.acquire().await.expect("a connection");
        assert_eq!(
            fault(&mut door, &CHECKS_OF_DEFINITIONS).await.expect("checked"),
            None
        );
        // An index that misses its rows, as a torn write would leave it.
        for sql in [
            "PRAGMA writable_schema = ON",
            "INSERT INTO settings VALUES ('a', '1')",
            "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'targets_place')
             WHERE name = 'sqlite_autoindex_settings_1'",
        ] {
            sqlx::query(sql).execute(&mut *door).await.expect(sql);
        }
        let mut fresh = SqliteConnection::connect(&format!("sqlite://{}", path.display()))
            .await
            .expect("open");
        let found = fault(&mut fresh, &CHECKS_OF_DEFINITIONS).await;
        assert!(!matches!(found, Ok(None)), "{found:?}");
    }

    #[tokio::test]
    async fn reading_never_waits_for_a_transaction_that_writes() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("gleaner.db"))
            .await
            .expect("a new file");
        let mut tx = store.write().await.expect("a transaction");
        sqlx::query("INSERT INTO settings VALUES ('a', '1')")
            .execute(&mut *tx)
            .await
            .expect("a row");
        let seen: Option<i64> = tokio::time::timeout(Duration::from_secs(2), store.setting("a"))
            .await
            .expect("no waiting")
            .expect("no error");
        assert_eq!(seen, None, "what is not committed is not seen");
        tx.commit().await.expect("committed");
        assert_eq!(store.setting("a").await.expect("no error"), Some(1));
    }
}
