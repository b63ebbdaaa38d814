//! The state of a run between two commits: the open batch, its files, the totals.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use gleaner_domain::{
    Channel, Checkpoint, HistoryStart, IdRanges, Media, MediaStatus, MessageId, Record, RunCounts,
    checkpoint::MediaRetry,
};
use tokio::time::Instant;

use crate::batch::{OpenBatch, Place};
use crate::engine::{Engine, Stop, newest_of};
use crate::files::{FileDone, Files, Noted, note};
use crate::history::Item;
use crate::ledger::{Commit, IndexChange, NoteLevel};
use crate::plan::{FILE_PAUSES, Plan};
use crate::progress::{Phase, Progress};
use crate::reader::Block;
use crate::recent::{compare, remember};
use crate::room::{Closed, Room, too_little};
use crate::sink::Archive;

/// A run's log names so many unreadable messages, no more.
const MOST_UNREAD_TOLD: u64 = 200;

/// Progress is told at most this often.
const TELL: Duration = Duration::from_millis(250);

pub(crate) struct RunState<'a> {
    engine: &'a Engine,
    channel: Channel,
    /// As it will be after the next commit, the open batch's ids aside.
    checkpoint: Checkpoint,
    /// Shared with the files under way; alone again whenever none is.
    archive: Arc<dyn Archive>,
    batch: OpenBatch,
    files: Files,
    /// Which message a file under way belongs to.
    places: Vec<Place>,
    counts: RunCounts,
    /// Told by the reader but not yet durable counts are told as progress, too.
    phase: Phase,
    ids_planned: u64,
    ids_done: u64,
    /// Messages of the open batch with files to be tried again, and whether any of them failed.
    again: BTreeMap<MessageId, bool>,
    told: Option<Instant>,
    /// Ids that the run's log says could not be read.
    unread: IdRanges,
}

impl<'a> RunState<'a> {
    pub(crate) fn new(
        engine: &'a Engine,
        channel: Channel,
        checkpoint: Checkpoint,
        archive: Box<dyn Archive>,
        plan: &Plan,
    ) -> Self {
        let archive: Arc<dyn Archive> = Arc::from(archive);
        let limits = &engine.limits;
        let room = Room::new(
            Arc::clone(&engine.clock),
            limits.budgets.clone(),
            limits.free_space_floor,
        );
        Self {
            files: Files::new(
                Arc::clone(&engine.files),
                limits.files_in_flight,
                room,
                engine.cancel.clone(),
            ),
            engine,
            channel,
            checkpoint,
            archive,
            batch: OpenBatch::default(),
            places: Vec::new(),
            counts: RunCounts::default(),
            phase: Phase::Opening,
            ids_planned: plan.ids(),
            ids_done: 0,
            again: BTreeMap::new(),
            told: None,
            unread: IdRanges::default(),
        }
    }

    /// Writes down what the plan found out already.
    pub(crate) fn begin(&mut self, plan: &Plan, newest: u32) {
        self.checkpoint.newest = newest_of(&self.checkpoint, newest);
        self.checkpoint.floor_of = self.engine.policy.history;
        self.checkpoint.floor = match self.engine.policy.history {
            HistoryStart::All => None,
            HistoryStart::Now => Some(MessageId(plan.floor)),
            HistoryStart::Since { .. } => (plan.floor > 1).then_some(MessageId(plan.floor)),
        };
    }

    pub(crate) fn phase(&mut self, phase: Phase) {
        self.phase = phase;
        self.tell(true);
    }

    pub(crate) fn counts(&self) -> RunCounts {
        self.counts
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.batch.deadline(&self.engine.limits)
    }

    /// New messages.
    pub(crate) async fn keep(&mut self, block: Block) -> Result<(), Stop> {
        self.count_pages(&block);
        self.tell_unread(&block).await?;
        let answered = block.answered();
        for item in block.items {
            if self.checkpoint.seen.contains(item.record.id.0) {
                continue;
            }
            self.refuse_other_channel(&item.record)?;
            let item = self.without_unwanted_files(item);
            let place = self.batch.push(&item);
            self.fetch_files(place, &item);
        }
        self.ids_done += u64::from(block.range.end() - block.range.start()) + 1;
        for range in answered.iter() {
            self.batch.answer(range);
        }
        self.settle().await
    }

