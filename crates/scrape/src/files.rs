//! Files of messages: fetched while pages are still being read, bounded, never fatal.
//!
//! A file that cannot be had leaves its reason in the record; one that may come later is
//! tried again by a later run. Only the target's own troubles end a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gleaner_domain::{Media, MediaStatus, Record};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::history::{FileRef, Item, MediaFetcher};
use crate::sink::{Archive, FileBody, FileFacts, Filed, SinkError, SinkErrorKind};

/// Tries of one file within one run: a stream that breaks midway is begun again.
const TRIES: u32 = 3;

/// What became of one file.
pub struct FileDone {
    /// The caller's number for the message.
    pub record: usize,
    /// Index into `record.media`.
    pub media: usize,
    /// Where it is now, or why not.
    pub result: Result<(Filed, Option<String>), FileFailure>,
}

/// Why a file is not there.
pub enum FileFailure {
    /// The source cannot give it.
    Source {
        /// For people.
        reason: String,
        /// Whether a later run may have more luck.
        retryable: bool,
    },
    /// The target cannot take it: the run ends.
    Target(SinkError),
}

/// Files under way for one batch.
pub struct Files {
    fetcher: Arc<dyn MediaFetcher>,
    turns: Arc<Semaphore>,
    cancel: CancellationToken,
    /// Bytes that may still be stored; counted as files end, not when a batch is closed.
    left: Option<Arc<AtomicU64>>,
    tasks: JoinSet<FileDone>,
}

impl Files {
    /// At most `most` files at once. Cancels itself once `left` bytes are stored; files under way then
    /// still end or stop.
    pub fn new(
        fetcher: Arc<dyn MediaFetcher>,
        most: usize,
        left: Option<u64>,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            fetcher,
            turns: Arc::new(Semaphore::new(most)),
            cancel,
            left: left.map(|bytes| Arc::new(AtomicU64::new(bytes))),
            tasks: JoinSet::new(),
        }
    }

    /// Starts fetching the files of a message into the archive; `record` is the caller's number for it.
    pub fn start(&mut self, archive: &Arc<dyn Archive>, record: usize, item: &Item) {
        for file in &item.files {
            let facts = facts_of(&item.record, file);
            let (fetcher, archive) = (Arc::clone(&self.fetcher), Arc::clone(archive));
            let (turns, cancel, file) = (Arc::clone(&self.turns), self.cancel.clone(), file.clone());
            let left = self.left.clone();
            self.tasks.spawn(async move {
                let stopped = || FileFailure::Source {
                    reason: "the run was stopped before the file was fetched".to_owned(),
                    retryable: true,
                };
                let result = tokio::select! {
                    () = cancel.cancelled() => Err(stopped()),
                    result = async {
                        let _turn = turns.acquire().await.map_err(|_| stopped())?;
                        fetch(&*fetcher, &*archive, &file, facts).await
                    } => result,
                };
                if let (Some(left), Ok((filed, _))) = (&left, &result) {
                    spend(left, filed.size, &cancel);
                }
                FileDone {
                    record,
                    media: file.media_index,
                    result,
                }
            });
        }
    }

    /// How many are under way.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// True when none is under way.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// The next one that is done; `None` when all are.
    pub async fn next(&mut self) -> Option<FileDone> {
        match self.tasks.join_next().await? {
            Ok(done) => Some(done),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // Only dropping the set aborts its tasks.
            Err(_) => None,
        }
    }
}

fn spend(left: &AtomicU64, bytes: u64, cancel: &CancellationToken) {
    let spent = |left: u64| Some(left.saturating_sub(bytes));
    // The closure always gives a value, so this never fails.
    let before = left
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, spent)
        .unwrap_or_default();
    if before <= bytes {
        cancel.cancel();
    }
}

/// Writes into a record what became of its file.
pub fn note(
    media: &mut Media,
    result: Result<(Filed, Option<String>), FileFailure>,
) -> Result<Noted, SinkError> {
    match result {
        Ok((filed, mime)) => {
            media.status = MediaStatus::Stored;
            media.reason = None;
            media.path = Some(filed.path);
            media.sha256 = Some(filed.sha256);
            media.size = Some(filed.size);
            media.size_rounded = false;
            media.mime = media.mime.take().or(mime);
            Ok(Noted::Stored(filed.size))
        }
        Err(FileFailure::Source { reason, retryable }) => {
            media.status = MediaStatus::Failed;
            media.reason = Some(reason);
            Ok(if retryable { Noted::TryAgain } else { Noted::Lost })
        }
        Err(FileFailure::Target(error)) => Err(error),
    }
}

/// What [`note`] wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// Bytes stored.
    Stored(u64),
    /// Not stored; worth another try.
    TryAgain,
    /// Not stored, and never will be.
    Lost,
}

async fn fetch(
    fetcher: &dyn MediaFetcher,
    archive: &dyn Archive,
    file: &FileRef,
    mut facts: FileFacts,
) -> Result<(Filed, Option<String>), FileFailure> {
    let mut tries = 0;
    loop {
        tries += 1;
        let body = fetcher.fetch(file).await.map_err(|e| FileFailure::Source {
            reason: e.detail,
            retryable: e.retryable,
        })?;
        if facts.extension.is_none() {
            facts.extension = body.mime.as_deref().and_then(extension_of).map(str::to_owned);
        }
        let mime = body.mime;
        match archive
            .store_file(
                &facts,
                FileBody {
                    stream: body.stream,
                    size: body.size,
                },
            )
            .await
        {
            Ok(filed) => return Ok((filed, mime)),
            Err(SinkError {
                kind: SinkErrorKind::Body { retryable: true },
                ..
            }) if tries < TRIES => {}
            Err(SinkError {
                kind: SinkErrorKind::Body { retryable },
                detail,
                ..
            }) => {
                return Err(FileFailure::Source {
                    reason: detail,
                    retryable,
                });
            }
            Err(error) => return Err(FileFailure::Target(error)),
        }
    }
}

fn facts_of(record: &Record, file: &FileRef) -> FileFacts {
    let media = &record.media[file.media_index];
    FileFacts {
        message: record.id,
        index: file.media_index,
        date: record.date,
        kind: media.kind,
        name: media.name.clone(),
        extension: file.extension.clone(),
    }
}

/// The usual extension of the types Telegram serves; anything else goes without.
fn extension_of(mime: &str) -> Option<&'static str> {
    Some(match mime.split(';').next().unwrap_or_default().trim() {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/webp" => "webp",
        "image/gif" => "gif",
        "video/mp4" => "mp4",
        "video/webm" => "webm",
        "audio/ogg" => "ogg",
        "audio/mpeg" => "mp3",
        "application/x-tgsticker" => "tgs",
        "application/pdf" => "pdf",
        _ => return None,
    })
}
