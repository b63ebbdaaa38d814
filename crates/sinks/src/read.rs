//! Reading an archive: one segment at a time, so that memory stays flat.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use gleaner_domain::record::Revision;
use gleaner_domain::{MessageId, Record};
use gleaner_scrape::{Batch, SinkError, SinkErrorKind};
use serde::de::DeserializeOwned;

use crate::error::plain;
use crate::manifest::{Segment, Segments};
use crate::place::Place;
use crate::segment;

/// The bytes of a segment, held against the manifest.
pub(crate) async fn fetch(place: &Place, segment: &Segment) -> Result<Bytes, SinkError> {
    let stored = place.read(&segment.path).await?;
    let Some(stored) = stored else {
        return Err(damaged(place, segment, "it is missing"));
    };
    if segment::sha256(&stored.bytes) != segment.sha256 {
        return Err(damaged(
            place,
            segment,
            "its bytes are not the ones that were written",
        ));
    }
    Ok(stored.bytes)
}

/// The ids in a segment.
pub(crate) async fn ids(place: &Place, segment: &Segment) -> Result<BTreeSet<u32>, SinkError> {
    let bytes = fetch(place, segment).await?;
    let ids = segment::ids(&bytes).map_err(|cause| damaged(place, segment, &cause.to_string()))?;
    Ok(ids.into_iter().collect())
}

/// The records of these ids with their latest revision, ascending.
pub(crate) async fn latest(
    place: &Place,
    segments: &Segments,
    ids: &[MessageId],
) -> Result<Vec<Record>, SinkError> {
    let wanted: BTreeSet<u32> = ids.iter().map(|id| id.0).collect();
    let mut found = BTreeMap::new();
    for segment in segments
        .messages
        .iter()
        .filter(|segment| overlaps(segment, &wanted))
    {
        let records: Vec<Record> = decode(place, segment, &wanted).await?;
        found.extend(records.into_iter().map(|record| (record.id.0, record)));
    }
    revise(place, segments, &mut found).await?;
    Ok(found.into_values().collect())
}

/// Everything committed about these ids: records ascending, the rest in the order it was noticed.
pub(crate) async fn about(place: &Place, segments: &Segments, ids: &[MessageId]) -> Result<Batch, SinkError> {
    let wanted: BTreeSet<u32> = ids.iter().map(|id| id.0).collect();
    let mut records: Vec<Record> = lines(place, &segments.messages, &wanted).await?;
    // Ranges of segments may lie within each other.
    records.sort_by_key(|record| record.id);
    Ok(Batch {
        records,
        revisions: lines(place, &segments.revisions, &wanted).await?,
        samples: lines(place, &segments.samples, &wanted).await?,
    })
}

/// Everything, segment by segment: records, then revisions, then samples.
pub(crate) fn all<'a>(place: &'a Place, segments: &'a Segments) -> BoxStream<'a, Result<Batch, SinkError>> {
    let records = stream::iter(&segments.messages).then(async move |segment| {
        let records = whole(place, segment).await?;
        Ok(Batch {
            records,
            ..Batch::default()
        })
    });
    let revisions = stream::iter(&segments.revisions).then(async move |segment| {
        let revisions = whole(place, segment).await?;
        Ok(Batch {
            revisions,
            ..Batch::default()
        })
    });
    let samples = stream::iter(&segments.samples).then(async move |segment| {
        let samples = whole(place, segment).await?;
        Ok(Batch {
            samples,
            ..Batch::default()
        })
    });
    records.chain(revisions).chain(samples).boxed()
}

/// The lines about these ids in segments of one kind, in the segments' order.
async fn lines<T: DeserializeOwned + Send + 'static>(
    place: &Place,
    segments: &[Segment],
    wanted: &BTreeSet<u32>,
) -> Result<Vec<T>, SinkError> {
    let mut found = Vec::new();
    for segment in segments.iter().filter(|segment| overlaps(segment, wanted)) {
        found.extend(decode(place, segment, wanted).await?);
    }
    Ok(found)
}

async fn whole<T: DeserializeOwned + Send + 'static>(
    place: &Place,
    segment: &Segment,
) -> Result<Vec<T>, SinkError> {
    let bytes = fetch(place, segment).await?;
    off_thread(place, segment, bytes, |_| true).await
}

/// Replaces records by their latest revision.
async fn revise(
    place: &Place,
    segments: &Segments,
    records: &mut BTreeMap<u32, Record>,
) -> Result<(), SinkError> {
    let wanted: BTreeSet<u32> = records.keys().copied().collect();
    // In the order they were observed: a later one is the whole newer record.
    for segment in segments
        .revisions
        .iter()
        .filter(|segment| overlaps(segment, &wanted))
    {
        let revisions: Vec<Revision> = decode(place, segment, &wanted).await?;
        for revision in revisions {
            match revision {
                Revision::Edit(record) | Revision::Media(record) => {
                    records.insert(record.id.0, *record);
                }
                Revision::Gone(_) | Revision::Back(_) => {} // absence changes no record
            }
        }
    }
    Ok(())
}

fn overlaps(segment: &Segment, ids: &BTreeSet<u32>) -> bool {
    ids.range(segment.first..=segment.last).next().is_some()
}

async fn decode<T: DeserializeOwned + Send + 'static>(
    place: &Place,
    segment: &Segment,
    wanted: &BTreeSet<u32>,
) -> Result<Vec<T>, SinkError> {
    let bytes = fetch(place, segment).await?;
    let wanted: BTreeSet<u32> = wanted.range(segment.first..=segment.last).copied().collect();
    off_thread(place, segment, bytes, move |id| wanted.contains(&id)).await
}

async fn off_thread<T: DeserializeOwned + Send + 'static>(
    place: &Place,
    segment: &Segment,
    bytes: Bytes,
    wanted: impl Fn(u32) -> bool + Send + 'static,
) -> Result<Vec<T>, SinkError> {
    let decoded = tokio::task::spawn_blocking(move || segment::decode(&bytes, wanted)).await;
    let decoded = decoded.map_err(std::io::Error::other).flatten();
    decoded.map_err(|cause| damaged(place, segment, &cause.to_string()))
}

fn damaged(place: &Place, segment: &Segment, why: &str) -> SinkError {
    plain(
        SinkErrorKind::Damaged,
        format!(
            "{} in {} cannot be used: {why}. Restore it from a backup",
            segment.path,
            place.name()
        ),
    )
}
