//! One source in full: what is kept of it, and what is not.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::SourceRow;

/// A source in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceDetail {
    /// The row.
    #[serde(flatten)]
    pub row: SourceRow,
    /// The channel's numeric id, once read.
    pub channel_id: Option<i64>,
    /// The channel's own words.
    pub description: Option<String>,
    /// Subscribers, as printed.
    pub subscribers: Option<u64>,
    /// True when `subscribers` was printed rounded.
    pub subscribers_rounded: bool,
    /// Whether Telegram marks it as verified.
    pub verified: bool,
    /// Where its files are, for people: a path or `s3://bucket/key`.
    pub location: Option<String>,
    /// Files kept so far.
    pub files: u64,
    /// Bytes of files kept so far.
    pub file_bytes: u64,
    /// Files missing, by reason.
    pub files_missing: Vec<ReasonCount>,
    /// Date of the oldest message kept.
    pub oldest: Option<DateTime<Utc>>,
    /// Date of the newest message kept.
    pub newest: Option<DateTime<Utc>>,
    /// Messages whose content changed after they were kept.
    pub edited: u64,
    /// Messages that vanished after they were kept.
    pub gone: u64,
}

/// A reason and how often it applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReasonCount {
    /// For people.
    pub reason: String,
    /// How often.
    pub count: u64,
}

/// Which ids of a channel are kept, empty or not asked about yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Completeness {
    /// Lowest id that counts.
    pub first: u32,
    /// Highest id the channel was seen to have; 0 before the first run.
    pub last: u32,
    /// Ids with a kept message.
    pub kept: u64,
    /// Ids asked about that hold nothing: deleted before we came, or never used.
    pub empty: u64,
    /// Ids not asked about yet.
    pub missing: u64,
    /// Kept messages that have vanished since.
    pub gone: u64,
    /// The same in at most 200 equal steps from `first` to `last`, for a picture.
    pub steps: Vec<CompletenessStep>,
    /// The ranges not asked about yet, at most 100, newest first.
    pub missing_ranges: Vec<IdRange>,
    /// The ranges that hold nothing, at most 100, newest first.
    pub empty_ranges: Vec<IdRange>,
}

/// One step of the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CompletenessStep {
    /// First id.
    pub first: u32,
    /// Last id.
    pub last: u32,
    /// Ids with a kept message.
    pub kept: u32,
    /// Ids not asked about yet.
    pub missing: u32,
}

/// Ids from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IdRange {
    /// First id.
    pub first: u32,
    /// Last id.
    pub last: u32,
}

/// Messages of one day (UTC).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayCount {
    /// The day.
    pub day: NaiveDate,
    /// Messages posted.
    pub messages: u64,
    /// Views of them, as last read.
    pub views: u64,
}

/// A kept message, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageRow {
    /// The message.
    pub id: u32,
    /// When it was posted.
    pub date: DateTime<Utc>,
    /// `message`, `service` or `unsupported`.
    pub kind: String,
    /// Signature.
    pub author: Option<String>,
    /// The text; hostile, to be shown as text only.
    pub text: String,
    /// Views.
    pub views: Option<u64>,
    /// True when `views` was printed rounded.
    pub views_rounded: bool,
    /// Kinds of its files, such as `photo`.
    pub media: Vec<String>,
    /// True once its content changed.
    pub edited: bool,
    /// True once it vanished.
    pub gone: bool,
    /// Its address.
    pub link: Option<String>,
}
