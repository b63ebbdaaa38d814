//! The index of messages.

use std::time::Instant;

use chrono::Duration;
use gleaner_domain::record::{Gone, Revision, Sample};
use gleaner_domain::{ChannelId, Checkpoint, MessageId, Origin, Record};
use gleaner_scrape::Batch;
use rstest::rstest;

use crate::world::{World, at, checkpoint, file, noon, put, record};

#[tokio::test]
async fn messages_are_listed_newest_first_and_page_by_page() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let records: Vec<_> = (1..=7)
        .map(|id| record(id, noon(), &format!("text {id}")))
        .collect();
    put(&world.store, source.id, &records).await.expect("put");
    let ids =
        |rows: Vec<gleaner_store::MessageStored>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(
        ids(world.store.messages(source.id, None, 3).await.expect("read")),
        [7, 6, 5]
    );
    assert_eq!(
        ids(world.store.messages(source.id, Some(5), 3).await.expect("read")),
        [4, 3, 2]
    );
    assert_eq!(
        ids(world.store.messages(source.id, Some(1), 3).await.expect("read")),
        [0; 0]
    );
}

#[tokio::test]
async fn a_message_reads_back_with_everything_a_list_shows() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let mut full = record(
        5,
        at("2026-03-01T23:59:59.999Z"),
        "emoji 🎈, quote ', nul \u{0}, end",
    );
    full.author = Some("Ann".to_owned());
    full.album_id = Some(MessageId(4));
    full.media = vec![
        file("photo", "stored", None, Some(10)),
        file("video", "not_in_preview", Some("log in"), None),
    ];
    let mut bare = record(6, noon(), "");
    bare.views = None;
    bare.link = None;
    put(&world.store, source.id, &[full.clone(), bare])
        .await
        .expect("put");

    let rows = world.store.messages(source.id, None, 2).await.expect("read");
    let row = &rows[1];
    assert_eq!((row.id, row.date, row.kind.as_str()), (5, full.date, "message"));
    assert_eq!(
        (row.text.as_str(), row.author.as_deref()),
        (full.text.as_str(), Some("Ann"))
    );
    assert_eq!(row.media, ["photo", "video"]);
    assert_eq!(
        (row.views, row.album_id, row.link.clone()),
        (Some(10), Some(4), full.link)
    );
    assert_eq!(
        (rows[0].views, rows[0].link.as_deref(), rows[0].media.len()),
        (None, None, 0)
    );
}

#[tokio::test]
async fn a_new_version_marks_an_edit_only_when_content_of_one_origin_differs() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let put = async |record: gleaner_domain::Record| {
        put(&world.store, source.id, &[record]).await.expect("put");
        world.store.source_facts(source.id).await.expect("read").edited
    };
    assert_eq!(put(record(1, noon(), "one")).await, 0);
    let mut with_file = record(1, noon(), "one");
    with_file.views = Some(99);
    assert_eq!(put(with_file).await, 0, "counters are no content");
    let mut elsewhere = record(1, noon(), "one, as a session reads it");
    elsewhere.source = Origin::Mtproto;
    assert_eq!(
        put(elsewhere.clone()).await,
        0,
        "hashes of two origins are not compared"
    );
    elsewhere.content_hash = "changed".to_owned();
    assert_eq!(put(elsewhere.clone()).await, 1);
    assert_eq!(put(elsewhere).await, 1, "an edit stays an edit");
    assert_eq!(world.store.source_row(source.id).await.expect("read").messages, 1);
}

#[tokio::test]
async fn the_counter_holds_whatever_is_put_twice() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let batch = |ids: &[u32]| ids.iter().map(|id| record(*id, noon(), "x")).collect::<Vec<_>>();
    for ids in [&[1, 2, 3][..], &[3, 4], &[4, 4, 5], &[]] {
        put(&world.store, source.id, &batch(ids)).await.expect("put");
        let row = world.store.source_row(source.id).await.expect("read");
        assert_eq!(
            row.messages,
            world.store.indexed_messages(source.id).await.expect("read"),
            "after {ids:?}"
        );
    }
    assert_eq!(world.store.indexed_messages(source.id).await.expect("read"), 5);
}

