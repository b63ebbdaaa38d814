//! Everything local, in one SQLite file.
//!
//! Definitions (targets, sources), what was done (runs, checkpoints), an index of the
//! messages in the archives, and what the processes on one data folder share: leases,
//! events, the pace towards a host. One connection writes and a few read, so reading never
//! waits for writing. Every transaction that writes begins as `IMMEDIATE`: it waits for its
//! turn at the start and cannot fail half-way for want of it.
//!
//! Times are stored as INTEGER milliseconds since 1970-01-01 UTC. Absent on purpose: any
//! clock (times are handed in), the messages' files, and every rule beyond integrity.

mod checkpoints;
mod column;
mod error;
mod events;
mod facts;
mod finish;
mod index;
mod leases;
mod ledger;
mod listing;
mod messages;
mod open;
mod pace;
mod rows;
mod runs;
mod settings;
mod sources;
mod targets;

use std::path::Path;
use std::sync::Arc;

use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite, Transaction};

pub use error::{DatabaseError, StoreError};
pub use ledger::RunLedger;
pub use pace::StorePacer;
pub use rows::{
    EventStored, LeaseStored, LogStored, MessageStored, NewRun, NewSource, OverviewStored, RunQuery,
    RunStored, SourceFacts, SourceStored,
};

/// The local database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    path: Arc<Path>,
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Store {
    /// Lets go of the file; everything written is in it. Whoever still uses a clone gets errors.
    pub async fn close(&self) {
        self.readers.close().await;
        // Last, because the last connection folds the write-ahead log into the file.
        self.writer.close().await;
    }

    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}
