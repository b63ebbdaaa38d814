//! Merging small segments: which ones (pure), and how, without a moment of doubt for readers.
//!
//! The merged segments are written first, then the manifest is swapped, then the old ones
//! are deleted. A crash in between leaves files that the manifest does not name.

use std::ops::Range;

use futures::future::try_join_all;
use gleaner_scrape::SinkError;

use crate::error::failed_io;
use crate::layout::{Shelf, free_key, messages_key, stamp_of, stamped_key};
use crate::manifest::{Segment, Segments};
use crate::place::Place;
use crate::read::fetch;
use crate::segment::join;
use crate::swap::{Held, put_segment};

/// Segments below this many bytes are small.
const SMALL: u64 = 256 * 1024;

/// So many small ones are left alone.
const TOLERATED: usize = 64;

/// Most bytes of a merged segment before compression: enough that it is small no more, and little
/// enough that merging costs no memory worth speaking of.
const MOST_RAW: u64 = 4 * 1024 * 1024;

/// Members read at once.
const READS: usize = 4;

/// The runs of neighbours to be merged, ascending; none while the small ones are few.
pub(crate) fn plan(segments: &[Segment]) -> Vec<Range<usize>> {
    let small = |segment: &Segment| segment.bytes < SMALL;
    if segments.iter().filter(|segment| small(segment)).count() <= TOLERATED {
        return Vec::new();
    }
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut raw = 0;
    for (at, segment) in segments.iter().enumerate().filter(|(_, segment)| small(segment)) {
        match runs.last_mut() {
            Some(run) if run.end == at && raw + segment.raw <= MOST_RAW => {
                run.end = at + 1;
                raw += segment.raw;
            }
            _ => {
                runs.push(at..at + 1);
                raw = segment.raw;
            }
        }
    }
    runs.retain(|run| run.len() > 1);
    runs
}

/// Writes the merged segments and returns the manifest's new list; `None` when there is nothing to merge.
pub(crate) async fn merge(
    place: &Place,
    held: &Held,
    segments: &Segments,
) -> Result<Option<Segments>, SinkError> {
    let plans = Shelf::ALL.map(|shelf| (shelf, plan(segments.on(shelf))));
    if plans.iter().all(|(_, runs)| runs.is_empty()) {
        return Ok(None);
    }
    let mut next = segments.clone();
    for (shelf, runs) in plans {
        // From the back, so that the places of earlier runs stay what they are.
        for run in runs.into_iter().rev() {
            let merged = merge_run(place, held, shelf, &segments.on(shelf)[run.clone()], &next).await?;
            next.on_mut(shelf).splice(run, [merged]);
        }
    }
    // The widest of several nested segments may not have been the first.
    next.messages.sort_by_key(|segment| segment.first);
    Ok(Some(next))
}

async fn merge_run(
    place: &Place,
    held: &Held,
    shelf: Shelf,
    members: &[Segment],
    live: &Segments,
) -> Result<Segment, SinkError> {
    let mut bodies = Vec::with_capacity(members.len());
    for some in members.chunks(READS) {
        bodies.extend(try_join_all(some.iter().map(|member| fetch(place, member))).await?);
    }
    let by_id = shelf == Shelf::Messages;
    let joined = tokio::task::spawn_blocking(move || join(&bodies, by_id))
        .await
        .map_err(std::io::Error::other);
    let joined = joined.flatten().map_err(|cause| {
        failed_io(
            format_args!("merge segments of {} in {}", shelf.folder(), place.name()),
            cause,
        )
    })?;
    let key = match shelf {
        Shelf::Messages => messages_key(joined.first, joined.last),
        Shelf::Revisions | Shelf::Samples => {
            stamped_key(shelf, stamp_of(&members[0].path), joined.first, joined.last)
        }
    };
    // Never the name of a segment that still counts: its readers would see other bytes.
    let path = free_key(key, |key| live.names(key));
    put_segment(place, held, &path, joined.bytes.clone()).await?;
    Ok(Segment::new(path, &joined))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn segments(sizes: &[(u64, u64)]) -> Vec<Segment> {
        let segment = |(at, &(bytes, raw)): (usize, &(u64, u64))| {
            let (first, last) = (at as u32 * 10, at as u32 * 10 + 9);
            Segment {
                path: messages_key(first, last),
                first,
                last,
                count: 10,
                bytes,
                raw,
                sha256: String::new(),
            }
        };
        sizes.iter().enumerate().map(segment).collect()
    }

    const SMALL_ONE: (u64, u64) = (1_000, 5_000);
    const LARGE_ONE: (u64, u64) = (300_000, 2_000_000);

    #[test]
    fn sixty_four_small_segments_are_left_alone() {
        assert!(plan(&segments(&[SMALL_ONE; 64])).is_empty());
        assert!(plan(&segments(&[LARGE_ONE; 200])).is_empty());
    }

    #[test]
    fn the_sixty_fifth_merges_them_all() {
        assert_eq!(plan(&segments(&[SMALL_ONE; 65])), vec![0..65; 1]);
    }

    #[test]
    fn a_large_segment_is_a_border() {
        let mut sizes = vec![SMALL_ONE; 40];
        sizes.push(LARGE_ONE);
        sizes.extend([SMALL_ONE; 30]);
        sizes.push(LARGE_ONE);
        sizes.push(SMALL_ONE);
        assert_eq!(plan(&segments(&sizes)), [0..40, 41..71], "a run of one is no run");
    }

    #[rstest]
    #[case(256 * 1024, vec![0..16, 16..32, 32..48, 48..64, 64..66])]
    #[case(2 * 1024 * 1024, (0..33).map(|n| n * 2..n * 2 + 2).collect())]
    fn a_merged_segment_stays_below_four_mebibytes(#[case] raw: u64, #[case] runs: Vec<Range<usize>>) {
        assert_eq!(plan(&segments(&[(200_000, raw); 66])), runs);
    }
}
