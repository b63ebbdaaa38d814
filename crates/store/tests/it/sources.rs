//! Sources: unique, editable, due, listed by the thousand.

use std::time::Instant;

use chrono::{Duration, TimeZone, Utc};
use gleaner_domain::{
    AccessLevel, ChannelId, HistoryStart, RunCounts, RunOutcome, Schedule, ScrapePolicy, Source, SourceId,
    TargetKind, TargetUid, Trigger,
};
use gleaner_scrape::{Commit, IndexChange, Ledger};
use gleaner_store::{NewRun, NewSource, StoreError};
use rstest::rstest;
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use crate::world::{HandClock, World, channel, checkpoint, lease_key, local, noon, put, record};

#[tokio::test]
async fn a_source_reads_back_as_it_was_written() {
    let world = World::new().await;
    let new = NewSource {
        name: "O'Neill; DROP TABLE sources --".to_owned(),
        channel_title: "Ünïcode 🎈".to_owned(),
        access_level: AccessLevel::Private,
        session_ref: Some(4),
        schedule: Schedule::Cron {
            pattern: "0 8 * * 1-5".to_owned(),
            zone: "Europe/Berlin".to_owned(),
        },
        policy: ScrapePolicy {
            media: false,
            history: HistoryStart::Since {
                date: noon().date_naive(),
            },
            recent_window: 7,
            daily_bytes: Some(1 << 40),
        },
        paused_at: Some(noon()),
        next_run_at: None,
        channel_id: Some(ChannelId(1_234_567_890_123)),
        folder: Some("news-77".to_owned()),
        created_at: Utc
            .timestamp_millis_opt(1_700_000_000_123)
            .single()
            .expect("a time"),
        ..world.new_source("https://t.me/+AbCdEf_12-x")
    };
    let source = world.store.insert_source(&new).await.expect("inserted");
    assert_eq!(source.uid, new.uid);
    assert_eq!(source.name, new.name);
    assert_eq!(source.identifier, new.identifier);
    assert_eq!(source.schedule, new.schedule);
    assert_eq!(source.policy, new.policy);
    assert_eq!(source.created_at, new.created_at);
    assert_eq!(world.store.source(source.id).await.expect("read"), source);
    assert_eq!(
        world.store.sources().await.expect("read"),
        std::slice::from_ref(&source)
    );
    let row = world.store.source_row(source.id).await.expect("read");
    assert_eq!(row.source, source);
    assert_eq!(
        (row.target, row.messages, row.last_run),
        (("a place".to_owned(), TargetKind::Local), 0, None)
    );
}

#[tokio::test]
async fn one_channel_has_one_source_in_one_target_whatever_the_case_of_its_name() {
    let world = World::new().await;
    world.source("@Euronews_Eng").await;
    let again = world
        .store
        .insert_source(&world.new_source("t.me/euronews_ENG"))
        .await;
    assert!(
        matches!(&again, Err(StoreError::DuplicateSource { existing }) if existing == "Euronews_Eng"),
        "{again:?}"
    );

    let mut elsewhere = local("/elsewhere");
    elsewhere.is_default = false;
    world.store.insert_target(&elsewhere).await.expect("a target");
    let other = NewSource {
        target: elsewhere.uid,
        ..world.new_source("@euronews_eng")
    };
    let other = world.store.insert_source(&other).await.expect("another archive");
    put(&world.store, other.id, &[record(1, noon(), "one")])
        .await
        .expect("put");
    world
        .store
        .set_checkpoint(other.id, &checkpoint(1))
        .await
        .expect("set");
    let moved = world
        .store
        .change_source(other.id, |source| source.target = world.target.uid)
        .await;
    assert!(
        matches!(moved, Err(StoreError::DuplicateSource { .. })),
        "{moved:?}"
    );
    let kept = world.store.source(other.id).await.expect("read");
    assert_eq!(kept.target, elsewhere.uid, "a refused change changes nothing");
    assert_eq!(world.store.indexed_messages(other.id).await.expect("read"), 1);
    assert_eq!(
        world.store.checkpoint(other.id).await.expect("read"),
        Some(checkpoint(1))
    );
}

