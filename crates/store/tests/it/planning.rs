//! Runs and the due times of their sources: begun, ended and planned in one change.

use chrono::Duration;
use gleaner_domain::{RunCounts, RunOutcome, RunState, RunUid, Source, Trigger};
use gleaner_store::{NewRun, RunQuery, StoreError};

use crate::world::{World, noon};

fn new_run(source: &Source) -> NewRun {
    NewRun {
        uid: RunUid::new(),
        source_id: source.id,
        trigger: Trigger::Manual,
        created_at: noon(),
    }
}

#[tokio::test]
async fn a_due_run_is_queued_with_the_plan_for_the_next_one_and_only_while_it_is_due() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let next = noon() + Duration::minutes(15);
    let first = new_run(&source);
    let queued = world
        .store
        .queue_due_run(&first, |_| Some(next))
        .await
        .expect("asked");
    assert_eq!(queued.map(|run| run.uid), Some(first.uid));
    assert_eq!(
        world.store.source(source.id).await.expect("read").next_run_at,
        Some(next)
    );

    let too_soon = world
        .store
        .queue_due_run(&new_run(&source), |_| None)
        .await
        .expect("asked");
    assert_eq!(too_soon, None, "it is not due any more");
    let later = NewRun {
        created_at: next,
        ..new_run(&source)
    };
    let busy = world.store.queue_due_run(&later, |_| None).await.expect("asked");
    assert_eq!(busy, None, "one open run at a time");
    world
        .store
        .set_paused(&[source.id], true, noon())
        .await
        .expect("paused");
    assert!(
        world
            .store
            .finish_queued_run(first.uid, &RunOutcome::Cancelled, next, |s| s.next_run_at)
            .await
            .expect("ended")
    );
    let paused = world.store.queue_due_run(&later, |_| None).await.expect("asked");
    assert_eq!(paused, None);
    assert_eq!(
        world.store.source(source.id).await.expect("read").next_run_at,
        Some(next),
        "what was not queued changed no plan"
    );
}

#[tokio::test]
async fn a_run_that_begins_at_once_takes_the_waiting_one_over() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let waiting = new_run(&source);
    world.store.insert_run(&waiting).await.expect("queued");
    let begun = world.store.begin_run(&new_run(&source)).await.expect("begun");
    assert_eq!(
        (begun.uid, begun.state, begun.started_at),
        (waiting.uid, RunState::Running, Some(noon()))
    );
    let again = world.store.begin_run(&new_run(&source)).await;
    assert!(matches!(again, Err(StoreError::AlreadyRunning)), "{again:?}");

    let other = world.source("@news_two").await;
    let new = new_run(&other);
    let begun = world.store.begin_run(&new).await.expect("begun");
    assert_eq!((begun.uid, begun.state), (new.uid, RunState::Running));
}

#[tokio::test]
async fn what_ends_a_waiting_run_leaves_one_alone_that_has_begun() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let run = world.start(&source, Trigger::Manual, noon()).await;
    let ended = world
        .store
        .finish_queued_run(run, &RunOutcome::Cancelled, noon(), |_| None)
        .await
        .expect("asked");
    assert!(!ended);
    assert_eq!(world.store.run(run).await.expect("read").state, RunState::Running);
    assert_eq!(
        world.store.source(source.id).await.expect("read").next_run_at,
        source.next_run_at
    );
}

#[tokio::test]
async fn the_end_of_a_run_and_the_next_due_time_are_one_change() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let run = world.start(&source, Trigger::Manual, noon()).await;
    let edited = noon() + Duration::hours(5);
    world
        .store
        .set_next_run(source.id, Some(edited))
        .await
        .expect("edited meanwhile");
    world
        .store
        .finish_run_and_plan(
            run,
            &RunOutcome::Completed,
            RunCounts::default(),
            noon(),
            |source| source.next_run_at.map(|at| at + Duration::hours(1)),
        )
        .await
        .expect("ended");
    assert_eq!(
        world.store.source(source.id).await.expect("read").next_run_at,
        Some(edited + Duration::hours(1)),
        "planned from what the source is by then"
    );
}

#[tokio::test]
async fn old_runs_go_even_where_no_new_ones_end() {
    let world = World::new().await;
    let (silent, busy) = (
        world.source("@news_silent").await,
        world.source("@news_busy").await,
    );
    let old = world
        .ended(
            &silent,
            Trigger::Manual,
            RunOutcome::Completed,
            RunCounts::default(),
            noon(),
        )
        .await;
    let young = world
        .ended(
            &silent,
            Trigger::Manual,
            RunOutcome::Completed,
            RunCounts::default(),
            noon() + Duration::days(1),
        )
        .await;
    let open = world.start(&busy, Trigger::Manual, noon()).await;
    let now = noon() + Duration::days(90) + Duration::hours(1);
    world.store.prune_runs(now).await.expect("pruned");
    let all = RunQuery {
        limit: 10,
        ..RunQuery::default()
    };
    let kept = world.store.runs(&all).await.expect("read");
    assert_eq!(kept.iter().map(|run| run.uid).collect::<Vec<_>>(), [open, young]);
    assert!(matches!(world.store.run(old).await, Err(StoreError::RunNotFound)));
}
