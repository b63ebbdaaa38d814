//! A channel as a table of ids, an archive and a ledger that remember everything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use gleaner_domain::record::{RECORD_VERSION, Revision, Sample};
use gleaner_domain::{
    Channel, ChannelId, Checkpoint, Clock, Code, Media, MediaKind, MessageId, Origin, Record, RecordKind,
    Retry, RunCounts, RunOutcome, ScrapePolicy,
};
use gleaner_scrape::{
    Archive, Batch, Commit, Engine, FileBody, FileFacts, FileRef, Filed, History, HistoryError, Item, Ledger,
    LedgerError, Limits, MediaBody, MediaError, MediaFetcher, NoteLevel, Opening, Page, SinkError,
    SinkErrorKind, Unread,
};
use tokio_util::sync::CancellationToken;

pub(crate) const CHANNEL: ChannelId = ChannelId(1_100_000_001);

pub(crate) fn noon() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().expect("a time")
}

/// What a post is, as far as the engine cares.
#[derive(Clone)]
pub(crate) struct Post {
    pub(crate) text: String,
    pub(crate) views: u64,
    pub(crate) file: bool,
    /// Which photo it is; an author may replace it.
    pub(crate) photo: u32,
    pub(crate) date: DateTime<Utc>,
}

/// A channel and everything that may happen to it.
pub(crate) struct World {
    pub(crate) posts: Mutex<BTreeMap<u32, Post>>,
    pub(crate) channel: Mutex<ChannelId>,
    /// Pages asked for.
    pub(crate) pages: AtomicU32,
    /// Pages being answered now, and the most there ever were.
    pub(crate) now: AtomicU32,
    pub(crate) most: AtomicU32,
    /// Page cursors that fail, once each.
    pub(crate) failing: Mutex<BTreeSet<u32>>,
    /// Ids whose post cannot be read.
    pub(crate) unreadable: Mutex<BTreeSet<u32>>,
    /// Ids whose file fails this often.
    pub(crate) bad_files: Mutex<BTreeMap<u32, u32>>,
    /// Set to stop the run when any file is asked for.
    pub(crate) cancel_at_file: Mutex<Option<CancellationToken>>,
    /// Files asked for.
    pub(crate) files_asked: AtomicU32,
    /// Set to stop the run when this page is asked for.
    pub(crate) cancel_at: Mutex<Option<(u32, CancellationToken)>>,
}

impl World {
    pub(crate) fn of(ids: impl IntoIterator<Item = u32>) -> Arc<Self> {
        let post = |id: u32| Post {
            text: format!("post {id}"),
            views: u64::from(id),
            file: id.is_multiple_of(10),
            photo: 0,
            date: noon() - Duration::days(400) + Duration::hours(i64::from(id)),
        };
        Arc::new(Self {
            posts: Mutex::new(ids.into_iter().map(|id| (id, post(id))).collect()),
            channel: Mutex::new(CHANNEL),
            pages: AtomicU32::new(0),
            now: AtomicU32::new(0),
            most: AtomicU32::new(0),
            failing: Mutex::default(),
            unreadable: Mutex::default(),
            bad_files: Mutex::default(),
            cancel_at_file: Mutex::default(),
            files_asked: AtomicU32::new(0),
            cancel_at: Mutex::default(),
        })
    }

    pub(crate) fn edit(&self, id: u32, change: impl FnOnce(&mut Post)) {
        change(self.posts.lock().unwrap().get_mut(&id).expect("a post"));
    }

    fn page(&self, before: u32) -> Page {
        let posts = self.posts.lock().unwrap();
        let shown: Vec<u32> = posts.range(..before).rev().take(20).map(|(id, _)| *id).collect();
        let more = shown
            .last()
            .is_some_and(|lowest| posts.range(..*lowest).next().is_some());
        let channel = *self.channel.lock().unwrap();
        let unreadable = self.unreadable.lock().unwrap();
        Page {
            unread: shown
                .iter()
                .filter(|id| unreadable.contains(id))
                .map(|id| Unread {
                    ids: *id..=*id,
                    reason: "it has no date".into(),
                })
                .collect(),
            items: shown
                .iter()
                .rev()
                .filter(|id| !unreadable.contains(id))
                .map(|id| item(channel, *id, &posts[id]))
                .collect(),
            covers_from: if more {
                *shown.last().expect("more means some")
            } else {
                1
            },
            bytes: 1_000,
            retries: 0,
        }
    }
}