#[tokio::test]
async fn of_many_at_once_the_good_ones_are_added_and_the_others_say_why() {
    let world = World::new().await;
    world.source("@news_one").await;
    let nowhere = NewSource {
        target: TargetUid::new(),
        ..world.new_source("@news_four")
    };
    let wishes = [
        world.new_source("@news_two"),
        world.new_source("@NEWS_one"),
        world.new_source("@news_three"),
        world.new_source("@news_two"),
        nowhere,
    ];
    let results = world
        .store
        .insert_sources(&wishes)
        .await
        .expect("one transaction");
    assert!(results[0].is_ok() && results[2].is_ok());
    for (at, name) in [(1, "news_one"), (3, "news_two")] {
        let result = &results[at];
        assert!(
            matches!(result, Err(StoreError::DuplicateSource { existing }) if existing == name),
            "{result:?}"
        );
    }
    assert!(
        matches!(results[4], Err(StoreError::TargetNotFound)),
        "{:?}",
        results[4]
    );
    assert_eq!(world.store.sources().await.expect("read").len(), 3);
}

#[tokio::test]
async fn the_number_of_a_deleted_source_never_comes_again() {
    let world = World::new().await;
    let one = world.source("@news_one").await;
    assert_eq!(world.store.delete_source(one.id).await.expect("deleted"), one);
    let two = world.source("@news_one").await;
    assert!(two.id > one.id);
}

#[tokio::test]
async fn with_a_source_go_its_runs_its_index_and_its_lease() {
    let world = World::new().await;
    let (source, run, fence) = world.running("@news_one").await;
    let ledger = world
        .store
        .ledger(source.id, run, fence, HandClock::new(noon()).shared());
    let first = record(1, noon(), "one");
    let commit = Commit {
        channel: &channel(),
        checkpoint: &checkpoint(1),
        counts: RunCounts {
            messages: 1,
            file_bytes: 5,
            ..RunCounts::default()
        },
        changes: vec![IndexChange::Put(&first)],
    };
    ledger.commit(commit).await.expect("committed");
    world.store.delete_source(source.id).await.expect("deleted");

    assert_eq!(world.store.indexed_messages(source.id).await.expect("read"), 0);
    assert_eq!(world.store.checkpoint(source.id).await.expect("read"), None);
    assert_eq!(world.store.lease(&lease_key(&source)).await.expect("read"), None);
    assert_eq!(
        world
            .store
            .all_file_bytes_on(noon().date_naive())
            .await
            .expect("read"),
        0
    );
    assert!(matches!(world.store.run(run).await, Err(StoreError::RunNotFound)));
    let late = ledger
        .note(gleaner_scrape::NoteLevel::Info, "late".to_owned())
        .await;
    assert!(
        matches!(late, Err(gleaner_scrape::LedgerError::LeaseLost)),
        "{late:?}"
    );
}

