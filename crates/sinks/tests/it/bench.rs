//! The targets under test, and records to put into them.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use gleaner_domain::record::{Gone, Revision, Sample};
use gleaner_domain::{
    Channel, ChannelId, Checkpoint, MediaKind, MessageId, Record, SourceUid, TargetSettings,
};
use gleaner_scrape::{Archive, ArchiveIdentity, Batch, FileBody, FileFacts, MediaError};
use gleaner_sinks::{DalArchive, DalSink, S3Credentials, open_target};
use gleaner_testkit::s3::S3Server;
use serde_json::json;
use tempfile::TempDir;

pub(crate) const CHANNEL: ChannelId = ChannelId(1_234_567_890);
pub(crate) const BUCKET: &str = "gleaner";
pub(crate) const ACCESS: &str = "AKGLEANERTEST";
pub(crate) const SECRET: &str = "a-secret-that-nobody-prints";

/// Which target a test runs against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Memory,
    Local,
    S3,
}

/// A target and the folder of one source in it.
pub(crate) struct Bench {
    pub(crate) sink: DalSink,
    pub(crate) identity: ArchiveIdentity,
    pub(crate) dir: TempDir,
    pub(crate) server: Option<S3Server>,
}

impl Bench {
    pub(crate) async fn new(kind: Kind) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (sink, server) = match kind {
            Kind::Memory => (DalSink::memory(), None),
            Kind::Local => (
                open_target(&local(dir.path()), None, None).await.expect("opens"),
                None,
            ),
            Kind::S3 => {
                let server = server(dir.path()).await;
                let sink = open_target(&bucket(&server), Some(&credentials()), None)
                    .await
                    .expect("opens");
                (sink, Some(server))
            }
        };
        let folder = gleaner_sinks::layout::folder_name(Some("harbour"), "Harbour", CHANNEL);
        Self {
            sink,
            identity: ArchiveIdentity {
                source: SourceUid::new(),
                channel: CHANNEL,
                folder,
                kept: false,
            },
            dir,
            server,
        }
    }

    pub(crate) async fn open(&self) -> DalArchive {
        self.sink.open_archive(&self.identity).await.expect("opens")
    }

    /// The archive's folder, for targets that keep plain files.
    pub(crate) fn folder(&self) -> PathBuf {
        match &self.server {
            Some(_) => self
                .dir
                .path()
                .join(BUCKET)
                .join("archives")
                .join(&self.identity.folder),
            None => self.dir.path().join("out").join(&self.identity.folder),
        }
    }
}

pub(crate) async fn server(dir: &Path) -> S3Server {
    // The transport asks for a provider even where no TLS is spoken; a second test finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = S3Server::start(dir, ACCESS, SECRET)
        .await
        .expect("the server starts");
    server.create_bucket(BUCKET).expect("makes a bucket");
    server
}

pub(crate) fn local(dir: &Path) -> TargetSettings {
    TargetSettings::Local {
        path: dir.join("out"),
    }
}

pub(crate) fn bucket(server: &S3Server) -> TargetSettings {
    TargetSettings::S3 {
        bucket: BUCKET.to_owned(),
        endpoint: Some(server.endpoint()),
        region: None,
        prefix: "archives".to_owned(),
        allow_http: false,
    }
}

pub(crate) fn credentials() -> S3Credentials {
    S3Credentials {
        access_key_id: ACCESS.to_owned(),
        secret_access_key: SECRET.to_owned(),
        session_token: None,
    }
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect(text)
}

pub(crate) fn channel() -> Channel {
    serde_json::from_value(json!({"id": CHANNEL, "username": "harbour", "title": "Harbour"}))
        .expect("a channel")
}

pub(crate) fn record(id: u32) -> Record {
    let record = json!({
        "v": 1, "channel_id": CHANNEL, "id": id, "kind": "message", "date": "2026-03-01T10:00:00Z",
        "source": "preview", "observed_at": "2026-03-02T10:00:00Z", "content_hash": format!("{id:032x}"),
        "text": format!("message {id} \u{1f6a2} \"quoted\"\nsecond line"), "entities": [], "media": [], "views": id,
    });
    serde_json::from_value(record).expect("a record")
}

pub(crate) fn edited(id: u32, text: &str, observed_at: &str) -> Record {
    Record {
        text: text.to_owned(),
        edited: true,
        observed_at: at(observed_at),
        ..record(id)
    }
}

pub(crate) fn gone(id: u32, observed_at: &str) -> Revision {
    Revision::Gone(Gone {
        channel_id: CHANNEL,
        id: MessageId(id),
        observed_at: at(observed_at),
    })
}

pub(crate) fn sample(id: u32, views: u64, observed_at: &str) -> Sample {
    let observed_at = at(observed_at);
    let views = Some(views);
    Sample {
        channel_id: CHANNEL,
        id: MessageId(id),
        observed_at,
        views,
        views_rounded: false,
        reactions: vec![],
    }
}

pub(crate) fn messages(ids: impl IntoIterator<Item = u32>) -> Batch {
    Batch {
        records: ids.into_iter().map(record).collect(),
        ..Batch::default()
    }
}

/// Commits with a checkpoint that has seen what the batch holds.
pub(crate) async fn commit(archive: &mut DalArchive, batch: Batch) -> Result<(), gleaner_scrape::SinkError> {
    let mut checkpoint: Checkpoint = archive.checkpoint().clone();
    for record in &batch.records {
        checkpoint.seen.insert(record.id.0..=record.id.0);
    }
    archive.commit(batch, &channel(), &checkpoint).await
}

/// The ids of everything kept, as read.
pub(crate) async fn kept(archive: &DalArchive) -> Vec<u32> {
    let pieces: Vec<_> = archive
        .read_all()
        .await
        .expect("reads")
        .try_collect()
        .await
        .expect("reads");
    pieces
        .into_iter()
        .flat_map(|piece: Batch| piece.records)
        .map(|record| record.id.0)
        .collect()
}

pub(crate) fn facts(message: u32, name: &str) -> FileFacts {
    FileFacts {
        message: MessageId(message),
        index: 0,
        date: at("2026-03-01T10:00:00Z"),
        kind: MediaKind::Document,
        name: Some(name.to_owned()),
        extension: None,
        version: None,
    }
}

/// A body in pieces, as it comes over a line.
pub(crate) fn body(bytes: &[u8], announced: Option<u64>) -> FileBody {
    let pieces: Vec<_> = bytes
        .chunks(16 * 1024)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    FileBody {
        stream: stream::iter(pieces).boxed(),
        size: announced,
    }
}

/// A body that breaks after its first piece.
pub(crate) fn broken_body(first: Vec<u8>) -> FileBody {
    let broken = MediaError {
        detail: "the connection broke".to_owned(),
        retryable: true,
    };
    FileBody {
        stream: stream::iter([Ok(Bytes::from(first)), Err(broken)]).boxed(),
        size: None,
    }
}

/// Paths of all files below a folder, relative, sorted.
pub(crate) fn files_below(folder: &Path) -> Vec<String> {
    fn walk(base: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(base, &path, found);
            } else {
                found.push(
                    path.strip_prefix(base)
                        .expect("below")
                        .to_string_lossy()
                        .replace('\\', "/"),
                );
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}
