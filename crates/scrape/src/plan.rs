//! What a run sets out to read: pure, printable, tested as a table.

use std::ops::RangeInclusive;

use chrono::{DateTime, Duration, Utc};
use gleaner_domain::{Checkpoint, HistoryStart, IdRanges, MessageId, ScrapePolicy};

/// The recent window is read again at most this often.
pub const RECENT_INTERVAL: Duration = Duration::hours(1);
/// Pauses after the first, second … failure of a message's files; after one more it is given up.
/// Over four days, so that neither an hour's nor a weekend's trouble of a server loses a file.
pub const FILE_PAUSES: [Duration; 4] = [
    Duration::hours(1),
    Duration::hours(6),
    Duration::days(1),
    Duration::days(3),
];
/// Files that failed and are tried again in one run.
const RETRIES_A_RUN: usize = 200;

/// What to read, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// New ids, ascending.
    pub forward: Vec<RangeInclusive<u32>>,
    /// Ids kept already that are looked at again.
    pub recent: Option<RangeInclusive<u32>>,
    /// Messages whose files are tried again, ascending.
    pub retry: Vec<MessageId>,
    /// History not asked about yet, to be read downwards, highest range first.
    pub backfill: Vec<RangeInclusive<u32>>,
    /// The lowest id worth asking for.
    pub floor: u32,
}

impl Plan {
    /// Ids this plan asks about.
    pub fn ids(&self) -> u64 {
        let len = |r: &RangeInclusive<u32>| u64::from(r.end() - r.start()) + 1;
        self.forward
            .iter()
            .chain(&self.backfill)
            .chain(&self.recent)
            .map(len)
            .sum()
    }
}

/// Plans a run of a channel whose highest id is `newest` (0: no posts at all).
pub fn plan(checkpoint: &Checkpoint, newest: u32, policy: &ScrapePolicy, now: DateTime<Utc>) -> Plan {
    let known = checkpoint.newest.map(|id| id.0);
    let kept_floor = checkpoint
        .floor
        .filter(|_| checkpoint.floor_of == policy.history)
        .map(|id| id.0);
    let floor = match (policy.history, kept_floor, known) {
        (HistoryStart::Now | HistoryStart::Since { .. }, Some(floor), _) => floor,
        // "From now on" begins above what was there when the source was first looked at.
        (HistoryStart::Now, None, Some(known)) => known + 1,
        (HistoryStart::Now, None, None) => newest + 1,
        // For a day, not known yet: history is read downwards until the day is reached.
        (HistoryStart::All, _, _) | (HistoryStart::Since { .. }, None, _) => 1,
    };
    let split = known.unwrap_or(newest).min(newest);
    let ranges = |set: IdRanges| set.iter().collect::<Vec<_>>();
    let forward = if split < newest {
        ranges(checkpoint.seen.missing(floor.max(split + 1)..=newest))
    } else {
        Vec::new()
    };
    let mut backfill = if floor <= split {
        ranges(checkpoint.seen.missing(floor..=split))
    } else {
        Vec::new()
    };
    backfill.reverse();
    Plan {
        forward,
        recent: recent(checkpoint, policy, now),
        retry: checkpoint
            .media_retry
            .iter()
            .filter(|r| policy.media && r.next_at.is_none_or(|at| at <= now))
            .map(|r| r.id)
            .take(RETRIES_A_RUN)
            .collect(),
        backfill,
        floor,
    }
}

fn recent(checkpoint: &Checkpoint, policy: &ScrapePolicy, now: DateTime<Utc>) -> Option<RangeInclusive<u32>> {
    let due = checkpoint
        .recent_read_at
        .is_none_or(|at| now - at >= RECENT_INTERVAL);
    let newest = checkpoint.recent.last()?.id.0;
    if !due || policy.recent_window == 0 {
        return None;
    }
    let lowest = newest.saturating_sub(u32::from(policy.recent_window) - 1).max(1);
    let first = checkpoint
        .recent
        .iter()
        .map(|r| r.id.0)
        .find(|id| *id >= lowest)?;
    Some(first..=newest)
}