#[tokio::test]
async fn another_target_is_the_start_of_another_archive() {
    let world = World::new().await;
    let (source, run, fence) = world.running("@news_one").await;
    let fixed = world
        .store
        .fix_identity(&source, ChannelId(77), "news-77", "News")
        .await
        .expect("asked");
    assert!(fixed);
    let ledger = world
        .store
        .ledger(source.id, run, fence, HandClock::new(noon()).shared());
    let first = record(1, noon(), "one");
    let (channel, checkpoint) = (channel(), checkpoint(1));
    let commit = || Commit {
        channel: &channel,
        checkpoint: &checkpoint,
        counts: RunCounts {
            messages: 1,
            ..RunCounts::default()
        },
        changes: vec![IndexChange::Put(&first)],
    };
    ledger.commit(commit()).await.expect("committed");

    let mut elsewhere = local("/elsewhere");
    elsewhere.is_default = false;
    world.store.insert_target(&elsewhere).await.expect("a target");
    let moved = world
        .store
        .change_source(source.id, |source| {
            source.target = elsewhere.uid;
            source.name = "moved".to_owned();
        })
        .await
        .expect("moved");

    let row = world.store.source_row(source.id).await.expect("read");
    assert_eq!(row.source, moved);
    assert_eq!(row.source.folder, None, "the new archive gets its own folder");
    assert_eq!(
        row.source.channel_id,
        Some(ChannelId(77)),
        "the channel stays known"
    );
    assert_eq!((row.source.name.as_str(), row.messages), ("moved", 0));
    assert_eq!(world.store.checkpoint(source.id).await.expect("read"), None);
    assert_eq!(world.store.indexed_messages(source.id).await.expect("read"), 0);
    let late = ledger.commit(commit()).await;
    assert!(
        matches!(late, Err(gleaner_scrape::LedgerError::LeaseLost)),
        "the old archive's run: {late:?}"
    );
    let fixed = world
        .store
        .fix_identity(&source, ChannelId(77), "news-77", "News")
        .await
        .expect("asked");
    assert!(!fixed, "a folder of the old target is none of the new one");
}

#[tokio::test]
async fn of_changes_made_at_once_none_is_lost() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let other = world.again().await;
    let ids = [source.id];
    let (run, person, pause) = tokio::join!(
        world
            .store
            .fix_identity(&source, ChannelId(77), "news-77", "The News"),
        other.change_source(source.id, |source| source.name = "renamed".to_owned()),
        world.store.set_paused(&ids, true, noon()),
    );
    assert!(run.expect("fixed by a run"));
    person.expect("renamed by a person");
    pause.expect("paused by another");
    assert_eq!(
        world.store.source(source.id).await.expect("read"),
        Source {
            name: "renamed".to_owned(),
            channel_id: Some(ChannelId(77)),
            folder: Some("news-77".to_owned()),
            channel_title: "The News".to_owned(),
            paused_at: Some(noon()),
            ..source
        }
    );
}

#[tokio::test]
async fn a_title_somebody_typed_stays() {
    let world = World::new().await;
    let new = NewSource {
        channel_title: "My title".to_owned(),
        ..world.new_source("@news_one")
    };
    let source = world.store.insert_source(&new).await.expect("inserted");
    world
        .store
        .fix_identity(&source, ChannelId(77), "news-77", "The News")
        .await
        .expect("fixed");
    let kept = world.store.source(source.id).await.expect("read");
    assert_eq!(kept.channel_title, "My title");
}

#[tokio::test]
async fn many_are_paused_and_resumed_in_one_change() {
    let world = World::new().await;
    let (one, two) = (world.source("@news_one").await, world.source("@news_two").await);
    let manual = NewSource {
        schedule: Schedule::Manual,
        next_run_at: None,
        ..world.new_source("@news_manual")
    };
    let manual = world.store.insert_source(&manual).await.expect("inserted");
    let all = [one.id, two.id, manual.id, SourceId(99)];
    let known = std::collections::BTreeSet::from([one.id, two.id, manual.id]);
    assert_eq!(
        world.store.set_paused(&all, true, noon()).await.expect("paused"),
        (known.clone(), 3)
    );
    let later = noon() + Duration::hours(1);
    assert_eq!(
        world.store.set_paused(&all, true, later).await.expect("again"),
        (known.clone(), 0),
        "what is paused is not paused again"
    );
    assert_eq!(
        world.store.source(two.id).await.expect("read").paused_at,
        Some(noon())
    );
    assert_eq!(
        world.store.set_paused(&all, false, later).await.expect("resumed"),
        (known, 3)
    );
    let due = |source: Source| (source.paused_at, source.next_run_at);
    assert_eq!(
        due(world.store.source(one.id).await.expect("read")),
        (None, Some(later))
    );
    assert_eq!(
        due(world.store.source(manual.id).await.expect("read")),
        (None, None),
        "what runs when asked waits to be asked"
    );
}

