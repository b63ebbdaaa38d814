//! What is put in and what comes out: plain rows.

use chrono::{DateTime, Utc};
use gleaner_domain::{
    AccessLevel, Account, Channel, ChannelId, Code, PeerAddress, RunCounts, RunState, RunUid, Schedule,
    ScrapePolicy, Session, SessionHealth, SessionOrigin, SessionUid, Source, SourceId, SourceUid, TargetKind,
    TargetUid, Trigger,
};
use gleaner_scrape::NoteLevel;

/// A source to add: everything but its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSource {
    /// The identity everywhere else.
    pub uid: SourceUid,
    /// The user's name for it.
    pub name: String,
    /// Which channel.
    pub identifier: PeerAddress,
    /// The channel's title.
    pub channel_title: String,
    /// How it is read.
    pub access_level: AccessLevel,
    /// Where it is kept.
    pub target: TargetUid,
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
    /// The channel's numeric id.
    pub channel_id: Option<ChannelId>,
    /// Folder under its target.
    pub folder: Option<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// A sealed text: what the vault makes, and only it opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedStored {
    /// The Fernet token.
    pub token: String,
    /// The key it was sealed with.
    pub kid: String,
    /// What binds it to its row.
    pub mac: String,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyStored {
    /// Its id.
    pub kid: String,
    /// `primary`, `decrypt`, `retired` or `compromised`.
    pub state: String,
    /// The value that only the right key opens.
    pub kcv: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A session to keep: everything but its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// The identity everywhere else; the seal is bound to it.
    pub uid: SessionUid,
    /// The user's name for it.
    pub session_name: String,
    /// The number of the account; may be empty.
    pub phone_number: String,
    /// Which auth key it is.
    pub auth_key_id: String,
    /// How it came to us.
    pub origin: SessionOrigin,
    /// Telegram's data centre it lives on.
    pub dc_id: i32,
    /// The server it talks to where that is not Telegram's own.
    pub foreign_address: Option<String>,
    /// The application it was made with.
    pub api_id: Option<i32>,
    /// Whose account it is.
    pub account: Option<Account>,
    /// Whether it works.
    pub health: SessionHealth,
    /// When that was seen.
    pub checked_at: Option<DateTime<Utc>>,
    /// When it is kept.
    pub created_at: DateTime<Utc>,
    /// Its keys.
    pub sealed: SealedStored,
}

/// A session and who uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionStored {
    /// The session.
    pub session: Session,
    /// Number and name of its sources, by number.
    pub sources: Vec<(SourceId, String)>,
}

/// A source as a row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceStored {
    /// The source.
    pub source: Source,
    /// Name and kind of its target.
    pub target: (String, TargetKind),
    /// Messages in the index.
    pub messages: u64,
    /// The newest run, or the one going on.
    pub last_run: Option<RunStored>,
}

/// What the index says about a source.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceFacts {
    /// The channel's header as last read.
    pub channel: Option<Channel>,
    /// Files stored.
    pub files: u64,
    /// Bytes of files stored.
    pub file_bytes: u64,
    /// Files not stored, by reason, the most frequent first.
    pub files_missing: Vec<(String, u64)>,
    /// Date of the oldest message.
    pub oldest: Option<DateTime<Utc>>,
    /// Date of the newest message.
    pub newest: Option<DateTime<Utc>>,
    /// Messages whose content changed after they were kept.
    pub edited: u64,
    /// Messages that vanished after they were kept.
    pub gone: u64,
}

/// State at a glance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OverviewStored {
    /// How many sources.
    pub sources: u32,
    /// How many of them are paused.
    pub paused: u32,
    /// How many of them failed in the last run that ended.
    pub failing: u32,
    /// Runs under way.
    pub running: u32,
    /// Runs waiting.
    pub queued: u32,
    /// Messages over all sources.
    pub messages: u64,
    /// The next due time of all.
    pub next_run_at: Option<DateTime<Utc>>,
}

/// A run to queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Its identity.
    pub uid: RunUid,
    /// Of which source.
    pub source_id: SourceId,
    /// Why.
    pub trigger: Trigger,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStored {
    /// Its identity.
    pub uid: RunUid,
    /// Of which source.
    pub source_id: SourceId,
    /// The source's name.
    pub source_name: String,
    /// Why.
    pub trigger: Trigger,
    /// Where it stands.
    pub state: RunState,
    /// Why it did not complete, for machines.
    pub code: Option<Code>,
    /// Why it did not complete, for people.
    pub detail: Option<String>,
    /// When it goes on, if paused.
    pub paused_until: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// What it did, as of its last commit.
    pub counts: RunCounts,
    /// Runs without news in this row, itself included.
    pub folded: u32,
}

/// Which runs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunQuery {
    /// Only of this source.
    pub source_id: Option<SourceId>,
    /// Only in this state.
    pub state: Option<RunState>,
    /// Only runs that are over (`true`), or only those that wait or go on (`false`).
    pub over: Option<bool>,
    /// Only of sources whose name or identifier contains this; the case of ASCII letters does not matter.
    pub search: Option<String>,
    /// Only what is listed after this run.
    pub before: Option<RunUid>,
    /// At most so many.
    pub limit: u32,
}

/// A line of a run's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStored {
    /// When.
    pub at: DateTime<Utc>,
    /// How loud.
    pub level: NoteLevel,
    /// For people.
    pub text: String,
}

/// A held lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseStored {
    /// Who holds it.
    pub holder: String,
    /// Rises with every holder.
    pub fence: i64,
    /// When it was taken.
    pub taken_at: DateTime<Utc>,
}

/// A message in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageStored {
    /// The message.
    pub id: u32,
    /// When it was posted.
    pub date: DateTime<Utc>,
    /// `message`, `service` or `unsupported`.
    pub kind: String,
    /// Signature.
    pub author: Option<String>,
    /// The text. Hostile.
    pub text: String,
    /// Views, as last read.
    pub views: Option<u64>,
    /// True when `views` was printed rounded.
    pub views_rounded: bool,
    /// Kinds of its files, such as `photo`.
    pub media: Vec<String>,
    /// True once its content changed, by the author's mark or by what we saw.
    pub edited: bool,
    /// True once it vanished.
    pub gone: bool,
    /// Its address.
    pub link: Option<String>,
    /// Lowest message id of its album.
    pub album_id: Option<u32>,
}

/// Something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventStored {
    /// Rises with every event, never falls.
    pub seq: i64,
    /// What changed.
    pub tag: String,
    /// Which source, if one.
    pub source_id: Option<SourceId>,
    /// Which run, if one.
    pub run_uid: Option<RunUid>,
}
