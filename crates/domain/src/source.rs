//! A source: a channel we scrape, where to, when, and how much of it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ChannelId, PeerAddress, Schedule, ScrapePolicy, SourceId, SourceUid, TargetUid};

/// Whether a channel is read through its public page or with a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccessLevel {
    /// Through t.me/s, without login.
    Public,
    /// With a session.
    Private,
}

impl AccessLevel {
    /// The contract's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

/// A channel we scrape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The contract's local number.
    pub id: SourceId,
    /// The identity everywhere else.
    pub uid: SourceUid,
    /// The user's name for it.
    pub name: String,
    /// Which channel, as the user gave it.
    pub identifier: PeerAddress,
    /// The channel's title, as given or as last read.
    pub channel_title: String,
    /// How it is read.
    pub access_level: AccessLevel,
    /// Where it is kept.
    pub target: TargetUid,
    /// The session that reads it; `None` for public ones.
    pub session_ref: Option<i64>,
    /// When it is due.
    pub schedule: Schedule,
    /// What of it is kept.
    pub policy: ScrapePolicy,
    /// Since when it is paused, if it is.
    pub paused_at: Option<DateTime<Utc>>,
    /// When it is due next, if it is.
    pub next_run_at: Option<DateTime<Utc>>,
    /// The channel's numeric id, once a run has read it.
    pub channel_id: Option<ChannelId>,
    /// Folder of this source under its target, fixed at the first run.
    pub folder: Option<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}
