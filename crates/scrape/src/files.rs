//! Files of messages: fetched while pages are still being read, bounded, never fatal.
//!
//! A file that cannot be had leaves its reason in the record; one that may come later is
//! tried again by a later run. Only the target's own troubles end a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use gleaner_domain::{Media, MediaStatus, Record};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::history::{FileRef, Item, MediaError, MediaFetcher};
use crate::room::{Closed, Room, stopped};
use crate::sink::{Archive, FileBody, FileFacts, Filed, SinkError, SinkErrorKind};

/// Tries of one file within one run: a stream that breaks midway is begun again.
const TRIES: u32 = 3;

/// A file must have come at this many bytes a second on average, once `HEAD_START` is over. A batch is
/// open until its files are done, so one that drips must end; the files of four runs at once, six each,
/// still fit a line of 1 Mbit/s.
const SLOWEST: u64 = 4 * 1024;

/// Time a file has before its pace counts.
const HEAD_START: Duration = Duration::from_mins(1);

/// What became of one file.
pub(crate) struct FileDone {
    /// The caller's number for the message.
    pub(crate) record: usize,
    /// Index into `record.media`.
    pub(crate) media: usize,
    /// Where it is now, or why not.
    pub(crate) result: Result<(Filed, Option<String>), FileFailure>,
}

/// Why a file is not there.
pub(crate) enum FileFailure {
    /// The source cannot give it.
    Source {
        /// For people.
        reason: String,
        /// Whether a later run may have more luck.
        retryable: bool,
    },
    /// The run stopped before it was tried, or while it came.
    Stopped {
        /// For people.
        reason: String,
    },
    /// The source's settings leave it out.
    Unwanted {
        /// For people.
        reason: String,
    },
    /// The target cannot take it: the run ends.
    Target(SinkError),
}

/// Files under way for one batch.
pub(crate) struct Files {
    fetcher: Arc<dyn MediaFetcher>,
    turns: Arc<Semaphore>,
    cancel: CancellationToken,
    room: Arc<Room>,
    tasks: JoinSet<FileDone>,
}

impl Files {
    /// At most `most` files at once. Once the room is closed no more begin; those under way still end.
    pub(crate) fn new(
        fetcher: Arc<dyn MediaFetcher>,
        most: usize,
        room: Arc<Room>,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            fetcher,
            turns: Arc::new(Semaphore::new(most)),
            cancel,
            room,
            tasks: JoinSet::new(),
        }
    }

    /// Starts fetching the files of a message into the archive; `record` is the caller's number for it.
    /// A message that was `kept_before` gets them under names of their own.
    pub(crate) fn start(
        &mut self,
        archive: &Arc<dyn Archive>,
        record: usize,
        item: &Item,
        kept_before: bool,
    ) {
        for file in &item.files {
            let facts = facts_of(&item.record, file, kept_before);
            let (fetcher, archive) = (Arc::clone(&self.fetcher), Arc::clone(archive));
            let (turns, cancel, file) = (Arc::clone(&self.turns), self.cancel.clone(), file.clone());
            let room = Arc::clone(&self.room);
            self.tasks.spawn(async move {
                let work = async {
                    let _turn = tokio::select! {
                        biased;
                        () = room.closed() => return Err(stopped()),
                        turn = turns.acquire() => turn.map_err(|_| stopped())?,
                    };
                    fetch(&*fetcher, &*archive, &room, &file, facts).await
                };
                let result = tokio::select! {
                    biased;
                    () = cancel.cancelled() => Err(stopped()),
                    result = work => result,
                };
                FileDone {
                    record,
                    media: file.media_index,
                    result,
                }
            });
        }
    }

    /// How many are under way.
    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Why no more files are fetched, once that is so.
    pub(crate) fn why_closed(&self) -> Option<&Closed> {
        self.room.why_closed()
    }

    /// The next one that is done; `None` when all are.
    pub(crate) async fn next(&mut self) -> Option<FileDone> {
        match self.tasks.join_next().await? {
            Ok(done) => Some(done),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // Only dropping the set aborts its tasks.
            Err(_) => None,
        }
    }
}

