//! One run of one source: why it started, where it stands, what it did.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Code;

/// Why a run started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A person or a command asked for it.
    Manual,
    /// The source's schedule.
    Schedule,
    /// The source was just created.
    Created,
}

/// Where a run stands. Pausing is an outcome, not an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waiting for its turn.
    Queued,
    /// At work.
    Running,
    /// Everything that was to be had is kept.
    Completed,
    /// Stopped with its checkpoint; goes on at `paused_until`.
    Paused,
    /// Stopped by a person, with its checkpoint.
    Cancelled,
    /// Stopped by an error, with its checkpoint.
    Failed,
}

impl RunState {
    /// True once nothing more will happen.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunOutcome {
    /// Everything that was to be had is kept.
    Completed,
    /// To go on at this time.
    Paused {
        /// Not before.
        until: DateTime<Utc>,
        /// What asked for the pause.
        code: Code,
        /// For people.
        detail: String,
    },
    /// A person stopped it.
    Cancelled,
    /// An error stopped it.
    Failed {
        /// For machines.
        code: Code,
        /// For people.
        detail: String,
    },
}

/// What a run did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RunCounts {
    /// Messages kept for the first time.
    pub messages: u64,
    /// Messages whose content had changed.
    pub edited: u64,
    /// Messages that had vanished.
    pub gone: u64,
    /// Counters kept again.
    pub samples: u64,
    /// Files stored.
    pub files: u64,
    /// Bytes of files stored.
    pub file_bytes: u64,
    /// Files left out, with a reason in each record.
    pub files_skipped: u64,
    /// Files that failed and are tried again.
    pub files_failed: u64,
    /// Pages read.
    pub pages: u64,
    /// Bytes of pages read, as they came over the line or decoded where the line does not tell.
    pub page_bytes: u64,
    /// Requests repeated after a failure.
    pub retries: u64,
}

impl RunCounts {
    /// Whether a person would want to hear of this run. Counters read again are no news.
    pub fn has_news(&self) -> bool {
        self.messages > 0 || self.edited > 0 || self.gone > 0 || self.files > 0 || self.files_failed > 0
    }
}