    /// The recent window, looked at again.
    pub(crate) async fn compare(&mut self, block: Block) -> Result<(), Stop> {
        self.count_pages(&block);
        self.tell_unread(&block).await?;
        let answered = block.answered();
        if let Some(item) = block.items.first() {
            self.refuse_other_channel(&item.record)?;
        }
        let now = self.engine.clock.now();
        let found = compare(
            &mut self.checkpoint.recent,
            &answered,
            block.items,
            self.channel.id,
            now,
        );
        self.batch.gone.extend(found.gone);
        self.batch.back.extend(found.back);
        self.batch.samples.extend(found.samples);
        if !found.edited.is_empty() {
            let ids: Vec<MessageId> = found.edited.iter().map(|item| item.record.id).collect();
            let kept = self.kept(&ids).await?;
            for item in found.edited {
                let before = kept.get(&item.record.id);
                let item = self.without_unwanted_files(with_kept_files(item, before));
                // Its files begin anew; what failed of the older version is nobody's wish any more.
                self.checkpoint.media_retry.retain(|r| r.id != item.record.id);
                let place = self.batch.push_edit(item.record.clone());
                self.fetch_files(place, &item);
            }
        }
        self.ids_done += u64::from(block.range.end() - block.range.start()) + 1;
        self.settle().await
    }

    pub(crate) fn recent_was_read(&mut self) {
        self.checkpoint.recent_read_at = Some(self.engine.clock.now());
    }

    /// Messages kept before whose files failed.
    pub(crate) async fn retry_files(&mut self, block: Block) -> Result<(), Stop> {
        self.count_pages(&block);
        self.tell_unread(&block).await?;
        let id = MessageId(*block.range.start());
        if !block.answered().contains(id.0) {
            return Ok(());
        }
        let Some(item) = block.items.into_iter().find(|item| item.record.id == id) else {
            // Gone with its file: nothing left to try.
            self.checkpoint.media_retry.retain(|r| r.id != id);
            return Ok(());
        };
        if self.batch.edits.iter().any(|edit| edit.id == id) {
            return Ok(()); // its files are under way with the edit
        }
        let Some(kept) = self.kept(&[id]).await?.remove(&id) else {
            self.checkpoint.media_retry.retain(|r| r.id != id);
            return Ok(());
        };
        let item = with_kept_files(item, Some(&kept));
        let has_no_more = item.files.is_empty() && item.record.media != kept.media;
        // Only the files are late; the text stays as it was kept, edits are the window's business.
        let item = Item {
            record: Record {
                media: item.record.media,
                // Readers take the latest of all versions: this one is it.
                observed_at: self.engine.clock.now(),
                ..kept
            },
            files: item.files,
        };
        let place = self.batch.push_late(item.record.clone(), has_no_more);
        self.fetch_files(place, &item);
        self.settle().await
    }

    pub(crate) fn floor_found(&mut self, lowest: u32) {
        self.checkpoint.floor = Some(MessageId(lowest));
    }