fn item(channel: ChannelId, id: u32, post: &Post) -> Item {
    let media: Vec<Media> = post
        .file
        .then(|| Media {
            key: Some(format!("photo {id}.{}", post.photo)),
            ..Media::new(MediaKind::Photo)
        })
        .into_iter()
        .collect();
    let files = post
        .file
        .then(|| FileRef {
            media_index: 0,
            locator: format!("{id}.{}", post.photo),
            extension: Some("jpg".into()),
        })
        .into_iter()
        .collect();
    let mut record = Record {
        v: RECORD_VERSION,
        channel_id: channel,
        id: MessageId(id),
        kind: RecordKind::Message,
        date: post.date,
        source: Origin::Preview,
        observed_at: noon(),
        content_hash: String::new(),
        link: None,
        edited: false,
        edit_date: None,
        author: None,
        via_bot: None,
        text: post.text.clone(),
        entities: Vec::new(),
        media,
        album_id: None,
        grouped_id: None,
        reply_to: None,
        forward: None,
        views: Some(post.views),
        views_rounded: false,
        reactions: Vec::new(),
        poll: None,
        location: None,
        contact: None,
        link_preview: None,
        buttons: Vec::new(),
    };
    record.content_hash = record.compute_content_hash();
    Item { record, files }
}

pub(crate) struct Pages(pub(crate) Arc<World>);

#[async_trait]
impl History for Pages {
    async fn open(&self) -> Result<Opening, HistoryError> {
        let newest = self.0.posts.lock().unwrap().keys().last().map_or(1, |id| id + 1);
        Ok(Opening {
            channel: channel(),
            newest: self.0.page(newest),
        })
    }

    async fn page_before(&self, before: MessageId) -> Result<Page, HistoryError> {
        let world = &self.0;
        let now = world.now.fetch_add(1, Ordering::SeqCst) + 1;
        world.most.fetch_max(now, Ordering::SeqCst);
        world.pages.fetch_add(1, Ordering::SeqCst);
        // Let the others in, so that "at once" is seen.
        tokio::task::yield_now().await;
        world.now.fetch_sub(1, Ordering::SeqCst);
        if let Some((at, cancel)) = &*world.cancel_at.lock().unwrap()
            && before.0 <= *at
        {
            cancel.cancel();
        }
        if world.failing.lock().unwrap().remove(&before.0) {
            return Err(HistoryError {
                code: Code::Unreachable,
                detail: "the line went dead".into(),
                retry: Retry::Backoff,
            });
        }
        Ok(world.page(before.0))
    }
}

#[async_trait]
impl MediaFetcher for Pages {
    async fn fetch(&self, file: &FileRef) -> Result<MediaBody, MediaError> {
        let (id, photo) = file.locator.split_once('.').expect("an id and a photo");
        let id: u32 = id.parse().expect("an id");
        self.0.files_asked.fetch_add(1, Ordering::SeqCst);
        let cancel = self.0.cancel_at_file.lock().unwrap().clone();
        if let Some(cancel) = cancel {
            cancel.cancel();
            std::future::pending::<()>().await;
        }
        if let Some(left) = self.0.bad_files.lock().unwrap().get_mut(&id)
            && *left > 0
        {
            *left -= 1;
            return Err(MediaError {
                detail: "expired".into(),
                retryable: true,
            });
        }
        let body = Bytes::from(format!("file of {id} {photo}"));
        let size = Some(body.len() as u64);
        Ok(MediaBody {
            stream: stream::iter([Ok(body)]).boxed(),
            size,
            mime: Some("image/jpeg".into()),
        })
    }
}

pub(crate) fn channel() -> Channel {
    Channel {
        id: CHANNEL,
        username: Some("harbour".into()),
        title: "Harbour".into(),
        description: None,
        verified: false,
        subscribers: None,
        photos: None,
        videos: None,
        files: None,
        links: None,
    }
}

/// What is durable.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) records: BTreeMap<u32, Record>,
    pub(crate) revisions: Vec<Revision>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) commits: u32,
    pub(crate) doubled: u32,
    /// Fails the commit of this number.
    pub(crate) fail_commit: Option<u32>,
    pub(crate) free: Option<u64>,
}

pub(crate) struct Shelf {
    kept: Arc<Mutex<Kept>>,
    checkpoint: Checkpoint,
}

#[async_trait]
impl Archive for Shelf {
    fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    fn messages(&self) -> u64 {
        self.kept.lock().unwrap().records.len() as u64
    }

    async fn store_file(&self, facts: &FileFacts, mut body: FileBody) -> Result<Filed, SinkError> {
        let mut bytes = Vec::new();
        while let Some(chunk) = body.stream.next().await {
            let chunk = chunk.map_err(|broken| SinkError {
                kind: SinkErrorKind::Body {
                    retryable: broken.retryable,
                },
                detail: broken.detail,
                source: None,
            });
            bytes.extend_from_slice(&chunk?);
        }
        let version = facts.version.as_deref().unwrap_or_default();
        let path = format!("media/{}_{}{version}", facts.message, facts.index);
        let size = bytes.len() as u64;
        let mut kept = self.kept.lock().unwrap();
        kept.free = kept.free.map(|free| free - size);
        kept.files.insert(path.clone(), bytes);
        drop(kept);
        Ok(Filed {
            path,
            size,
            sha256: "0".repeat(64),
        })
    }

