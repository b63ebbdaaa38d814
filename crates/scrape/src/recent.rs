//! The recent window: what was kept against what is there now. Pure.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Duration, Utc};
use gleaner_domain::record::{Gone, Sample};
use gleaner_domain::{ChannelId, IdRanges, MessageId, Recent, Record};

use crate::history::Item;

/// Ages at which counters are kept again, when they changed.
const SAMPLE_AGES: [Duration; 5] = [
    Duration::hours(1),
    Duration::hours(6),
    Duration::days(1),
    Duration::days(7),
    Duration::days(30),
];

/// What looking again found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Messages whose content changed.
    pub edited: Vec<Item>,
    /// Ids that are not there any more.
    pub gone: Vec<Gone>,
    /// Ids that are there again.
    pub back: Vec<Gone>,
    /// Counters due to be kept.
    pub samples: Vec<Sample>,
}

/// Compares the window with what `answered` holds now and brings the window up to date.
/// Only answered ids are judged: what was not read proves nothing.
pub fn compare(
    window: &mut [Recent],
    answered: &IdRanges,
    items: Vec<Item>,
    channel: ChannelId,
    now: DateTime<Utc>,
) -> Findings {
    let mut found = Findings::default();
    let mut items: BTreeMap<MessageId, Item> = items.into_iter().map(|i| (i.record.id, i)).collect();
    for entry in window.iter_mut().filter(|entry| answered.contains(entry.id.0)) {
        let state = Gone {
            channel_id: channel,
            id: entry.id,
            observed_at: now,
        };
        let Some(item) = items.remove(&entry.id) else {
            if !entry.gone {
                entry.gone = true;
                found.gone.push(state);
            }
            continue;
        };
        if entry.gone {
            entry.gone = false;
            found.back.push(state);
        }
        let counters = counters_hash(&item.record);
        if counters != entry.counters && sample_due(entry, now) {
            entry.counters = counters;
            entry.sampled_at = now;
            found.samples.push(sample_of(&item.record, now));
        }
        if item.record.content_hash != entry.hash {
            entry.hash.clone_from(&item.record.content_hash);
            found.edited.push(item);
        }
    }
    found
}

/// Adds a message that was just kept.
pub fn remember(window: &mut Vec<Recent>, record: &Record, most: usize) {
    if most == 0 {
        return;
    }
    let entry = Recent {
        id: record.id,
        date: record.date,
        hash: record.content_hash.clone(),
        counters: counters_hash(record),
        sampled_at: record.observed_at,
        gone: false,
    };
    match window.binary_search_by_key(&record.id, |r| r.id) {
        Ok(at) => window[at] = entry,
        // History read downwards does not push out what is newer.
        Err(0) if window.len() >= most => {}
        Err(at) => window.insert(at, entry),
    }
    if window.len() > most {
        window.drain(..window.len() - most);
    }
}

fn sample_due(entry: &Recent, now: DateTime<Utc>) -> bool {
    let (then, age) = (entry.sampled_at - entry.date, now - entry.date);
    SAMPLE_AGES.iter().any(|mark| then < *mark && *mark <= age)
}

fn sample_of(record: &Record, now: DateTime<Utc>) -> Sample {
    Sample {
        channel_id: record.channel_id,
        id: record.id,
        observed_at: now,
        views: record.views,
        views_rounded: record.views_rounded,
        reactions: record.reactions.clone(),
    }
}