    /// Makes everything read so far durable. `last` writes the checkpoint even if nothing new came.
    pub(crate) async fn commit(&mut self, last: bool) -> Result<(), Stop> {
        while let Some(done) = self.files.next().await {
            self.file_done(done)?;
            self.tell(false);
        }
        if self.batch.is_empty() && !last {
            return Ok(());
        }
        self.refuse_full_target().await?;
        self.remember_files_to_try();
        let (batch, answered) = std::mem::take(&mut self.batch).close();
        self.places.clear();
        for range in answered.iter() {
            self.checkpoint.seen.insert(range);
        }
        let window = usize::from(self.engine.policy.recent_window);
        for record in &batch.records {
            remember(&mut self.checkpoint.recent, record, window);
        }
        if last && self.checkpoint.recent_read_at.is_none() {
            self.recent_was_read();
        }
        self.count(&batch);
        let kept = batch.clone();
        // A run without news leaves the target alone.
        if !batch.is_empty() || self.checkpoint != *self.archive.checkpoint() {
            Arc::get_mut(&mut self.archive)
                .expect("no file is under way, so nobody else holds the archive")
                .commit(batch, &self.channel, &self.checkpoint)
                .await?;
        }
        let changes = IndexChange::of(&kept);
        let commit = Commit {
            channel: &self.channel,
            checkpoint: &self.checkpoint,
            counts: self.counts,
            changes,
        };
        self.engine.ledger.commit(commit).await?;
        self.tell(true);
        match self.files.why_closed() {
            Some(_) if self.engine.cancel.is_cancelled() => Ok(()),
            Some(Closed::DailyCap) => Err(Stop::DailyCap),
            Some(Closed::Full(text)) => Err(Stop::Full(text.clone())),
            None => Ok(()),
        }
    }

    /// Takes what files are done without waiting, and closes the batch when it is due.
    async fn settle(&mut self) -> Result<(), Stop> {
        self.tell(false);
        if self.batch.is_full(&self.engine.limits) || self.files.why_closed().is_some() {
            self.commit(false).await?;
        }
        Ok(())
    }

