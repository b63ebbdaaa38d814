//! Many sources at once.

use gleaner_domain::{Code, Schedule, ScrapePolicy, SourceId, TargetUid};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What to do with many sources at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkSources {
    /// Which ones.
    pub ids: Vec<SourceId>,
    /// What to do.
    #[serde(flatten)]
    pub action: BulkAction,
}

/// One thing to do with many sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum BulkAction {
    /// Stop their schedules.
    Pause,
    /// Start their schedules again.
    Resume,
    /// Run them now.
    Run,
    /// Remove them; files stay unless asked.
    Delete {
        /// Also remove their files.
        #[serde(default)]
        files: bool,
    },
    /// Start new archives in another target.
    SetTarget {
        /// Which one.
        target_uid: TargetUid,
    },
}

/// What became of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkReport {
    /// How many were done.
    pub done: u32,
    /// Which were not, and why.
    pub failed: Vec<BulkFailure>,
}

/// One that was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkFailure {
    /// Which one.
    pub id: SourceId,
    /// For machines.
    pub code: Code,
    /// For people.
    pub detail: String,
}

/// Many channels at once: pasted or read from a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportSources {
    /// One channel a line (or separated by commas or spaces); `#` starts a comment.
    #[schema(max_length = 1_000_000)]
    pub text: String,
    /// Where they go: `LOCAL`, `NAS` or `S3`.
    pub target: String,
    /// A target of one's own instead of the default of its kind.
    #[serde(default)]
    pub target_uid: Option<TargetUid>,
    /// When they are due.
    #[serde(default)]
    pub schedule: Option<Schedule>,
    /// What of them is kept.
    #[serde(default)]
    pub policy: Option<ScrapePolicy>,
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// What became of each line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportReport {
    /// The lines, in order.
    pub lines: Vec<ImportLine>,
    /// How many sources were (or would be) added.
    pub added: u32,
}

/// One line of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportLine {
    /// As it was typed.
    pub input: String,
    /// As it was understood.
    pub identifier: Option<String>,
    /// What became of it.
    pub state: ImportState,
    /// Why, when it was not added.
    pub detail: Option<String>,
    /// The new source, once added.
    pub id: Option<SourceId>,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// Added, or would be.
    Added,
    /// There is such a source already, or it was named twice.
    Duplicate,
    /// Not a channel, or one that needs a session.
    Refused,
}
