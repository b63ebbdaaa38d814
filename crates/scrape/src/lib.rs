//! One run as an algorithm over ports.
//!
//! [`engine::Engine`] reads pages from a [`History`], fetches files through a
//! [`MediaFetcher`], writes batches into an [`Archive`] of a [`Sink`] and tells the
//! [`Ledger`]. The ports live here, with their consumer; `preview` and `telegram`
//! implement the first two, `sinks` the third, `store` the last. Absent on purpose:
//! HTTP, HTML, SQL, files, the wall clock.

mod batch;
pub mod engine;
mod files;
pub mod history;
pub mod ledger;
pub mod pace;
pub mod plan;
pub mod progress;
pub mod reader;
pub mod recent;
mod room;
mod run_state;
pub mod sink;

pub use engine::{Engine, Limits, pause_until, same_channel};
pub use history::{
    FileRef, History, HistoryError, Item, MediaBody, MediaError, MediaFetcher, Opening, Page, Unread,
};
pub use ledger::{Commit, IndexChange, Ledger, LedgerError, NoteLevel};
pub use pace::{Pacer, Unpaced};
pub use progress::{Phase, Progress, ProgressListener};
pub use room::DayBudget;
pub use sink::{Archive, ArchiveIdentity, Batch, FileBody, FileFacts, Filed, Sink, SinkError, SinkErrorKind};