    async fn kept(&self, ids: &[MessageId]) -> Result<HashMap<MessageId, Record>, Stop> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        let records = self.archive.read_latest(&ids).await?;
        Ok(records.into_iter().map(|r| (r.id, r)).collect())
    }

    fn fetch_files(&mut self, place: Place, item: &Item) {
        if item.files.is_empty() {
            return;
        }
        self.places.push(place);
        let kept_before = !matches!(place, Place::New(_));
        self.files
            .start(&self.archive, self.places.len() - 1, item, kept_before);
    }

    fn file_done(&mut self, done: FileDone) -> Result<(), Stop> {
        let place = self.places[done.record];
        let record = self.batch.record(place);
        let id = record.id;
        let noted = note(&mut record.media[done.media], done.result)?;
        match noted {
            Noted::Stored(bytes) => {
                self.counts.files += 1;
                self.counts.file_bytes += bytes;
                self.batch.is_news(place);
            }
            Noted::TryAgain => {
                self.counts.files_failed += 1;
                self.again.insert(id, true);
            }
            Noted::Waits => {
                self.again.entry(id).or_insert(false);
            }
            Noted::Unwanted => self.batch.is_news(place),
            Noted::Lost => {
                self.counts.files_failed += 1;
                self.batch.is_news(place);
            }
        }
        Ok(())
    }

    /// Which messages of the batch have files to be tried again, and when. Only failures count: a run that
    /// was stopped has tried nothing. What failed too often is given up, and its record says so.
    fn remember_files_to_try(&mut self) {
        let again = std::mem::take(&mut self.again);
        let list = &mut self.checkpoint.media_retry;
        let late: Vec<MessageId> = self.batch.late.iter().map(|(record, _)| record.id).collect();
        list.retain(|r| again.contains_key(&r.id) || !late.contains(&r.id));
        let now = self.engine.clock.now();
        for (id, failed) in again {
            let at = list.binary_search_by_key(&id, |r| r.id).unwrap_or_else(|at| {
                let (attempts, next_at) = (0, None);
                list.insert(
                    at,
                    MediaRetry {
                        id,
                        attempts,
                        next_at,
                    },
                );
                at
            });
            if !failed {
                continue;
            }
            let entry = &mut list[at];
            if let Some(pause) = FILE_PAUSES.get(usize::from(entry.attempts)) {
                entry.attempts += 1;
                entry.next_at = Some(now + *pause);
            } else {
                let attempts = list.remove(at).attempts.saturating_add(1);
                self.batch.give_up(id, attempts);
            }
        }
    }

    fn without_unwanted_files(&self, mut item: Item) -> Item {
        if self.engine.policy.media {
            return item;
        }
        for file in item.files.drain(..) {
            let media = &mut item.record.media[file.media_index];
            media.status = MediaStatus::Skipped;
            media.reason = Some("files are switched off for this source".to_owned());
        }
        item
    }

    /// Says once a run which messages could not be read and why. They stay unanswered, so that
    /// the next run asks again.
    async fn tell_unread(&mut self, block: &Block) -> Result<(), Stop> {
        for part in &block.unread {
            let (first, last) = (*part.ids.start(), *part.ids.end());
            if self.unread.contains(first) || self.unread.len() >= MOST_UNREAD_TOLD {
                continue;
            }
            self.unread.insert(part.ids.clone());
            let which = if first == last {
                format!("Message {first}")
            } else {
                format!("Messages {first} to {last}")
            };
            let text = format!(
                "{which} cannot be read ({}); the next run asks again",
                part.reason
            );
            self.engine.ledger.note(NoteLevel::Warning, text).await?;
        }
        Ok(())
    }

    fn count_pages(&mut self, block: &Block) {
        self.counts.pages += u64::from(block.pages);
        self.counts.page_bytes += block.bytes;
        self.counts.retries += u64::from(block.retries);
    }

    fn count(&mut self, batch: &crate::Batch) {
        use gleaner_domain::record::Revision;
        self.counts.messages += batch.records.len() as u64;
        self.counts.samples += batch.samples.len() as u64;
        for revision in &batch.revisions {
            match revision {
                Revision::Edit(_) => self.counts.edited += 1,
                Revision::Gone(_) => self.counts.gone += 1,
                Revision::Media(_) | Revision::Back(_) => {}
            }
        }
        let left_out = |m: &&Media| matches!(m.status, MediaStatus::Skipped | MediaStatus::NotInPreview);
        let skipped = batch
            .records
            .iter()
            .flat_map(|r| &r.media)
            .filter(left_out)
            .count();
        self.counts.files_skipped += skipped as u64;
    }

    fn refuse_other_channel(&self, record: &Record) -> Result<(), Stop> {
        if record.channel_id == self.channel.id {
            return Ok(());
        }
        Err(Stop::Replaced(format!(
            "The name now belongs to another channel ({})",
            record.channel_id
        )))
    }

    /// Stops before anything is written where less than the floor is free.
    pub(crate) async fn refuse_full_target(&self) -> Result<(), Stop> {
        let floor = self.engine.limits.free_space_floor;
        match self.archive.free_bytes().await? {
            Some(free) if free < floor => Err(Stop::Full(too_little(free, floor, 0))),
            _ => Ok(()),
        }
    }

    fn tell(&mut self, always: bool) {
        let now = Instant::now();
        if !always && self.told.is_some_and(|at| now - at < TELL) {
            return;
        }
        self.told = Some(now);
        let mut counts = self.counts;
        counts.messages += self.batch.records.len() as u64;
        self.engine.listener.progress(&Progress {
            phase: self.phase,
            counts,
            ids_left: self.ids_planned.saturating_sub(self.ids_done),
            ids_planned: self.ids_planned,
            files_in_flight: self.files.len() as u32,
        });
    }
}

/// Files that are kept already need not be fetched again, however new the message's text is.
fn with_kept_files(mut item: Item, kept: Option<&Record>) -> Item {
    let Some(kept) = kept else { return item };
    let Item { record, files } = &mut item;
    // Each stored file stands for one, its own place first: without keys two photos look alike.
    let mut used = vec![false; kept.media.len()];
    files.retain(|file| {
        let new = &mut record.media[file.media_index];
        let same =
            |old: &Media| old.status == MediaStatus::Stored && old.kind == new.kind && old.key == new.key;
        let old = kept
            .media
            .iter()
            .enumerate()
            .filter(|(at, old)| !used[*at] && same(old))
            .min_by_key(|(at, _)| *at != file.media_index);
        let Some((at, old)) = old else { return true };
        used[at] = true;
        *new = old.clone();
        false
    });
    item
}