    async fn commit(&mut self, batch: Batch, _: &Channel, checkpoint: &Checkpoint) -> Result<(), SinkError> {
        let mut kept = self.kept.lock().unwrap();
        kept.commits += 1;
        if kept.fail_commit == Some(kept.commits) {
            return Err(SinkError {
                kind: SinkErrorKind::Unreachable,
                detail: "the share is gone".into(),
                source: None,
            });
        }
        let sorted = batch.records.windows(2).all(|w| w[0].id < w[1].id);
        assert!(sorted, "a batch is ascending");
        for record in batch.records {
            let again = kept.records.insert(record.id.0, record).is_some();
            kept.doubled += u32::from(again);
        }
        kept.revisions.extend(batch.revisions);
        kept.samples.extend(batch.samples);
        kept.checkpoint = checkpoint.clone();
        self.checkpoint = checkpoint.clone();
        Ok(())
    }

    async fn read_latest(&self, ids: &[MessageId]) -> Result<Vec<Record>, SinkError> {
        let kept = self.kept.lock().unwrap();
        let latest = |id: &MessageId| {
            let revised = kept.revisions.iter().rev().find_map(|revision| match revision {
                Revision::Edit(record) | Revision::Media(record) if record.id == *id => {
                    Some((**record).clone())
                }
                _ => None,
            });
            revised.or_else(|| kept.records.get(&id.0).cloned())
        };
        Ok(ids.iter().filter_map(latest).collect())
    }

    async fn read_all(&self) -> Result<BoxStream<'_, Result<Batch, SinkError>>, SinkError> {
        let ids: Vec<_> = self.kept.lock().unwrap().records.values().map(|r| r.id).collect();
        Ok(stream::iter([self.read_about(&ids).await]).boxed())
    }

    async fn read_about(&self, ids: &[MessageId]) -> Result<Batch, SinkError> {
        Ok(Batch {
            records: self.read_latest(ids).await?,
            ..Batch::default()
        })
    }

    async fn free_bytes(&self) -> Result<Option<u64>, SinkError> {
        Ok(self.kept.lock().unwrap().free)
    }
}

#[derive(Default)]
pub(crate) struct Book(Mutex<Vec<RunCounts>>, Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Ledger for Book {
    async fn commit(&self, commit: Commit<'_>) -> Result<(), LedgerError> {
        self.0.lock().unwrap().push(commit.counts);
        Ok(())
    }

    async fn file_bytes_today(&self) -> Result<u64, LedgerError> {
        Ok(0)
    }

    async fn note(&self, level: NoteLevel, text: String) -> Result<(), LedgerError> {
        if level == NoteLevel::Warning {
            self.1.lock().unwrap().push(text);
        }
        Ok(())
    }
}

/// A clock that stands still.
pub(crate) struct At(pub(crate) DateTime<Utc>);

impl Clock for At {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

/// A source of this world with its archive; each `run` is a process of its own.
pub(crate) struct Source {
    pub(crate) world: Arc<World>,
    pub(crate) kept: Arc<Mutex<Kept>>,
    pub(crate) policy: ScrapePolicy,
    pub(crate) limits: Limits,
    pub(crate) now: DateTime<Utc>,
    pub(crate) cancel: CancellationToken,
    /// What the logs of all runs warn of.
    pub(crate) warnings: Arc<Mutex<Vec<String>>>,
}

impl Source {
    pub(crate) fn of(world: Arc<World>) -> Self {
        Self {
            world,
            kept: Arc::default(),
            policy: ScrapePolicy::default(),
            limits: Limits::default(),
            now: noon(),
            cancel: CancellationToken::new(),
            warnings: Arc::default(),
        }
    }

    pub(crate) async fn run(&self) -> (RunOutcome, RunCounts) {
        let pages = Arc::new(Pages(Arc::clone(&self.world)));
        let opening = pages.open().await.expect("opens");
        let checkpoint = self.kept.lock().unwrap().checkpoint.clone();
        let archive = Box::new(Shelf {
            kept: Arc::clone(&self.kept),
            checkpoint,
        });
        let engine = Engine {
            history: pages.clone(),
            files: pages,
            ledger: Arc::new(Book(Mutex::default(), Arc::clone(&self.warnings))),
            clock: Arc::new(At(self.now)),
            listener: Arc::new(|_: &gleaner_scrape::Progress| {}),
            cancel: self.cancel.clone(),
            policy: self.policy.clone(),
            limits: self.limits.clone(),
        };
        engine.run(opening, archive).await
    }

    pub(crate) fn ids(&self) -> Vec<u32> {
        self.kept.lock().unwrap().records.keys().copied().collect()
    }
}
