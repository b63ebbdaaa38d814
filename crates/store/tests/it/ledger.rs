//! A run's ledger: fenced, atomic, counting.

use chrono::Duration;
use gleaner_domain::record::{Reaction, Sample};
use gleaner_domain::{ChannelId, Checkpoint, MessageId, Recent, RunCounts, RunOutcome, Trigger};
use gleaner_scrape::{Commit, IndexChange, Ledger, LedgerError, NoteLevel};

use crate::world::{HandClock, World, at, channel, checkpoint, lease_key, noon, put, record};

fn counts(messages: u64, file_bytes: u64) -> RunCounts {
    RunCounts {
        messages,
        file_bytes,
        ..RunCounts::default()
    }
}

#[tokio::test]
async fn a_commit_keeps_checkpoint_counts_channel_and_index_together() {
    let world = World::new().await;
    let (source, run, fence) = world.running("@news_one").await;
    let ledger = world
        .store
        .ledger(source.id, run, fence, HandClock::new(noon()).shared());
    let (one, two) = (record(1, noon(), "one"), record(2, noon(), "two"));
    let commit = Commit {
        channel: &channel(),
        checkpoint: &checkpoint(2),
        counts: counts(2, 30),
        changes: vec![IndexChange::Put(&one), IndexChange::Put(&two)],
    };
    ledger.commit(commit).await.expect("committed");

    assert_eq!(
        world.store.checkpoint(source.id).await.expect("read"),
        Some(checkpoint(2))
    );
    assert_eq!(world.store.run(run).await.expect("read").counts, counts(2, 30));
    assert_eq!(world.store.indexed_messages(source.id).await.expect("read"), 2);
    let row = world.store.source_row(source.id).await.expect("read");
    assert_eq!((row.messages, row.source.channel_id), (2, Some(ChannelId(77))));
    assert_eq!(
        world.store.source_facts(source.id).await.expect("read").channel,
        Some(channel())
    );

    // The same commit again (a kill between commit and its answer) changes nothing.
    let commit = Commit {
        channel: &channel(),
        checkpoint: &checkpoint(2),
        counts: counts(2, 30),
        changes: vec![IndexChange::Put(&one), IndexChange::Put(&two)],
    };
    ledger.commit(commit).await.expect("committed again");
    assert_eq!(world.store.source_row(source.id).await.expect("read").messages, 2);
    assert_eq!(
        world
            .store
            .all_file_bytes_on(noon().date_naive())
            .await
            .expect("read"),
        30
    );
    assert_eq!(world.store.source_facts(source.id).await.expect("read").edited, 0);
}

#[tokio::test]
async fn who_lost_the_lease_writes_nothing_any_more() {
    let world = World::new().await;
    let (source, run, fence) = world.running("@news_one").await;
    let clock = HandClock::new(noon());
    let stale = world.store.ledger(source.id, run, fence, clock.shared());
    let newer = world
        .again()
        .await
        .take_lease(&lease_key(&source), "another process", noon())
        .await
        .expect("taken");
    assert!(newer > fence);

    let one = record(1, noon(), "one");
    let commit = Commit {
        channel: &channel(),
        checkpoint: &checkpoint(1),
        counts: counts(1, 10),
        changes: vec![IndexChange::Put(&one)],
    };
    let refused = stale.commit(commit).await;
    assert!(matches!(refused, Err(LedgerError::LeaseLost)), "{refused:?}");
    let refused = stale.note(NoteLevel::Info, "still here".to_owned()).await;
    assert!(matches!(refused, Err(LedgerError::LeaseLost)), "{refused:?}");

    assert_eq!(world.store.checkpoint(source.id).await.expect("read"), None);
    assert_eq!(world.store.indexed_messages(source.id).await.expect("read"), 0);
    assert_eq!(
        world.store.run(run).await.expect("read").counts,
        RunCounts::default()
    );
    assert!(world.store.run_log(run, 10).await.expect("read").is_empty());
    let holder = world.store.ledger(source.id, run, newer, clock.shared());
    holder
        .note(NoteLevel::Info, "the holder writes".to_owned())
        .await
        .expect("noted");
}

