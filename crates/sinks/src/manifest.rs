//! `manifest.json`: the truth about an archive. What it does not name does not count.

use gleaner_domain::{ChannelId, Checkpoint, SourceUid};
use gleaner_scrape::{SinkError, SinkErrorKind};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::layout::Shelf;
use crate::segment::Encoded;

/// The newest form this version reads and the one it writes.
pub const FORMAT: u32 = 1;

/// The manifest of one archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this form.
    pub format: u32,
    /// Who wrote it: `gleaner 0.1.0`.
    pub writer: String,
    /// The source it belongs to.
    pub source: SourceUid,
    /// The channel in it.
    pub channel: ChannelId,
    /// Drawn anew by each writer before it writes or deletes anything, so that an earlier one that is
    /// still under way can swap no more. Not a number: two that count up at once would look alike.
    #[serde(default)]
    pub epoch: Uuid,
    /// Sums over the segments, for people.
    pub totals: Totals,
    /// Every segment that counts.
    pub segments: Segments,
    /// How far the source has been scraped.
    pub checkpoint: Checkpoint,
}

/// Sums over the segments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Records.
    pub messages: u64,
    /// Lines of revisions.
    pub revisions: u64,
    /// Lines of samples.
    pub samples: u64,
    /// Bytes of all segments.
    pub bytes: u64,
}

/// Segments by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segments {
    /// By lowest id.
    pub messages: Vec<Segment>,
    /// In the order they were observed.
    pub revisions: Vec<Segment>,
    /// In the order they were observed.
    pub samples: Vec<Segment>,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Path inside the archive.
    pub path: String,
    /// Lowest message id in it.
    pub first: u32,
    /// Highest message id in it.
    pub last: u32,
    /// Lines.
    pub count: u64,
    /// Bytes as stored.
    pub bytes: u64,
    /// Bytes before compression.
    pub raw: u64,
    /// SHA-256 of the stored bytes, hex.
    pub sha256: String,
}

impl Segment {
    pub(crate) fn new(path: String, encoded: &Encoded) -> Self {
        Self {
            path,
            first: encoded.first,
            last: encoded.last,
            count: encoded.count,
            bytes: encoded.bytes.len() as u64,
            raw: encoded.raw,
            sha256: encoded.sha256.clone(),
        }
    }

    /// True when the id may be in it.
    pub fn spans(&self, id: u32) -> bool {
        (self.first..=self.last).contains(&id)
    }
}

impl Segments {
    /// The segments of one kind.
    pub fn on(&self, shelf: Shelf) -> &Vec<Segment> {
        match shelf {
            Shelf::Messages => &self.messages,
            Shelf::Revisions => &self.revisions,
            Shelf::Samples => &self.samples,
        }
    }

    pub(crate) fn on_mut(&mut self, shelf: Shelf) -> &mut Vec<Segment> {
        match shelf {
            Shelf::Messages => &mut self.messages,
            Shelf::Revisions => &mut self.revisions,
            Shelf::Samples => &mut self.samples,
        }
    }

    /// Adds a segment in its place: messages by id, the others at the end.
    pub(crate) fn add(&mut self, shelf: Shelf, segment: Segment) {
        let list = self.on_mut(shelf);
        let at = match shelf {
            Shelf::Messages => list.partition_point(|other| other.first < segment.first),
            Shelf::Revisions | Shelf::Samples => list.len(),
        };
        list.insert(at, segment);
    }

    /// True when a segment of this name counts.
    pub fn names(&self, path: &str) -> bool {
        self.iter().any(|segment| segment.path == path)
    }

    /// All segments.
    pub fn iter(&self) -> impl Iterator<Item = &Segment> {
        self.messages.iter().chain(&self.revisions).chain(&self.samples)
    }
}

impl Manifest {
    /// The manifest of an archive that holds nothing yet.
    pub fn empty(source: SourceUid, channel: ChannelId) -> Self {
        Self {
            format: FORMAT,
            writer: writer(),
            source,
            channel,
            epoch: Uuid::nil(),
            totals: Totals::default(),
            segments: Segments::default(),
            checkpoint: Checkpoint::default(),
        }
    }

    /// Reads what lies at `place`, which is only named in errors.
    pub fn parse(bytes: &[u8], place: &str) -> Result<Self, SinkError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
            #[serde(default)]
            writer: String,
        }
        let damaged = |detail: String, source: Option<serde_json::Error>| SinkError {
            kind: SinkErrorKind::Damaged,
            detail,
            source: source.map(Into::into),
        };
        let unreadable = |cause: serde_json::Error| {
            let detail = format!(
                "The manifest of the archive in {place} is broken ({cause}): restore manifest.json from a backup"
            );
            damaged(detail, Some(cause))
        };
        let head: Head = serde_json::from_slice(bytes).map_err(unreadable)?;
        if head.format > FORMAT {
            return Err(damaged(
                format!(
                    "The archive in {place} was written by a newer Gleaner ({}): update this one to go on",
                    head.writer
                ),
                None,
            ));
        }
        serde_json::from_slice(bytes).map_err(unreadable)
    }

    /// What is written: totals and writer brought up to date.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        let count = |list: &[Segment]| list.iter().map(|segment| segment.count).sum();
        self.format = FORMAT;
        self.writer = writer();
        self.totals = Totals {
            messages: count(&self.segments.messages),
            revisions: count(&self.segments.revisions),
            samples: count(&self.segments.samples),
            bytes: self.segments.iter().map(|segment| segment.bytes).sum(),
        };
        let mut bytes = serde_json::to_vec(self).expect("plain data always serialises");
        bytes.push(b'\n');
        bytes
    }
}

fn writer() -> String {
    format!("gleaner {}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(first: u32, last: u32) -> Segment {
        Segment {
            path: crate::layout::messages_key(first, last),
            first,
            last,
            count: 2,
            bytes: 10,
            raw: 30,
            sha256: String::new(),
        }
    }

    #[test]
    fn what_is_written_reads_back_with_its_totals() {
        let mut manifest = Manifest::empty(SourceUid::new(), ChannelId(5));
        for (first, last) in [(20, 29), (1, 9), (10, 19)] {
            manifest.segments.add(Shelf::Messages, segment(first, last));
        }
        let bytes = manifest.to_bytes();
        let back = Manifest::parse(&bytes, "here").expect("reads");
        assert_eq!(back, manifest);
        assert_eq!((back.totals.messages, back.totals.bytes), (6, 30));
        assert_eq!(
            back.segments.messages.iter().map(|s| s.first).collect::<Vec<_>>(),
            [1, 10, 20]
        );
    }

    #[test]
    fn a_newer_form_is_refused_and_says_what_to_do() {
        let text = br#"{"format": 2, "writer": "gleaner 9.0.0", "segments": "another shape"}"#;
        let error = Manifest::parse(text, "/out").expect_err("newer");
        assert_eq!(error.kind, SinkErrorKind::Damaged);
        assert!(
            error
                .detail
                .contains("written by a newer Gleaner (gleaner 9.0.0)"),
            "{error}"
        );
    }

    #[test]
    fn a_torn_manifest_is_damaged() {
        let bytes = Manifest::empty(SourceUid::new(), ChannelId(5)).to_bytes();
        let error = Manifest::parse(&bytes[..bytes.len() / 2], "/out").expect_err("torn");
        assert_eq!(error.kind, SinkErrorKind::Damaged);
    }
}
