//! How far a source has been scraped.
//!
//! The manifest in the target holds the truth; the database keeps a copy that is
//! rebuilt from it on any difference.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{HistoryStart, IdRanges, MessageId};

/// What is known about a channel's ids, and what of the recent past to compare with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Ids whose question is answered: a record is kept, or there was none.
    pub seen: IdRanges,
    /// The highest id the channel was seen to have.
    pub newest: Option<MessageId>,
    /// The lowest id worth asking for, once known: 1, or the first after the start date.
    pub floor: Option<MessageId>,
    /// The wish that `floor` answers; another wish makes it void.
    #[serde(default)]
    pub floor_of: HistoryStart,
    /// When the recent window was last read again.
    pub recent_read_at: Option<DateTime<Utc>>,
    /// The recent window: what the next reading is compared with, ascending by id.
    pub recent: Vec<Recent>,
    /// Messages with a file that failed and is tried again, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media_retry: Vec<MediaRetry>,
}

/// A message of the recent window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// The message.
    pub id: MessageId,
    /// When it was posted: its age decides which samples are due.
    pub date: DateTime<Utc>,
    /// Hash of the content last kept.
    pub hash: String,
    /// Hash of the counters last kept.
    pub counters: u64,
    /// When counters were last kept.
    pub sampled_at: DateTime<Utc>,
    /// True while the id is missing from the channel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

/// A message with files that failed or were not tried yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaRetry {
    /// The message.
    pub id: MessageId,
    /// How often it failed. Runs that stopped before they tried do not count.
    pub attempts: u8,
    /// Not tried again before; absent when nothing has failed yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<DateTime<Utc>>,
}