#[tokio::test]
async fn after_the_release_nobody_writes_and_no_fence_comes_again() {
    let world = World::new().await;
    let (source, run, fence) = world.running("@news_one").await;
    let key = lease_key(&source);
    assert_eq!(
        world
            .store
            .lease(&key)
            .await
            .expect("read")
            .map(|lease| lease.holder)
            .as_deref(),
        Some("a test")
    );
    world
        .store
        .release_lease(&key, fence - 1)
        .await
        .expect("nothing to release");
    assert!(
        world.store.lease(&key).await.expect("read").is_some(),
        "an old fence releases nothing"
    );
    world.store.release_lease(&key, fence).await.expect("released");
    assert_eq!(world.store.lease(&key).await.expect("read"), None);

    let late = world
        .store
        .ledger(source.id, run, fence, HandClock::new(noon()).shared());
    let refused = late.note(NoteLevel::Info, "late".to_owned()).await;
    assert!(matches!(refused, Err(LedgerError::LeaseLost)), "{refused:?}");
    assert!(
        world
            .store
            .take_lease(&key, "the next", noon())
            .await
            .expect("taken")
            > fence
    );
}

#[tokio::test]
async fn the_lease_of_one_source_is_no_right_to_another() {
    let world = World::new().await;
    let (_, run, fence) = world.running("@news_one").await;
    let (other, ..) = world.running("@news_two").await;
    let confused = world
        .store
        .ledger(other.id, run, fence, HandClock::new(noon()).shared());
    let refused = confused.note(NoteLevel::Info, "wrong door".to_owned()).await;
    assert!(matches!(refused, Err(LedgerError::LeaseLost)), "{refused:?}");
}

#[tokio::test]
async fn bytes_of_today_are_those_before_this_run_and_begin_anew_at_midnight() {
    let world = World::new().await;
    let clock = HandClock::new(at("2026-03-01T23:00:00Z"));
    let (source, first, fence) = world.running("@news_one").await;
    let (channel, checkpoint) = (channel(), checkpoint(1));
    let commit = |bytes| Commit {
        channel: &channel,
        checkpoint: &checkpoint,
        counts: counts(0, bytes),
        changes: vec![],
    };
    let ledger = world.store.ledger(source.id, first, fence, clock.shared());
    ledger.commit(commit(100)).await.expect("committed");
    ledger.commit(commit(150)).await.expect("committed");
    assert_eq!(
        ledger.file_bytes_today().await.expect("read"),
        0,
        "its own bytes are not before it"
    );
    world
        .store
        .finish_run(first, &RunOutcome::Completed, counts(0, 150), clock_now(&clock))
        .await
        .expect("ended");

    let second = world.start(&source, Trigger::Manual, clock_now(&clock)).await;
    let ledger = world.store.ledger(source.id, second, fence, clock.shared());
    assert_eq!(ledger.file_bytes_today().await.expect("read"), 150);
    ledger.commit(commit(7)).await.expect("committed");
    assert_eq!(ledger.file_bytes_today().await.expect("read"), 150);
    let day = clock_now(&clock).date_naive();
    assert_eq!(world.store.all_file_bytes_on(day).await.expect("read"), 157);

    clock.turn(Duration::hours(2));
    assert_eq!(ledger.file_bytes_today().await.expect("read"), 0);
    ledger.commit(commit(17)).await.expect("committed");
    assert_eq!(ledger.file_bytes_today().await.expect("read"), 0);
    assert_eq!(
        world
            .store
            .all_file_bytes_on(clock_now(&clock).date_naive())
            .await
            .expect("read"),
        10
    );
    assert_eq!(world.store.all_file_bytes_on(day).await.expect("read"), 157);
}

fn clock_now(clock: &HandClock) -> chrono::DateTime<chrono::Utc> {
    gleaner_domain::Clock::now(clock)
}

