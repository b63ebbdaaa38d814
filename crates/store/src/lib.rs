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
mod keys;
mod leases;
mod ledger;
mod listing;
mod messages;
mod open;
mod pace;
mod rows;
mod runs;
mod sessions;
mod settings;
mod sources;
mod targets;

use std::path::Path;
use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite, Transaction};

pub use error::{DatabaseError, StoreError};
pub use ledger::RunLedger;
pub use pace::StorePacer;
pub use rows::{
    EventStored, KeyStored, LeaseStored, LogStored, MessageStored, NewRun, NewSession, NewSource,
    OverviewStored, RunQuery, RunStored, SealedStored, SessionStored, SourceFacts, SourceStored,
};

/// The one connection that writes, kept from everybody else. Dropped, writing goes on.
#[derive(Debug)]
pub struct Held {
    store: Store,
    writer: PoolConnection<Sqlite>,
}

impl Held {
    /// Lets go of the file for good: whoever waited to write gets an error, and nothing is written any more.
    pub async fn close(self) {
        // The pool counts as closed from here on, before the connection goes back.
        let closed = self.store.writer.close();
        drop(self.writer);
        self.store.readers.close().await;
        closed.await;
    }
}

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

    /// Keeps everybody of this process from writing, after the transaction under way; they wait.
    pub async fn hold(&self) -> Result<Held, StoreError> {
        Ok(Held {
            writer: self.writer.acquire().await?,
            store: self.clone(),
        })
    }

    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}
