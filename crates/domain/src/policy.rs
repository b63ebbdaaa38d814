//! What of a channel a source wants, and how much.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The settings of one source that a run obeys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ScrapePolicy {
    /// Whether files are fetched; text and counters always are.
    pub media: bool,
    /// How far back history goes.
    pub history: HistoryStart,
    /// How many of the newest ids are read again for edits, deletions and counters; 0 switches it off.
    #[schema(maximum = 1000)]
    pub recent_window: u16,
    /// Most bytes of files a day (UTC); `null` means no cap.
    pub daily_bytes: Option<u64>,
}

impl Default for ScrapePolicy {
    fn default() -> Self {
        Self {
            media: true,
            history: HistoryStart::All,
            recent_window: 100,
            daily_bytes: None,
        }
    }
}

/// How far back history goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum HistoryStart {
    /// Everything, newest first.
    #[default]
    All,
    /// Everything since a day (UTC, inclusive).
    Since {
        /// The first day wanted.
        date: NaiveDate,
    },
    /// Only what is posted after the source was added.
    Now,
}
