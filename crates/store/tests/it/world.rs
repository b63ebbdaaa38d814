//! Things the tests talk about.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Duration, Utc};
use gleaner_domain::{
    AccessLevel, Channel, ChannelId, Checkpoint, Clock, Record, RunCounts, RunOutcome, RunUid, Schedule,
    ScrapePolicy, Source, SourceId, SourceUid, Target, TargetSettings, TargetUid, Trigger,
};
use gleaner_scrape::Batch;
use gleaner_store::{NewRun, NewSource, Store, StoreError};
use serde_json::json;
use tempfile::TempDir;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect(text)
}

pub(crate) fn noon() -> DateTime<Utc> {
    at("2026-03-01T12:00:00Z")
}

/// A clock that stands still until it is told otherwise.
#[derive(Clone)]
pub(crate) struct HandClock(Arc<Mutex<DateTime<Utc>>>);

impl HandClock {
    pub(crate) fn new(now: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    pub(crate) fn turn(&self, by: Duration) {
        *self.0.lock().expect("unpoisoned") += by;
    }

    pub(crate) fn shared(&self) -> Arc<dyn Clock> {
        Arc::new(self.clone())
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("unpoisoned")
    }
}

/// A store in a folder of its own, with one LOCAL target.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) target: Target,
    pub(crate) path: PathBuf,
    _folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gleaner.db");
        let store = Store::open(&path).await.expect("a new file");
        let target = local("/archive");
        store.insert_target(&target).await.expect("a target");
        Self {
            store,
            target,
            path,
            _folder: folder,
        }
    }

    /// What another process would have.
    pub(crate) async fn again(&self) -> Store {
        Store::open(&self.path).await.expect("the same file")
    }

    pub(crate) fn new_source(&self, identifier: &str) -> NewSource {
        NewSource {
            uid: SourceUid::new(),
            name: identifier.trim_start_matches('@').to_owned(),
            identifier: identifier.parse().expect(identifier),
            channel_title: identifier.to_owned(),
            access_level: AccessLevel::Public,
            target: self.target.uid,
            session_ref: None,
            schedule: Schedule::default(),
            policy: ScrapePolicy::default(),
            paused_at: None,
            next_run_at: Some(noon()),
            channel_id: None,
            folder: None,
            created_at: noon(),
        }
    }

    pub(crate) async fn source(&self, identifier: &str) -> Source {
        self.store
            .insert_source(&self.new_source(identifier))
            .await
            .expect(identifier)
    }

    /// A source, its running run and the fence of its lease.
    pub(crate) async fn running(&self, identifier: &str) -> (Source, RunUid, i64) {
        let source = self.source(identifier).await;
        let run = self.start(&source, Trigger::Manual, noon()).await;
        let fence = self
            .store
            .take_lease(&lease_key(&source), "a test", noon())
            .await
            .expect("a lease");
        (source, run, fence)
    }

    pub(crate) async fn start(&self, source: &Source, trigger: Trigger, at: DateTime<Utc>) -> RunUid {
        let new = NewRun {
            uid: RunUid::new(),
            source_id: source.id,
            trigger,
            created_at: at,
        };
        self.store.insert_run(&new).await.expect("a run");
        self.store.start_run(new.uid, at).await.expect("started");
        new.uid
    }

    /// A run from queue to end.
    pub(crate) async fn ended(
        &self,
        source: &Source,
        trigger: Trigger,
        outcome: RunOutcome,
        counts: RunCounts,
        at: DateTime<Utc>,
    ) -> RunUid {
        let run = self.start(source, trigger, at).await;
        self.store
            .finish_run(run, &outcome, counts, at)
            .await
            .expect("ended");
        run
    }
}

pub(crate) fn lease_key(source: &Source) -> String {
    format!("source:{}", source.uid)
}

pub(crate) fn local(path: &str) -> Target {
    target(TargetSettings::Local { path: path.into() }, true)
}

pub(crate) fn target(settings: TargetSettings, is_default: bool) -> Target {
    Target {
        uid: TargetUid::new(),
        name: "a place".to_owned(),
        is_default,
        settings,
        created_at: noon(),
    }
}

pub(crate) fn channel() -> Channel {
    Channel {
        id: ChannelId(77),
        username: Some("news".to_owned()),
        title: "News".to_owned(),
        description: None,
        verified: true,
        subscribers: None,
        photos: None,
        videos: None,
        files: None,
        links: None,
    }
}

pub(crate) fn checkpoint(last: u32) -> Checkpoint {
    Checkpoint {
        seen: vec![(1, last)].into(),
        ..Checkpoint::default()
    }
}

/// A message of `date` with a text.
pub(crate) fn record(id: u32, date: DateTime<Utc>, text: &str) -> Record {
    let mut record: Record = serde_json::from_value(json!({
        "v": 1, "channel_id": 77, "id": id, "kind": "message", "date": date, "source": "preview",
        "observed_at": date, "content_hash": "", "text": text, "entities": [], "media": [],
        "views": 10, "link": format!("https://t.me/news/{id}"),
    }))
    .expect("a record");
    record.content_hash = record.compute_content_hash();
    record
}

pub(crate) fn file(
    kind: &str,
    status: &str,
    reason: Option<&str>,
    size: Option<u64>,
) -> gleaner_domain::Media {
    serde_json::from_value(json!({ "kind": kind, "status": status, "reason": reason, "size": size }))
        .expect("a file")
}

/// Puts records into the index as an archive tells them.
pub(crate) async fn put(store: &Store, source: SourceId, records: &[Record]) -> Result<(), StoreError> {
    let batch = Batch {
        records: records.to_vec(),
        ..Batch::default()
    };
    store.put_batch(source, &batch).await
}
