//! What a run tells while it goes on.

use gleaner_domain::RunCounts;
use serde::Serialize;

/// A snapshot, at most four a second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// Totals so far.
    pub counts: RunCounts,
    /// Ids this run still has to ask about.
    pub ids_left: u64,
    /// Ids this run set out to ask about.
    pub ids_planned: u64,
    /// Files under way.
    pub files_in_flight: u32,
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Opening channel and archive.
    Opening,
    /// Reading what is new.
    Forward,
    /// Reading the recent window again.
    Recent,
    /// Filling in history.
    Backfill,
    /// Writing the last batch.
    Finishing,
}

/// Hears of progress. Must return at once.
pub trait ProgressListener: Send + Sync {
    /// A new snapshot.
    fn progress(&self, progress: &Progress);
}

impl<F: Fn(&Progress) + Send + Sync> ProgressListener for F {
    fn progress(&self, progress: &Progress) {
        self(progress);
    }
}