#[tokio::test]
async fn facts_tell_files_and_why_some_are_missing() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let mut records: Vec<_> = (1..=4)
        .map(|id| record(id, noon() + Duration::days(i64::from(id)), "x"))
        .collect();
    let log_in = || file("video", "not_in_preview", Some("log in to get this file"), None);
    records[0].media = vec![
        file("photo", "stored", None, Some(100)),
        file("photo", "stored", None, Some(11)),
    ];
    records[1].media = vec![log_in(), log_in()];
    records[2].media = vec![
        log_in(),
        file("photo", "failed", Some("the server said 404"), Some(5)),
    ];
    records[3].media = vec![file("photo", "pending", None, None)];
    put(&world.store, source.id, &records).await.expect("put");

    let facts = world.store.source_facts(source.id).await.expect("read");
    assert_eq!((facts.files, facts.file_bytes), (2, 111));
    assert_eq!(
        facts.files_missing,
        [
            ("log in to get this file".to_owned(), 3),
            ("not fetched yet".to_owned(), 1),
            ("the server said 404".to_owned(), 1),
        ]
    );
    assert_eq!(
        (facts.oldest, facts.newest),
        (Some(records[0].date), Some(records[3].date))
    );

    // The late file arrives: nothing of it is missing any more.
    records[3].media = vec![file("photo", "stored", None, Some(9))];
    put(&world.store, source.id, &records[3..]).await.expect("put");
    let facts = world.store.source_facts(source.id).await.expect("read");
    assert_eq!(
        (facts.files, facts.file_bytes, facts.files_missing.len()),
        (3, 120, 2)
    );
}

#[tokio::test]
async fn days_are_utc_and_leave_out_the_empty_ones() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let mut unseen = record(3, at("2026-03-02T00:00:00Z"), "c");
    unseen.views = None;
    let records = [
        record(1, at("2026-02-27T23:59:59Z"), "a"),
        record(2, at("2026-03-02T23:59:59.999Z"), "b"),
        unseen,
    ];
    put(&world.store, source.id, &records).await.expect("put");
    let day = |text: &str| text.parse().expect("a day");
    let days = world.store.days(source.id).await.expect("read");
    assert_eq!(days, [(day("2026-02-27"), 1, 10), (day("2026-03-02"), 2, 10)]);
}

#[rstest]
#[case(1, 10, 10)]
#[case(1, 10, 3)]
#[case(5, 203, 200)]
#[case(1, 1, 1)]
#[case(100, 1_099, 7)]
#[tokio::test]
async fn steps_split_the_ids_evenly_and_lose_none(#[case] first: u32, #[case] last: u32, #[case] steps: u32) {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    // Every id but those divisible by 3, and some outside.
    let kept: Vec<u32> = (first.saturating_sub(2)..=last + 2)
        .filter(|id| *id > 0 && id % 3 != 0)
        .collect();
    let records: Vec<_> = kept.iter().map(|id| record(*id, noon(), "x")).collect();
    put(&world.store, source.id, &records).await.expect("put");

    let total = u64::from(last - first + 1);
    let begin = |step: u32| first + (total * u64::from(step) / u64::from(steps)) as u32;
    let expected: Vec<u32> = (0..steps)
        .map(|step| {
            kept.iter()
                .filter(|id| (begin(step)..begin(step + 1)).contains(id))
                .count() as u32
        })
        .collect();
    assert_eq!(
        world
            .store
            .kept_in_steps(source.id, first, last, steps)
            .await
            .expect("read"),
        expected
    );
}

