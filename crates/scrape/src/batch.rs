//! What was read but is not durable yet.

use std::ops::RangeInclusive;

use gleaner_domain::record::{Gone, Revision, Sample};
use gleaner_domain::{IdRanges, MediaStatus, MessageId, Record};
use tokio::time::Instant;

use crate::engine::Limits;
use crate::history::Item;

/// The open batch of a run. A kill costs at most this and the pages in flight.
#[derive(Default)]
pub(crate) struct OpenBatch {
    /// New messages; files report to them by index.
    pub(crate) records: Vec<Record>,
    /// New versions of messages kept before, whose files may still be under way.
    pub(crate) edits: Vec<Record>,
    /// Messages kept before whose files are tried again, and whether that brought anything worth keeping.
    pub(crate) late: Vec<(Record, bool)>,
    pub(crate) gone: Vec<Gone>,
    pub(crate) back: Vec<Gone>,
    pub(crate) samples: Vec<Sample>,
    /// Ids answered for.
    pub(crate) answered: IdRanges,
    bytes: usize,
    opened: Option<Instant>,
}

/// Which list of a batch a file's message is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    New(usize),
    Edit(usize),
    Late(usize),
}

impl OpenBatch {
    pub(crate) fn answer(&mut self, range: RangeInclusive<u32>) {
        self.answered.insert(range);
        self.opened.get_or_insert_with(Instant::now);
    }

    pub(crate) fn push(&mut self, item: &Item) -> Place {
        self.bytes += weight(&item.record);
        self.opened.get_or_insert_with(Instant::now);
        self.records.push(item.record.clone());
        Place::New(self.records.len() - 1)
    }

    pub(crate) fn push_edit(&mut self, record: Record) -> Place {
        self.bytes += weight(&record);
        self.opened.get_or_insert_with(Instant::now);
        self.edits.push(record);
        Place::Edit(self.edits.len() - 1)
    }

    pub(crate) fn push_late(&mut self, record: Record, news: bool) -> Place {
        self.bytes += weight(&record);
        self.opened.get_or_insert_with(Instant::now);
        self.late.push((record, news));
        Place::Late(self.late.len() - 1)
    }

    pub(crate) fn record(&mut self, place: Place) -> &mut Record {
        match place {
            Place::New(at) => &mut self.records[at],
            Place::Edit(at) => &mut self.edits[at],
            Place::Late(at) => &mut self.late[at].0,
        }
    }

    /// What became of this message's files is worth a revision.
    pub(crate) fn is_news(&mut self, place: Place) {
        if let Place::Late(at) = place {
            self.late[at].1 = true;
        }
    }

    /// Says in the record of this message that its failed files are not tried any more.
    pub(crate) fn give_up(&mut self, id: MessageId, attempts: u8) {
        for (record, news) in &mut self.late {
            *news |= record.id == id;
        }
        let late = self.late.iter_mut().map(|(record, _)| record);
        let all = self.records.iter_mut().chain(&mut self.edits).chain(late);
        for record in all.filter(|record| record.id == id) {
            let failed = record
                .media
                .iter_mut()
                .filter(|m| m.status == MediaStatus::Failed);
            for media in failed {
                let reason = media.reason.take().unwrap_or_default();
                media.reason = Some(format!("{reason}; given up after {attempts} failures"));
            }
        }
    }

    /// When it must be closed for its age; `None` while nothing is in it.
    pub(crate) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        self.opened.map(|at| at + limits.batch_age)
    }

    pub(crate) fn is_full(&self, limits: &Limits) -> bool {
        let count = self.records.len() + self.edits.len() + self.late.len();
        count >= limits.batch_messages
            || self.bytes >= limits.batch_bytes
            || self.opened.is_some_and(|at| at.elapsed() >= limits.batch_age)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.opened.is_none() && self.gone.is_empty() && self.back.is_empty() && self.samples.is_empty()
    }

    /// As the sink takes it, ascending.
    pub(crate) fn close(mut self) -> (crate::Batch, IdRanges) {
        self.records.sort_by_key(|r| r.id);
        // A late file that failed again changed nothing.
        self.late.retain(|(_, news)| *news);
        let revisions = self
            .edits
            .into_iter()
            .map(|r| Revision::Edit(Box::new(r)))
            .chain(self.late.into_iter().map(|(r, _)| Revision::Media(Box::new(r))))
            .chain(self.gone.into_iter().map(Revision::Gone))
            .chain(self.back.into_iter().map(Revision::Back))
            .collect();
        (
            crate::Batch {
                records: self.records,
                revisions,
                samples: self.samples,
            },
            self.answered,
        )
    }
}

/// Roughly the bytes of a record's line.
fn weight(record: &Record) -> usize {
    400 + record.text.len() * 2 + record.entities.len() * 60 + record.media.len() * 300
}