fn counters_hash(record: &Record) -> u64 {
    // SipHash with fixed keys is stable across processes of one Rust release; should a later
    // release change it, the price is one extra sample a message.
    let mut hasher = DefaultHasher::new();
    (record.views, &record.reactions).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use gleaner_domain::{Origin, RecordKind, record::RECORD_VERSION};

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect(text)
    }

    fn item(id: u32, text: &str, views: u64) -> Item {
        let mut record = Record {
            v: RECORD_VERSION,
            channel_id: ChannelId(7),
            id: MessageId(id),
            kind: RecordKind::Message,
            date: at("2026-01-01T00:00:00Z"),
            source: Origin::Preview,
            observed_at: at("2026-01-01T00:10:00Z"),
            content_hash: String::new(),
            link: None,
            edited: false,
            edit_date: None,
            author: None,
            via_bot: None,
            text: text.to_owned(),
            entities: Vec::new(),
            media: Vec::new(),
            album_id: None,
            grouped_id: None,
            reply_to: None,
            forward: None,
            views: Some(views),
            views_rounded: false,
            reactions: Vec::new(),
            poll: None,
            location: None,
            contact: None,
            link_preview: None,
            buttons: Vec::new(),
        };
        record.content_hash = record.compute_content_hash();
        Item {
            record,
            files: Vec::new(),
        }
    }

    fn ids(first: u32, last: u32) -> IdRanges {
        IdRanges::from(vec![(first, last)])
    }

    fn window(items: &[Item]) -> Vec<Recent> {
        let mut window = Vec::new();
        for item in items {
            remember(&mut window, &item.record, 100);
        }
        window
    }

    #[test]
    fn tells_edits_deletions_and_returns_apart() {
        let mut kept = window(&[item(1, "a", 5), item(2, "b", 5), item(3, "c", 5)]);
        let now = at("2026-01-01T00:30:00Z");
        let found = compare(
            &mut kept,
            &ids(1, 3),
            vec![item(1, "a", 5), item(3, "C!", 5)],
            ChannelId(7),
            now,
        );
        assert_eq!(found.gone.iter().map(|g| g.id.0).collect::<Vec<_>>(), [2]);
        assert_eq!(
            found.edited.iter().map(|i| i.record.id.0).collect::<Vec<_>>(),
            [3]
        );
        let again = compare(
            &mut kept,
            &ids(1, 3),
            vec![item(1, "a", 5), item(3, "C!", 5)],
            ChannelId(7),
            now,
        );
        assert!(
            again.gone.is_empty() && again.edited.is_empty(),
            "each change is told once"
        );
        let back = compare(&mut kept, &ids(2, 2), vec![item(2, "b", 5)], ChannelId(7), now);
        assert_eq!(back.back.len(), 1);
    }

    #[test]
    fn an_id_outside_of_what_was_read_is_not_gone() {
        let mut kept = window(&[item(1, "a", 5), item(2, "b", 5)]);
        let found = compare(
            &mut kept,
            &ids(2, 2),
            vec![item(2, "b", 5)],
            ChannelId(7),
            at("2026-01-01T00:30:00Z"),
        );
        assert!(found.gone.is_empty());
    }

    #[test]
    fn counters_are_kept_when_they_changed_and_an_age_was_reached() {
        let mut kept = window(&[item(1, "a", 5)]);
        let mut look = |time: &str, views| {
            compare(
                &mut kept,
                &ids(1, 1),
                vec![item(1, "a", views)],
                ChannelId(7),
                at(time),
            )
            .samples
            .len()
        };
        assert_eq!(look("2026-01-01T00:40:00Z", 9), 0, "under an hour old");
        assert_eq!(look("2026-01-01T01:10:00Z", 9), 1, "past one hour and changed");
        assert_eq!(look("2026-01-01T03:00:00Z", 12), 0, "six hours are not reached");
        assert_eq!(look("2026-01-01T07:00:00Z", 12), 1, "past six hours");
        assert_eq!(look("2026-01-03T07:00:00Z", 12), 0, "past a day but unchanged");
        assert_eq!(
            look("2026-03-03T07:00:00Z", 15),
            1,
            "all later ages at once make one sample"
        );
        assert_eq!(look("2026-06-03T07:00:00Z", 19), 0, "after thirty days no more");
    }

    #[test]
    fn the_window_keeps_the_newest() {
        let items: Vec<Item> = [5, 4, 9, 1, 7].into_iter().map(|id| item(id, "x", 1)).collect();
        let mut window = Vec::new();
        for item in &items {
            remember(&mut window, &item.record, 3);
        }
        assert_eq!(window.iter().map(|r| r.id.0).collect::<Vec<_>>(), [5, 7, 9]);
    }
}
