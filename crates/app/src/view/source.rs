//! Sources: the contract's picture, wishes, rows.

use chrono::{DateTime, Utc};
use gleaner_domain::{
    AccessLevel, Schedule, ScrapePolicy, Source, SourceId, SourceUid, TargetKind, TargetUid,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{RunRow, contract_time};

/// A source with exactly the contract's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ContractSource {
    /// Local number.
    #[schema(example = 1)]
    pub id: SourceId,
    /// The user's name for it.
    #[schema(example = "Euronews English")]
    pub name: String,
    /// `@name` or a numeric id.
    #[schema(example = "@euronews_eng")]
    pub identifier: String,
    /// The channel's title.
    #[schema(example = "Euronews")]
    pub channel_title: String,
    /// How it is read.
    pub access_level: AccessLevel,
    /// Kind of storage.
    pub target: TargetKind,
    /// The session that reads it; `null` for public ones.
    #[schema(required)]
    pub session_ref: Option<i64>,
    /// When it was created.
    #[serde(serialize_with = "contract_time")]
    #[schema(example = "2025-10-30T10:10:00Z")]
    pub created_at: DateTime<Utc>,
}

impl ContractSource {
    /// The contract's picture of a source whose target is of `kind`.
    pub fn new(source: &Source, kind: TargetKind) -> Self {
        Self {
            id: source.id,
            name: source.name.clone(),
            identifier: source.identifier.to_string(),
            channel_title: source.channel_title.clone(),
            access_level: source.access_level,
            target: kind,
            session_ref: source.session_ref,
            created_at: source.created_at,
        }
    }
}

/// A new source. The first six are the contract's; the rest is optional.
///
/// Words that must be one of a list arrive as text, so that a wrong one is answered with
/// `<field>: <reason>` in the contract's error form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreateSource {
    /// The user's name for it; 1 to 200 characters.
    #[schema(example = "Euronews English", min_length = 1, max_length = 200)]
    pub name: String,
    /// `@name`, a t.me link or a numeric id.
    #[schema(example = "@euronews_eng", min_length = 1, max_length = 500)]
    pub identifier: String,
    /// The channel's title; may be empty, the first run fills it in.
    #[serde(default)]
    #[schema(example = "Euronews", max_length = 300)]
    pub channel_title: String,
    /// `public` or `private`.
    #[schema(example = "public")]
    pub access_level: String,
    /// `LOCAL`, `NAS` or `S3`.
    #[schema(example = "LOCAL")]
    pub target: String,
    /// Required for private channels, stored as `null` for public ones.
    #[serde(default)]
    pub session_ref: Option<i64>,
    /// A target of one's own instead of the default of its kind.
    #[serde(default)]
    pub target_uid: Option<TargetUid>,
    /// A folder instead of a target: creates or reuses a target of that kind there (LOCAL, NAS).
    #[serde(default)]
    pub path: Option<String>,
    /// When it is due; every 15 minutes if absent.
    #[serde(default)]
    pub schedule: Option<Schedule>,
    /// What of it is kept.
    #[serde(default)]
    pub policy: Option<ScrapePolicy>,
}

/// Changes of a source; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EditSource {
    /// The user's name for it.
    #[serde(default)]
    pub name: Option<String>,
    /// The channel's title.
    #[serde(default)]
    pub channel_title: Option<String>,
    /// Another target: a new archive starts there, the old one stays.
    #[serde(default)]
    pub target_uid: Option<TargetUid>,
    /// When it is due.
    #[serde(default)]
    pub schedule: Option<Schedule>,
    /// What of it is kept.
    #[serde(default)]
    pub policy: Option<ScrapePolicy>,
}

/// A source as a row of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceRow {
    /// Local number.
    pub id: SourceId,
    /// Identity everywhere else.
    pub uid: SourceUid,
    /// The user's name for it.
    pub name: String,
    /// `@name` or a numeric id.
    pub identifier: String,
    /// The channel's title.
    pub channel_title: String,
    /// How it is read.
    pub access_level: AccessLevel,
    /// Kind of storage.
    pub target: TargetKind,
    /// Which target.
    pub target_uid: TargetUid,
    /// The target's name.
    pub target_name: String,
    /// The session that reads it.
    pub session_ref: Option<i64>,
    /// When it is due.
    pub schedule: Schedule,
    /// What of it is kept.
    pub policy: ScrapePolicy,
    /// Since when it is paused.
    pub paused_at: Option<DateTime<Utc>>,
    /// When it is due next.
    pub next_run_at: Option<DateTime<Utc>>,
    /// Messages kept so far.
    pub messages: u64,
    /// The last run, or the one going on.
    pub last_run: Option<RunRow>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}
