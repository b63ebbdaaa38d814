//! Where records and files go.
//!
//! A [`Sink`] opens the [`Archive`] of one source. The archive's manifest is the truth
//! about what is kept: `open` removes what it does not name, `commit` makes a batch
//! durable in the order files, segments, manifest.

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use gleaner_domain::record::{Revision, Sample};
use gleaner_domain::{Channel, ChannelId, Checkpoint, Code, MediaKind, MessageId, Record, Retry, SourceUid};

use crate::MediaError;

/// A storage target.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Opens, or creates, the archive of one source; checks that it is this source's; removes
    /// temporary files and segments that its manifest does not name.
    async fn open(&self, identity: &ArchiveIdentity) -> Result<Box<dyn Archive>, SinkError>;
}

/// Whose archive it is and where it lies under the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveIdentity {
    /// The source that owns it.
    pub source: SourceUid,
    /// The channel in it.
    pub channel: ChannelId,
    /// `<slug>-<channel id>`, fixed at the first run (see `sinks::layout::folder_name`).
    pub folder: String,
    /// True once something is known to be kept there. A target without it then is not a fresh one but
    /// an unmounted disk or another place, and is refused as [`SinkErrorKind::Missing`].
    pub kept: bool,
}

/// One source's archive, opened for writing by the holder of the source's lease.
#[async_trait]
pub trait Archive: Send + Sync {
    /// The checkpoint in the manifest, as of the last commit.
    fn checkpoint(&self) -> &Checkpoint;

    /// How many message records the manifest's segments hold.
    fn messages(&self) -> u64;

    /// Writes one file, streamed, and verifies it against its announced size. The name is a pure function of
    /// `facts`, so a repeat overwrites itself. Many may be under way at once.
    async fn store_file(&self, facts: &FileFacts, body: FileBody) -> Result<Filed, SinkError>;

    /// Makes a batch durable: its segments, then the manifest with `checkpoint`. Merges small segments when there are many.
    async fn commit(
        &mut self,
        batch: Batch,
        channel: &Channel,
        checkpoint: &Checkpoint,
    ) -> Result<(), SinkError>;

    /// Records of the given ids as first kept plus their latest revision, ascending; ids not kept are left out.
    async fn read_latest(&self, ids: &[MessageId]) -> Result<Vec<Record>, SinkError>;

    /// Everything that was committed, piece by piece and each piece once: first records, then revisions, then
    /// samples, each in the order they were kept. To rebuild an index.
    async fn read_all(&self) -> Result<BoxStream<'_, Result<Batch, SinkError>>, SinkError>;

    /// Everything that was committed about the given ids, ascending: to mend a part of an index.
    async fn read_about(&self, ids: &[MessageId]) -> Result<Batch, SinkError>;

    /// Bytes free for writing, where the target can tell.
    async fn free_bytes(&self) -> Result<Option<u64>, SinkError>;
}

/// What a file's name is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// The message it belongs to.
    pub message: MessageId,
    /// Its place in `record.media`.
    pub index: usize,
    /// When the message was posted: folder and modification time.
    pub date: DateTime<Utc>,
    /// What it is.
    pub kind: MediaKind,
    /// The file's own name, if it has one. Hostile.
    pub name: Option<String>,
    /// Extension by address or MIME type, without dot.
    pub extension: Option<String>,
    /// What tells this file from an earlier one in the same place of the same message. `None` for the
    /// files a message is first kept with; everything that comes later has one, so that it overwrites nothing.
    pub version: Option<String>,
}

/// The bytes to write.
pub struct FileBody {
    /// The bytes.
    pub stream: BoxStream<'static, Result<Bytes, MediaError>>,
    /// Announced size; a different one is an error.
    pub size: Option<u64>,
}

/// A file in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filed {
    /// Path relative to the archive's folder, with `/`.
    pub path: String,
    /// Bytes written.
    pub size: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

/// What one commit adds. Records by ascending id, none of them kept before.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// New messages.
    pub records: Vec<Record>,
    /// Edits, late files, vanished and returned ids.
    pub revisions: Vec<Revision>,
    /// Counters.
    pub samples: Vec<Sample>,
}

impl Batch {
    /// True when there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.revisions.is_empty() && self.samples.is_empty()
    }
}

/// Why a target cannot be written or read. `Display` is a sentence for people that names the place.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct SinkError {
    /// What it is.
    pub kind: SinkErrorKind,
    /// For people: what could not be done, where, and why. Never holds a credential.
    pub detail: String,
    /// The cause, for the log.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What went wrong with a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkErrorKind {
    /// Rights or credentials.
    Denied,
    /// Not mounted, not answering, gone.
    Unreachable,
    /// No room.
    Full,
    /// The folder or bucket belongs to somebody else.
    Foreign,
    /// Another writer of the same archive came between.
    Raced,
    /// What was kept there is not there: not mounted, moved, deleted, or another prefix.
    Missing,
    /// What is there cannot be read: broken manifest or segment, or written by a newer version.
    Damaged,
    /// The file's source broke while it was written, or its size differs from the announced one; nothing was left behind.
    Body {
        /// Whether trying again may help.
        retryable: bool,
    },
}

impl SinkError {
    /// For machines.
    pub fn code(&self) -> Code {
        match self.kind {
            SinkErrorKind::Denied => Code::TargetDenied,
            SinkErrorKind::Unreachable | SinkErrorKind::Body { .. } => Code::TargetUnreachable,
            SinkErrorKind::Full => Code::DiskFull,
            SinkErrorKind::Foreign => Code::TargetForeign,
            SinkErrorKind::Raced => Code::LeaseLost,
            SinkErrorKind::Missing => Code::ArchiveMissing,
            SinkErrorKind::Damaged => Code::ArchiveDamaged,
        }
    }

    /// Whether trying again can help.
    pub fn retry(&self) -> Retry {
        match self.kind {
            SinkErrorKind::Unreachable | SinkErrorKind::Body { retryable: true } => Retry::Backoff,
            _ => Retry::Never,
        }
    }
}
