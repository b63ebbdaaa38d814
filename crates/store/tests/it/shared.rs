//! What processes on one data folder share.

use std::time::Duration as Wait;

use chrono::Duration;
use gleaner_domain::{RunUid, SourceId};
use gleaner_scrape::Pacer;
use serde::{Deserialize, Serialize};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use crate::world::{HandClock, World, noon};

#[tokio::test]
async fn two_processes_see_each_others_events_in_one_order() {
    let world = World::new().await;
    let (here, there) = (&world.store, world.again().await);
    let run = RunUid::new();
    let first = here
        .append_event("sources", Some(SourceId(1)), None, noon())
        .await
        .expect("appended");
    let second = there
        .append_event("runs", Some(SourceId(1)), Some(run), noon())
        .await
        .expect("appended");
    let third = here
        .append_event("settings", None, None, noon())
        .await
        .expect("appended");
    assert!(first < second && second < third);
    for store in [here, &there] {
        let events = store.events_after(first, 10).await.expect("read");
        let seen: Vec<_> = events
            .iter()
            .map(|e| (e.seq, e.tag.as_str(), e.source_id, e.run_uid))
            .collect();
        assert_eq!(
            seen,
            [
                (second, "runs", Some(SourceId(1)), Some(run)),
                (third, "settings", None, None)
            ]
        );
        assert_eq!(store.last_seq().await.expect("read"), third);
        assert_eq!(store.events_after(0, 2).await.expect("read").len(), 2);
    }
}

#[tokio::test]
async fn ten_thousand_events_are_kept_and_numbers_go_on_after_a_restart() {
    let world = World::new().await;
    let mut raw = SqliteConnection::connect(&format!("sqlite://{}", world.path.display()))
        .await
        .expect("raw");
    sqlx::query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10005)
         INSERT INTO events (tag, at) SELECT 'runs', 0 FROM n",
    )
    .execute(&mut raw)
    .await
    .expect("many events");
    raw.close().await.expect("closed");
    let seq = world
        .store
        .append_event("runs", None, None, noon())
        .await
        .expect("appended");
    let kept = world.store.events_after(0, 100_000).await.expect("read");
    assert_eq!((kept.len(), kept.last().map(|e| e.seq)), (10_000, Some(seq)));
    world.store.close().await;
    let again = world.again().await;
    assert_eq!(
        again
            .append_event("runs", None, None, noon())
            .await
            .expect("appended"),
        seq + 1
    );
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Caps {
    scheduler: bool,
    daily_bytes: Option<u64>,
}

#[tokio::test]
async fn settings_are_kept_by_key() {
    let world = World::new().await;
    assert_eq!(world.store.setting::<Caps>("caps").await.expect("read"), None);
    for daily_bytes in [None, Some(1 << 50)] {
        let caps = Caps {
            scheduler: true,
            daily_bytes,
        };
        world.store.set_setting("caps", &caps).await.expect("set");
        assert_eq!(world.store.setting("caps").await.expect("read"), Some(caps));
    }
    assert_eq!(world.store.setting::<bool>("other").await.expect("read"), None);
    let error = world
        .store
        .setting::<Vec<u8>>("caps")
        .await
        .expect_err("another shape");
    assert!(
        !error.to_string().contains("scheduler"),
        "values stay out of errors: {error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_in_two_processes_all_get_their_turn() {
    let world = World::new().await;
    let stores = [world.store.clone(), world.again().await];
    let writers: Vec<_> = (0..16)
        .map(|n: usize| {
            let store = stores[n % 2].clone();
            let wishes: Vec<_> = (0..20)
                .map(|m| world.new_source(&format!("@channel_{n}_{m}")))
                .collect();
            tokio::spawn(async move {
                for wish in &wishes {
                    let source = store.insert_source(wish).await?;
                    store
                        .append_event("sources", Some(source.id), None, noon())
                        .await?;
                    store.set_next_run(source.id, None).await?;
                    store.take_lease("shared", "somebody", noon()).await?;
                }
                Ok::<_, gleaner_store::StoreError>(())
            })
        })
        .collect();
    for writer in writers {
        tokio::time::timeout(Wait::from_mins(2), writer)
            .await
            .expect("in time")
            .expect("no panic")
            .expect("never busy");
    }
    assert_eq!(world.store.sources().await.expect("read").len(), 320);
    assert_eq!(world.store.last_seq().await.expect("read"), 320);
    assert_eq!(
        world
            .store
            .lease("shared")
            .await
            .expect("read")
            .map(|lease| lease.fence),
        Some(320)
    );
}

#[tokio::test]
async fn requests_to_a_host_are_spaced_over_two_processes() {
    let world = World::new().await;
    let other = world.again().await;
    let clock = HandClock::new(noon());
    let pacers = [
        world.store.pacer(5, clock.shared()),
        other.pacer(5, clock.shared()),
    ];
    for n in 0..10 {
        let wait = pacers[n % 2].turn("t.me").await;
        assert_eq!(wait, Wait::from_millis(200 * n as u64), "request {n}");
    }
    assert_eq!(
        pacers[0].turn("cdn.example").await,
        Wait::ZERO,
        "another host has its own pace"
    );

    clock.turn(Duration::milliseconds(1_950));
    assert_eq!(pacers[0].turn("t.me").await, Wait::from_millis(50));
    clock.turn(Duration::minutes(10));
    assert_eq!(
        pacers[1].turn("t.me").await,
        Wait::ZERO,
        "a pause is not saved up"
    );
    assert_eq!(pacers[0].turn("t.me").await, Wait::from_millis(200));

    clock.turn(-Duration::hours(3));
    assert_eq!(
        pacers[0].turn("t.me").await,
        Wait::ZERO,
        "a clock set back does not stop the work"
    );
    assert_eq!(pacers[1].turn("t.me").await, Wait::from_millis(200));
}

#[tokio::test]
async fn a_host_that_asks_to_wait_is_left_alone_by_all_processes() {
    let world = World::new().await;
    let other = world.again().await;
    let clock = HandClock::new(noon());
    let (here, there) = (
        world.store.pacer(5, clock.shared()),
        other.pacer(5, clock.shared()),
    );
    here.hold("t.me", Wait::from_mins(5)).await;
    here.hold("t.me", Wait::from_secs(10)).await;
    for pacer in [&here, &there, &here] {
        assert_eq!(pacer.turn("t.me").await, Wait::from_mins(5), "no turn is used up");
    }
    assert_eq!(there.turn("cdn.example").await, Wait::ZERO, "others are not held");

    clock.turn(Duration::seconds(290));
    assert_eq!(there.turn("t.me").await, Wait::from_secs(10));
    assert_eq!(
        here.turn("t.me").await,
        Wait::from_millis(10_200),
        "the usual pace after the wait"
    );
    clock.turn(Duration::minutes(10));
    assert_eq!(here.turn("t.me").await, Wait::ZERO);

    there.hold("t.me", Wait::MAX).await;
    assert_eq!(
        here.turn("t.me").await,
        Wait::from_hours(24),
        "nobody is held for ever"
    );
    clock.turn(-Duration::hours(3));
    assert_eq!(
        here.turn("t.me").await,
        Wait::ZERO,
        "a clock set back does not stop the work"
    );
}

#[tokio::test]
async fn without_the_database_each_request_keeps_its_own_pace() {
    let world = World::new().await;
    let pacer = world.store.pacer(5, HandClock::new(noon()).shared());
    world.store.close().await;
    assert_eq!(pacer.turn("t.me").await, Wait::from_millis(200));
}
