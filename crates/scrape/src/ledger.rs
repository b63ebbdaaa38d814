//! Where a run's state is kept while it goes on: the database.

use async_trait::async_trait;
use gleaner_domain::record::{Revision, Sample};
use gleaner_domain::{Channel, Checkpoint, Code, Record, RunCounts};

use crate::sink::Batch;

/// Remembers what a run did. Every write is fenced by the run's lease.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// One transaction: checkpoint, counters, index. Called after the manifest is durable.
    async fn commit(&self, commit: Commit<'_>) -> Result<(), LedgerError>;

    /// Bytes of files stored today (UTC) for this source, before this run.
    async fn file_bytes_today(&self) -> Result<u64, LedgerError>;

    /// A line of the run's log.
    async fn note(&self, level: NoteLevel, text: String) -> Result<(), LedgerError>;
}

/// What one commit changed.
#[derive(Debug)]
pub struct Commit<'a> {
    /// The channel's header as last read.
    pub channel: &'a Channel,
    /// The checkpoint, as in the manifest.
    pub checkpoint: &'a Checkpoint,
    /// The run's totals so far.
    pub counts: RunCounts,
    /// What changed in the index.
    pub changes: Vec<IndexChange<'a>>,
}

/// One change of the index of messages.
#[derive(Debug)]
pub enum IndexChange<'a> {
    /// A new message, or a newer version of one.
    Put(&'a Record),
    /// An id that vanished (`true`) or came back.
    Gone(u32, bool),
    /// New counters.
    Counters(&'a Sample),
}

impl<'a> IndexChange<'a> {
    /// What a batch changes in the index. A run that goes on and an index that is made anew both
    /// take it from here, so that they come to the same.
    pub fn of(batch: &'a Batch) -> Vec<Self> {
        let revised = batch.revisions.iter().map(|revision| match revision {
            Revision::Edit(record) | Revision::Media(record) => Self::Put(record),
            Revision::Gone(gone) => Self::Gone(gone.id.0, true),
            Revision::Back(back) => Self::Gone(back.id.0, false),
        });
        let counted = batch.samples.iter().map(Self::Counters);
        let kept = batch.records.iter().map(Self::Put);
        kept.chain(revised).chain(counted).collect()
    }
}

/// How loud a line of the run's log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteLevel {
    /// For those who read along.
    Info,
    /// Something was left out or repeated.
    Warning,
    /// What ended the run.
    Error,
}

/// Why the ledger refused.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another run holds the lease by now; this one must stop writing.
    #[error("another run of this source took over")]
    LeaseLost,
    /// The database failed.
    #[error("the local database refused the change: {0}")]
    Database(String),
}

impl LedgerError {
    /// For machines.
    pub fn code(&self) -> Code {
        match self {
            Self::LeaseLost => Code::LeaseLost,
            Self::Database(_) => Code::Database,
        }
    }
}
