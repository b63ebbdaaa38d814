//! Why the database refused. Sentences for people; no value of any row is in them.

use std::path::PathBuf;

/// What can go wrong with the local database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No source with this id.
    #[error("there is no such source")]
    SourceNotFound,
    /// No target with this uid.
    #[error("there is no such target")]
    TargetNotFound,
    /// No run with this uid that could still be changed.
    #[error("there is no such run, or it is over")]
    RunNotFound,
    /// A second source for the same channel and target.
    #[error("{existing} already scrapes this channel to this target")]
    DuplicateSource {
        /// The name of the source that is there.
        existing: String,
    },
    /// No session with this id.
    #[error("there is no such session")]
    SessionNotFound,
    /// Another session has this name.
    #[error("{existing} is the name of another session")]
    DuplicateSession {
        /// The name as it is kept.
        existing: String,
    },
    /// The session cannot go while sources use it.
    #[error("the session is used by: {}", .sources.join(", "))]
    SessionInUse {
        /// Their names, by number.
        sources: Vec<String>,
    },
    /// Somebody tried to keep what was sealed with a key that is not the primary one.
    #[error("what was to be kept was not sealed with the primary key")]
    NotPrimary,
    /// The target cannot go while sources use it.
    #[error("the target is used by: {}", .sources.join(", "))]
    TargetInUse {
        /// Their names, by number.
        sources: Vec<String>,
    },
    /// A run of this source is queued or under way.
    #[error("a run of this source is queued or under way already")]
    AlreadyRunning,
    /// Another run holds the lease by now; this one must stop writing.
    #[error("another run of this source took over")]
    LeaseLost,
    /// The database itself failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// How the database itself failed.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A later version wrote it in a way this one does not know.
    #[error(
        "{} was written by a newer Gleaner (format {found}; this one knows {known}): update Gleaner",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format this program knows.
        known: i64,
    },
    /// The file is no database, or a broken one.
    #[error(
        "{path} is damaged ({detail}): quit Gleaner, delete {path}, {path}-wal and {path}-shm, and put a backup in \
         its place",
        path = .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The file cannot be opened or created.
    #[error("{} cannot be opened: {cause}", .path.display())]
    Unopened {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: sqlx::Error,
    },
    /// A backup never overwrites.
    #[error("{} exists already: choose another name", .path.display())]
    Exists {
        /// The file in the way.
        path: PathBuf,
    },
    /// A backup cannot be written.
    #[error("{} cannot be written: {cause}", .path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The tables cannot be brought up to date.
    #[error("the local database cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A statement failed.
    #[error("the local database failed: {0}")]
    Sql(#[from] sqlx::Error),
    /// A value cannot be stored or read back.
    #[error("the local database cannot hold or read a {what}")]
    Value {
        /// What it was to be.
        what: &'static str,
        /// Why not; may quote the value, so it is for the log of a developer only.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(DatabaseError::Sql(error))
    }
}

impl StoreError {
    pub(crate) fn value(
        what: &'static str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Database(DatabaseError::Value {
            what,
            cause: cause.into(),
        })
    }
}

/// What a failed statement broke, when it broke a rule of the tables.
pub(crate) fn broken_rule(error: &sqlx::Error) -> Option<sqlx::error::ErrorKind> {
    error.as_database_error().map(sqlx::error::DatabaseError::kind)
}