#[tokio::test]
async fn a_new_source_and_its_first_run_are_one_change() {
    let world = World::new().await;
    let run = gleaner_domain::RunUid::new();
    let source = world
        .store
        .insert_source_and_run(&world.new_source("@news_one"), run, Trigger::Created)
        .await
        .expect("added");
    let queued = world.store.run(run).await.expect("read");
    assert_eq!(
        (queued.source_id, queued.trigger, queued.state),
        (source.id, Trigger::Created, gleaner_domain::RunState::Queued)
    );
    let twice = world
        .store
        .insert_source_and_run(&world.new_source("@news_two"), run, Trigger::Created)
        .await;
    assert!(twice.is_err(), "a run of this uid is there");
    assert_eq!(
        world.store.sources().await.expect("read"),
        [source],
        "without its run no source is added"
    );
}

#[tokio::test]
async fn due_is_what_is_not_paused_queued_or_running() {
    let world = World::new().await;
    let due = world.source("@news_due").await;
    let earlier = NewSource {
        next_run_at: Some(noon() - Duration::hours(1)),
        ..world.new_source("@news_earlier")
    };
    let earlier = world.store.insert_source(&earlier).await.expect("inserted");
    let later = NewSource {
        next_run_at: Some(noon() + Duration::seconds(1)),
        ..world.new_source("@news_later")
    };
    let later = world.store.insert_source(&later).await.expect("inserted");
    let paused = NewSource {
        paused_at: Some(noon()),
        ..world.new_source("@news_paused")
    };
    world.store.insert_source(&paused).await.expect("inserted");
    let manual = NewSource {
        next_run_at: None,
        ..world.new_source("@news_manual")
    };
    world.store.insert_source(&manual).await.expect("inserted");
    let busy = world.source("@news_busy").await;
    let run = world.start(&busy, Trigger::Schedule, noon()).await;

    let ids = |sources: Vec<Source>| sources.into_iter().map(|source| source.id).collect::<Vec<_>>();
    assert_eq!(
        ids(world.store.due_sources(noon(), 10).await.expect("read")),
        [earlier.id, due.id]
    );
    assert_eq!(
        ids(world.store.due_sources(noon(), 1).await.expect("read")),
        [earlier.id]
    );
    assert_eq!(
        world.store.next_due_at().await.expect("read"),
        earlier.next_run_at
    );

    world.store.set_next_run(earlier.id, None).await.expect("set");
    world.store.set_next_run(due.id, None).await.expect("set");
    assert_eq!(
        world.store.next_due_at().await.expect("read"),
        later.next_run_at,
        "what runs is not waited for"
    );
    world
        .store
        .finish_run(run, &RunOutcome::Completed, RunCounts::default(), noon())
        .await
        .expect("ended");
    assert_eq!(
        ids(world.store.due_sources(noon(), 10).await.expect("read")),
        [busy.id]
    );
}