#[tokio::test]
async fn pieces_told_in_another_order_come_to_the_same() {
    let world = World::new().await;
    let (grown, rebuilt) = (world.source("@news_one").await, world.source("@news_two").await);
    let later = |hours| noon() + Duration::hours(hours);
    let known = |id| record(id, noon(), &format!("text {id}"));
    let revised = |mut record: Record, text: &str, at| {
        record.text = text.to_owned();
        record.observed_at = at;
        record.content_hash = record.compute_content_hash();
        Box::new(record)
    };
    let noticed = |id, at| Gone {
        channel_id: ChannelId(77),
        id: MessageId(id),
        observed_at: at,
    };
    let sample = |id, views, at| Sample {
        channel_id: ChannelId(77),
        id: MessageId(id),
        observed_at: at,
        views: Some(views),
        views_rounded: false,
        reactions: vec![],
    };
    let mut with_file = known(3);
    with_file.media = vec![file("photo", "stored", None, Some(9))];
    let commits = [
        Batch {
            records: (1..=4).map(known).collect(),
            ..Batch::default()
        },
        Batch {
            revisions: vec![
                Revision::Edit(revised(known(1), "edited", later(1))),
                Revision::Gone(noticed(2, later(1))),
            ],
            samples: vec![sample(3, 50, later(1)), sample(4, 60, later(1))],
            ..Batch::default()
        },
        Batch {
            revisions: vec![
                // Edited back: an edit all the same.
                Revision::Edit(revised(known(1), "text 1", later(2))),
                // A late file comes with the counters of old.
                Revision::Media(Box::new(with_file)),
                Revision::Gone(noticed(4, later(2))),
                Revision::Back(noticed(2, later(2))),
            ],
            samples: vec![sample(4, 61, later(2))],
            ..Batch::default()
        },
    ];
    for commit in &commits {
        world.store.put_batch(grown.id, commit).await.expect("put");
    }
    let all = commits.iter().fold(Batch::default(), |mut all, commit| {
        all.records.extend(commit.records.clone());
        all.revisions.extend(commit.revisions.clone());
        all.samples.extend(commit.samples.clone());
        all
    });
    for piece in [
        Batch {
            records: all.records.clone(),
            ..Batch::default()
        },
        Batch {
            revisions: all.revisions.clone(),
            ..Batch::default()
        },
        Batch {
            samples: all.samples.clone(),
            ..Batch::default()
        },
    ] {
        world.store.put_batch(rebuilt.id, &piece).await.expect("put");
    }

    let told = async |id| {
        let messages = world.store.messages(id, None, 10).await.expect("read");
        (messages, world.store.source_facts(id).await.expect("read"))
    };
    let (messages, facts) = told(grown.id).await;
    let row = |id: u32| messages.iter().find(|row| row.id == id).expect("kept");
    assert_eq!((row(2).gone, row(4).gone), (false, true));
    assert_eq!((row(3).views, row(4).views), (Some(50), Some(61)));
    assert_eq!((facts.edited, facts.gone, facts.files), (1, 1, 1));
    assert_eq!(told(rebuilt.id).await, (messages, facts));

    let ids: Vec<_> = (1..=4).map(MessageId).collect();
    world
        .store
        .retell(grown.id, &ids, &all)
        .await
        .expect("told again");
    assert_eq!(
        told(grown.id).await,
        told(rebuilt.id).await,
        "once more changes nothing"
    );
    assert_eq!(world.store.source_row(grown.id).await.expect("read").messages, 4);
}

#[tokio::test]
async fn an_index_that_is_being_made_anew_has_no_checkpoint() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    world
        .store
        .set_checkpoint(source.id, &checkpoint(5))
        .await
        .expect("set");
    world.store.clear_index(source.id).await.expect("cleared");
    assert_eq!(
        world.store.checkpoint(source.id).await.expect("read"),
        Some(Checkpoint::default())
    );
}

#[tokio::test]
async fn a_large_index_is_filled_read_and_cleared() {
    let world = World::new().await;
    let (large, other) = (
        world.source("@news_large").await,
        world.source("@news_other").await,
    );
    put(&world.store, other.id, &[record(1, noon(), "stays")])
        .await
        .expect("put");
    let text = "Words of a message that is about as long as most of them are. ".repeat(5);
    let template = record(1, noon(), &text);
    let batches: Vec<Vec<_>> = (0..25_u32)
        .map(|batch| (1..=1_000).map(move |n| batch * 1_000 + n))
        .map(|ids| {
            let message = |id| gleaner_domain::Record {
                id: MessageId(id),
                date: noon() + Duration::minutes(i64::from(id)),
                ..template.clone()
            };
            ids.map(message).collect()
        })
        .collect();
    let started = Instant::now();
    for batch in &batches {
        put(&world.store, large.id, batch).await.expect("put");
    }
    println!("25,000 messages indexed in {} ms", started.elapsed().as_millis());
    let started = Instant::now();
    assert_eq!(world.store.days(large.id).await.expect("read").len(), 18);
    println!("days of 25,000 messages in {} ms", started.elapsed().as_millis());
    let started = Instant::now();
    world.store.source_facts(large.id).await.expect("read");
    println!("facts of 25,000 messages in {} ms", started.elapsed().as_millis());
    let started = Instant::now();
    assert_eq!(
        world
            .store
            .kept_in_steps(large.id, 1, 25_000, 200)
            .await
            .expect("read"),
        [125; 200]
    );
    println!(
        "200 steps of 25,000 messages in {} ms",
        started.elapsed().as_millis()
    );

    let started = Instant::now();
    world.store.clear_index(large.id).await.expect("cleared");
    println!("25,000 messages cleared in {} ms", started.elapsed().as_millis());
    assert_eq!(world.store.indexed_messages(large.id).await.expect("read"), 0);
    assert_eq!(world.store.source_row(large.id).await.expect("read").messages, 0);
    assert_eq!(world.store.source_row(other.id).await.expect("read").messages, 1);
}
