//! Runs, as Activity shows them.

use chrono::{DateTime, Utc};
use gleaner_domain::{Code, RunCounts, RunState, RunUid, SourceId, Trigger};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A run as a row of Activity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunRow {
    /// Identity.
    pub uid: RunUid,
    /// Which source.
    pub source_id: SourceId,
    /// The source's name.
    pub source_name: String,
    /// Why it started.
    pub trigger: Trigger,
    /// Where it stands.
    pub state: RunState,
    /// Why it did not complete, for machines.
    pub code: Option<Code>,
    /// Why it did not complete, for people.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// When it goes on, if paused.
    pub paused_until: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// What it did.
    pub counts: RunCounts,
    /// How many runs without news are folded into this row, itself included.
    pub folded: u32,
    /// Live figures while it goes on here.
    pub progress: Option<RunProgress>,
}

/// Live figures of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunProgress {
    /// `opening`, `forward`, `recent`, `backfill` or `finishing`.
    pub phase: String,
    /// Ids still to be asked about.
    pub ids_left: u64,
    /// Ids it set out to ask about.
    pub ids_planned: u64,
    /// Files under way.
    pub files_in_flight: u32,
    /// Messages a second over the last seconds.
    pub messages_per_s: f64,
    /// Bytes of pages and files a second over the last seconds.
    pub bytes_per_s: f64,
    /// Seconds left at this pace, once it can be said.
    pub eta_s: Option<u64>,
}

/// A run with its log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunDetail {
    /// The row.
    #[serde(flatten)]
    pub row: RunRow,
    /// Its log, oldest first, at most the last 1,000 lines.
    pub log: Vec<LogLine>,
}

/// A line of a run's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// When.
    pub at: DateTime<Utc>,
    /// `info`, `warning` or `error`.
    pub level: String,
    /// For people.
    pub text: String,
}

/// Which runs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunFilter {
    /// Only of this source.
    #[serde(default)]
    pub source_id: Option<SourceId>,
    /// Only in this state.
    #[serde(default)]
    pub state: Option<RunState>,
    /// Only runs that are over, or only those that wait or go on.
    #[serde(default)]
    pub over: Option<bool>,
    /// Only of sources whose name or identifier contains this; the case of ASCII letters does not matter.
    #[serde(default)]
    pub search: Option<String>,
    /// Only older than this run.
    #[serde(default)]
    pub before: Option<RunUid>,
    /// At most so many; 100 if absent, 500 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}