#[cfg(test)]
mod tests {
    use gleaner_domain::Recent;
    use rstest::rstest;

    use super::*;

    fn at(hour: u32) -> DateTime<Utc> {
        format!("2026-01-01T{hour:02}:00:00Z").parse().expect("a time")
    }

    fn seen(ranges: &[(u32, u32)], newest: u32) -> Checkpoint {
        Checkpoint {
            seen: IdRanges::from(ranges.to_vec()),
            newest: (newest > 0).then_some(MessageId(newest)),
            ..Checkpoint::default()
        }
    }

    #[rstest]
    #[case::first_run(&[], 0, 100, &[], &[(1, 100)])]
    #[case::nothing_new(&[(1, 100)], 100, 100, &[], &[])]
    #[case::new_posts(&[(1, 100)], 100, 130, &[(101, 130)], &[])]
    #[case::new_posts_and_a_hole(&[(1, 20), (40, 100)], 100, 130, &[(101, 130)], &[(21, 39)])]
    #[case::killed_in_the_middle_of_history(&[(61, 100)], 100, 100, &[], &[(1, 60)])]
    #[case::two_holes_are_filled_from_the_top(&[(10, 20), (40, 100)], 100, 100, &[], &[(21, 39), (1, 9)])]
    #[case::the_newest_posts_were_deleted(&[(1, 100)], 100, 90, &[], &[])]
    #[case::an_empty_channel(&[], 0, 0, &[], &[])]
    fn reads_what_is_new_and_fills_what_is_missing(
        #[case] ranges: &[(u32, u32)],
        #[case] known: u32,
        #[case] newest: u32,
        #[case] forward: &[(u32, u32)],
        #[case] backfill: &[(u32, u32)],
    ) {
        let plan = plan(&seen(ranges, known), newest, &ScrapePolicy::default(), at(0));
        let pairs = |ranges: &[RangeInclusive<u32>]| {
            ranges.iter().map(|r| (*r.start(), *r.end())).collect::<Vec<_>>()
        };
        assert_eq!(pairs(&plan.forward), forward);
        assert_eq!(pairs(&plan.backfill), backfill);
    }

    #[test]
    fn from_now_on_reads_nothing_of_the_past() {
        let policy = ScrapePolicy {
            history: HistoryStart::Now,
            ..ScrapePolicy::default()
        };
        let first = plan(&Checkpoint::default(), 100, &policy, at(0));
        assert_eq!((first.ids(), first.floor), (0, 101));
        let mut checkpoint = seen(&[], 100);
        checkpoint.floor = Some(MessageId(101));
        checkpoint.floor_of = HistoryStart::Now;
        let second = plan(&checkpoint, 103, &policy, at(1));
        assert_eq!(second.forward, [101..=103]);
        assert!(second.backfill.is_empty());
    }

    #[test]
    fn a_changed_wish_reopens_history() {
        let mut checkpoint = seen(&[(101, 110)], 110);
        checkpoint.floor = Some(MessageId(101));
        checkpoint.floor_of = HistoryStart::Now;
        let plan = plan(&checkpoint, 110, &ScrapePolicy::default(), at(0));
        assert_eq!(plan.backfill, [1..=100]);
    }

    #[test]
    fn the_recent_window_is_read_again_once_an_hour() {
        let mut checkpoint = seen(&[(1, 300)], 300);
        checkpoint.recent = (250..=300)
            .map(|id| Recent {
                id: MessageId(id),
                date: at(0),
                hash: String::new(),
                counters: 0,
                sampled_at: at(0),
                gone: false,
            })
            .collect();
        checkpoint.recent_read_at = Some(at(0));
        let window = |hour, n| {
            let policy = ScrapePolicy {
                recent_window: n,
                ..ScrapePolicy::default()
            };
            plan(&checkpoint, 300, &policy, at(hour)).recent
        };
        assert_eq!(window(1, 20), Some(281..=300));
        assert_eq!(window(1, 100), Some(250..=300), "no lower than what is known");
        assert_eq!(window(0, 20), None, "not twice an hour");
        assert_eq!(window(1, 0), None, "switched off");
    }
}