#[rstest]
#[tokio::test]
async fn a_source_that_is_not_there_is_called_so() {
    let world = World::new().await;
    let (store, id) = (&world.store, SourceId(99));
    let new = NewRun {
        uid: gleaner_domain::RunUid::new(),
        source_id: id,
        trigger: Trigger::Manual,
        created_at: noon(),
    };
    let answers = [
        store.source(id).await.map(|_| ()),
        store.source_row(id).await.map(|_| ()),
        store.source_facts(id).await.map(|_| ()),
        store.change_source(id, |_| {}).await.map(|_| ()),
        store.delete_source(id).await.map(|_| ()),
        store.set_next_run(id, None).await,
        store.clear_index(id).await,
        put(store, id, &[record(1, noon(), "one")]).await,
        store.set_checkpoint(id, &checkpoint(1)).await,
        store.insert_run(&new).await.map(|_| ()),
    ];
    for (at, answer) in answers.iter().enumerate() {
        assert!(
            matches!(answer, Err(StoreError::SourceNotFound)),
            "answer {at}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn the_overview_counts_what_is_there() {
    let world = World::new().await;
    assert_eq!(
        world.store.overview().await.expect("read"),
        gleaner_store::OverviewStored::default()
    );
    let failed = || RunOutcome::Failed {
        code: gleaner_domain::Code::DiskFull,
        detail: "no room".to_owned(),
    };
    let (mended, failing, busy) = (
        world.source("@mended").await,
        world.source("@failing").await,
        world.source("@busy_one").await,
    );
    world
        .ended(&mended, Trigger::Manual, failed(), RunCounts::default(), noon())
        .await;
    world
        .ended(
            &mended,
            Trigger::Manual,
            RunOutcome::Completed,
            RunCounts::default(),
            noon(),
        )
        .await;
    world
        .ended(&failing, Trigger::Manual, failed(), RunCounts::default(), noon())
        .await;
    let quit = RunOutcome::Failed {
        code: gleaner_domain::Code::Interrupted,
        detail: "quit".to_owned(),
    };
    world
        .ended(&busy, Trigger::Manual, quit, RunCounts::default(), noon())
        .await;
    let waits = NewRun {
        uid: gleaner_domain::RunUid::new(),
        source_id: failing.id,
        trigger: Trigger::Manual,
        created_at: noon(),
    };
    world.store.insert_run(&waits).await.expect("queued");
    world.start(&busy, Trigger::Manual, noon()).await;
    let paused = NewSource {
        paused_at: Some(noon()),
        ..world.new_source("@paused")
    };
    world.store.insert_source(&paused).await.expect("inserted");
    put(
        &world.store,
        busy.id,
        &[record(1, noon(), "one"), record(2, noon(), "two")],
    )
    .await
    .expect("put");

    let overview = world.store.overview().await.expect("read");
    let seen = (
        overview.sources,
        overview.paused,
        overview.failing,
        overview.running,
        overview.queued,
    );
    assert_eq!(
        seen,
        (4, 1, 1, 1, 1),
        "a failed one that waits to run again still failed; one that quitting interrupted did not"
    );
    assert_eq!((overview.messages, overview.next_run_at), (2, Some(noon())));
}

#[tokio::test]
async fn ten_thousand_sources_are_listed_in_one_go() {
    let world = World::new().await;
    let wishes: Vec<_> = (0..10_000)
        .map(|n| world.new_source(&format!("@channel_{n}")))
        .collect();
    let started = Instant::now();
    let added = world
        .store
        .insert_sources(&wishes)
        .await
        .expect("one transaction");
    println!("10,000 sources added in {} ms", started.elapsed().as_millis());
    assert!(added.iter().all(Result::is_ok));

    let mut raw = SqliteConnection::connect(&format!("sqlite://{}", world.path.display()))
        .await
        .expect("raw");
    for n in 0..5 {
        sqlx::query(
            "INSERT INTO runs (uid, source_id, trigger, state, created_at, started_at, finished_at, messages)
             SELECT printf('00000000-0000-7000-8000-%04d%08d', ?1, id), id, 'schedule', 'completed', 1, 2, 3, ?1
             FROM sources",
        )
        .bind(n)
        .execute(&mut raw)
        .await
        .expect("runs");
    }
    for round in ["cold", "warm"] {
        let started = Instant::now();
        let rows = world.store.source_rows().await.expect("listed");
        println!(
            "10,000 sources with their newest of 5 runs listed in {} ms ({round})",
            started.elapsed().as_millis()
        );
        assert_eq!(rows.len(), 10_000);
        assert!(
            rows.iter()
                .all(|row| row.last_run.as_ref().is_some_and(|run| run.counts.messages == 4))
        );
    }
    let started = Instant::now();
    assert_eq!(world.store.overview().await.expect("read").sources, 10_000);
    println!(
        "overview of 10,000 sources in {} ms",
        started.elapsed().as_millis()
    );
    let started = Instant::now();
    assert_eq!(
        world.store.due_sources(noon(), 100).await.expect("read").len(),
        100
    );
    println!("100 due of 10,000 in {} ms", started.elapsed().as_millis());
}