#[tokio::test]
async fn a_newer_version_an_absence_and_new_counters_reach_the_index() {
    let world = World::new().await;
    let (source, run, fence) = world.running("@news_one").await;
    let ledger = world
        .store
        .ledger(source.id, run, fence, HandClock::new(noon()).shared());
    let (channel, checkpoint) = (channel(), checkpoint(3));
    let commit = |changes| Commit {
        channel: &channel,
        checkpoint: &checkpoint,
        counts: counts(3, 0),
        changes,
    };
    let records = [
        record(1, noon(), "one"),
        record(2, noon(), "two"),
        record(3, noon(), "three"),
    ];
    ledger
        .commit(commit(records.iter().map(IndexChange::Put).collect()))
        .await
        .expect("committed");

    let changed = record(2, noon(), "two, mended");
    let heart = Reaction {
        emoji: Some("❤".to_owned()),
        emoji_id: None,
        paid: false,
        count: 4,
        rounded: false,
    };
    let sample = Sample {
        channel_id: ChannelId(77),
        id: MessageId(2),
        observed_at: noon(),
        views: Some(33_000),
        views_rounded: true,
        reactions: vec![heart],
    };
    // Counters before the version they belong to: still they hold.
    let changes = vec![
        IndexChange::Counters(&sample),
        IndexChange::Gone(1, true),
        IndexChange::Put(&changed),
    ];
    ledger.commit(commit(changes)).await.expect("committed");

    let rows = world.store.messages(source.id, None, 10).await.expect("read");
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(
        (rows[1].text.as_str(), rows[1].edited, rows[1].gone),
        ("two, mended", true, false)
    );
    assert_eq!((rows[1].views, rows[1].views_rounded), (Some(33_000), true));
    assert_eq!((rows[0].edited, rows[0].views), (false, Some(10)));
    assert!(rows[2].gone);
    let facts = world.store.source_facts(source.id).await.expect("read");
    assert_eq!((facts.edited, facts.gone), (1, 1));

    ledger
        .commit(commit(vec![IndexChange::Gone(1, false)]))
        .await
        .expect("committed");
    assert_eq!(world.store.source_facts(source.id).await.expect("read").gone, 0);
    assert_eq!(world.store.source_row(source.id).await.expect("read").messages, 3);
}

#[tokio::test]
async fn the_log_keeps_its_last_thousand_lines_in_order() {
    let world = World::new().await;
    let (source, run, fence) = world.running("@news_one").await;
    let ledger = world
        .store
        .ledger(source.id, run, fence, HandClock::new(noon()).shared());
    for n in 0..1_005 {
        let level = if n % 2 == 0 {
            NoteLevel::Info
        } else {
            NoteLevel::Warning
        };
        ledger.note(level, format!("line {n}")).await.expect("noted");
    }
    let log = world.store.run_log(run, 5_000).await.expect("read");
    assert_eq!(
        (log.len(), log[0].text.as_str(), log[999].text.as_str()),
        (1_000, "line 5", "line 1004")
    );
    assert_eq!(
        (log[0].level, log[999].level, log[0].at),
        (NoteLevel::Warning, NoteLevel::Info, noon())
    );
    let last = world.store.run_log(run, 2).await.expect("read");
    assert_eq!(
        last.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(),
        ["line 1003", "line 1004"]
    );
}

#[tokio::test]
async fn a_manifests_checkpoint_brings_back_what_had_vanished() {
    let world = World::new().await;
    let (source, run, fence) = world.running("@news_one").await;
    let ledger = world
        .store
        .ledger(source.id, run, fence, HandClock::new(noon()).shared());
    let commit = Commit {
        channel: &channel(),
        checkpoint: &checkpoint(1),
        counts: counts(0, 0),
        changes: vec![],
    };
    ledger.commit(commit).await.expect("committed");
    put(
        &world.store,
        source.id,
        &[record(1, noon(), "one"), record(2, noon(), "two")],
    )
    .await
    .expect("put");

    let recent = |id, gone| Recent {
        id: MessageId(id),
        date: noon(),
        hash: String::new(),
        counters: 0,
        sampled_at: noon(),
        gone,
    };
    let manifest = Checkpoint {
        recent: vec![recent(1, true), recent(2, false)],
        ..checkpoint(2)
    };
    world
        .store
        .set_checkpoint(source.id, &manifest)
        .await
        .expect("taken over");
    assert_eq!(
        world.store.checkpoint(source.id).await.expect("read"),
        Some(manifest)
    );
    let facts = world.store.source_facts(source.id).await.expect("read");
    assert_eq!(
        (facts.gone, facts.channel),
        (1, Some(channel())),
        "the header stays known"
    );
}