/// Writes into a record what became of its file.
pub(crate) fn note(
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
        Err(FileFailure::Stopped { reason }) => {
            media.status = MediaStatus::Pending;
            media.reason = Some(reason);
            Ok(Noted::Waits)
        }
        Err(FileFailure::Unwanted { reason }) => {
            media.status = MediaStatus::Skipped;
            media.reason = Some(reason);
            Ok(Noted::Unwanted)
        }
        Err(FileFailure::Target(error)) => Err(error),
    }
}

/// What [`note`] wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted {
    /// Bytes stored.
    Stored(u64),
    /// Not stored; worth another try.
    TryAgain,
    /// Not tried yet.
    Waits,
    /// Left out by the source's settings.
    Unwanted,
    /// Not stored, and never will be.
    Lost,
}

async fn fetch(
    fetcher: &dyn MediaFetcher,
    archive: &dyn Archive,
    room: &Arc<Room>,
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
        let taken = room.take(archive, body.size).await?;
        let dripped = Arc::new(AtomicBool::new(false));
        let paced = FileBody {
            stream: at_a_pace(body.stream, HEAD_START, Arc::clone(&dripped)),
            size: body.size,
        };
        match archive.store_file(&facts, paced).await {
            Ok(filed) => {
                taken.stored(filed.size);
                return Ok((filed, body.mime));
            }
            Err(SinkError {
                kind: SinkErrorKind::Body { retryable: true },
                ..
            }) if tries < TRIES && !dripped.load(Ordering::SeqCst) => {}
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

/// The same bytes, ended with an error once they come slower than [`SLOWEST`]; `dripped` tells.
fn at_a_pace(
    body: BoxStream<'static, Result<Bytes, MediaError>>,
    head_start: Duration,
    dripped: Arc<AtomicBool>,
) -> BoxStream<'static, Result<Bytes, MediaError>> {
    let begun = Instant::now();
    let pieces = stream::unfold((body, 0_u64), move |(mut body, mut came)| {
        let dripped = Arc::clone(&dripped);
        async move {
            let due = begun + head_start + Duration::from_millis(came * 1_000 / SLOWEST);
            let piece = if let Ok(piece) = tokio::time::timeout_at(due, body.next()).await {
                piece?
            } else {
                dripped.store(true, Ordering::SeqCst);
                Err(MediaError {
                    detail: "the file came too slowly".to_owned(),
                    retryable: true,
                })
            };
            came += piece.as_ref().map_or(0, |piece| piece.len() as u64);
            if piece.is_err() {
                body = stream::empty().boxed();
            }
            Some((piece, (body, came)))
        }
    });
    pieces.boxed()
}

fn facts_of(record: &Record, file: &FileRef, kept_before: bool) -> FileFacts {
    let media = &record.media[file.media_index];
    let version = kept_before.then(|| media.key.clone().unwrap_or_else(|| record.content_hash.clone()));
    FileFacts {
        message: record.id,
        index: file.media_index,
        date: record.date,
        kind: media.kind,
        name: media.name.clone(),
        extension: file.extension.clone(),
        version,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes came of a file that sends so many and then nothing, and whether it dripped.
    async fn came(bytes: usize, then: BoxStream<'static, Result<Bytes, MediaError>>) -> (usize, bool) {
        let dripped = Arc::new(AtomicBool::new(false));
        let first = stream::iter([Ok(Bytes::from(vec![0; bytes]))]);
        let head_start = Duration::from_millis(20);
        let pieces = at_a_pace(first.chain(then).boxed(), head_start, Arc::clone(&dripped));
        let pieces: Vec<_> = pieces.collect().await;
        let failed = pieces.iter().any(Result::is_err);
        assert_eq!(failed, dripped.load(Ordering::SeqCst));
        (pieces.iter().flatten().map(Bytes::len).sum(), failed)
    }

    #[tokio::test]
    async fn a_file_that_drips_ends_and_one_that_came_in_time_is_whole() {
        assert_eq!(came(1_000, stream::pending().boxed()).await, (1_000, true));
        assert_eq!(came(1_000, stream::empty().boxed()).await, (1_000, false));
    }
}
