//! What the clock starts, on a clock that the test turns.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gleaner_app::App;
use gleaner_app::view::{CreateSource, EditSource, RunFilter, RunRow};
use gleaner_domain::{Clock, Code, RunState, RunUid, Schedule, SourceId, Trigger};
use gleaner_store::{NewRun, Store};
use gleaner_testkit::preview::Faults;
use gleaner_testkit::world::{ChannelSpec, Mix, World};
use gleaner_testkit::{FixedClock, Standing};

use crate::test_app::{HARBOUR, TestApp, completed, eventually, kept, last_run_over, public};

const LIGHTHOUSE: &str = "lighthouse_news";

async fn newest_run(app: &App, id: SourceId) -> Option<RunRow> {
    app.get_source_detail(id).await.unwrap().row.last_run
}

/// The run after this one, once it is over.
async fn next_run_over(app: &App, before: &RunRow) -> RunRow {
    eventually(app, async || {
        let run = newest_run(app, before.source_id).await?;
        (run.uid != before.uid && run.state.is_over()).then_some(run)
    })
    .await
}

async fn due(app: &App, id: SourceId) -> Option<DateTime<Utc>> {
    app.get_source_detail(id).await.unwrap().row.next_run_at
}

/// A run that a killed process left behind: it says `running`, and nobody holds the lease.
async fn orphan(t: &TestApp, source_id: SourceId, clock: &FixedClock) -> RunUid {
    let store = Store::open(&t.config().data_dir.join("gleaner.db"))
        .await
        .unwrap();
    let new = NewRun {
        uid: RunUid::new(),
        source_id,
        trigger: Trigger::Schedule,
        created_at: clock.now(),
    };
    let begun = store.begin_run(&new).await.unwrap();
    store.close().await;
    begun.uid
}

/// Waits until a source added just now was scraped: the scheduler has looked at everything since.
async fn a_beat_passes(t: &TestApp) {
    let witness = t.add(LIGHTHOUSE).await;
    completed(&last_run_over(&t.app, witness.id).await);
}

/// Some seconds of pages, so that there is time to stop a run.
fn slow_pages(t: &TestApp) {
    t.site.faults().pages(Faults {
        latency: Duration::from_millis(60),
        ..Faults::default()
    });
}

async fn under_way(app: &App, id: SourceId) -> RunRow {
    eventually(app, async || {
        let run = newest_run(app, id).await?;
        (run.state == RunState::Running && run.counts.messages > 100).then_some(run)
    })
    .await
}

fn two_channels(clock: &FixedClock, posts: u32) -> World {
    let channel = |name, id| {
        ChannelSpec::new(name, id)
            .mix(Mix::Text)
            .every(TimeDelta::minutes(1))
    };
    World::new()
        .clock(std::sync::Arc::new(clock.clone()))
        .channel(channel(HARBOUR, 1_100_000_001).posts(posts))
        .channel(channel(LIGHTHOUSE, 1_100_000_002).posts(3))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_runs_when_it_is_due_once_after_a_night_and_seldom_while_it_is_quiet() {
    let clock = FixedClock::default();
    let t = TestApp::on_clock(two_channels(&clock, 20), &clock).await;
    t.app.start_scheduler();
    let noon = clock.now();
    let id = t.add(HARBOUR).await.id;
    let first = last_run_over(&t.app, id).await;
    assert_eq!(due(&t.app, id).await, Some(noon + TimeDelta::minutes(15)));

    t.world.append(HARBOUR, 3);
    clock.advance(TimeDelta::minutes(15));
    let second = next_run_over(&t.app, &first).await;
    completed(&second);
    assert_eq!((second.trigger, second.counts.messages), (Trigger::Schedule, 3));
    assert_eq!(due(&t.app, id).await, Some(noon + TimeDelta::minutes(30)));

    clock.advance(TimeDelta::hours(10));
    let morning = clock.now();
    let third = next_run_over(&t.app, &second).await;
    completed(&third);
    let quiet_for = morning - noon;
    assert_eq!(
        due(&t.app, id).await,
        Some(morning + quiet_for / 10),
        "the forty missed runs are one, and the next comes later"
    );

    t.world.append(HARBOUR, 1);
    clock.advance(quiet_for / 10);
    let fourth = next_run_over(&t.app, &third).await;
    assert_eq!(fourth.counts.messages, 1);
    assert_eq!(
        due(&t.app, id).await,
        Some(clock.now() + TimeDelta::minutes(15)),
        "news bring the plain interval back"
    );
    let all = t.app.list_runs(RunFilter::default()).await.unwrap();
    assert_eq!(all.len(), 4);
    t.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_source_and_a_manual_one_are_not_run_by_the_clock() {
    let clock = FixedClock::default();
    let t = TestApp::on_clock(two_channels(&clock, 5), &clock).await;
    t.app.start_scheduler();
    let paused = t.add(HARBOUR).await.id;
    let manual = CreateSource {
        path: Some(t.dir.path().join("other").display().to_string()),
        schedule: Some(Schedule::Manual),
        ..public(HARBOUR)
    };
    let manual = t.app.create_source(manual).await.unwrap().id;
    let clocked = t.add(LIGHTHOUSE).await.id;
    let mut first = Vec::new();
    for id in [paused, manual, clocked] {
        first.push(last_run_over(&t.app, id).await);
    }
    let row = t.app.pause_source(paused).await.unwrap();
    assert!(row.paused_at.is_some() && row.next_run_at.is_none());

    clock.advance(TimeDelta::hours(1));
    completed(&next_run_over(&t.app, &first[2]).await);
    for (id, first) in [(paused, &first[0]), (manual, &first[1])] {
        let newest = newest_run(&t.app, id).await.unwrap();
        assert_eq!(newest.uid, first.uid, "only its first run");
    }

    let row = t.app.resume_source(paused).await.unwrap();
    assert!(row.paused_at.is_none());
    completed(&next_run_over(&t.app, &first[0]).await);
    let edit = EditSource {
        schedule: Some(Schedule::Manual),
        ..EditSource::default()
    };
    assert_eq!(t.app.edit_source(paused, edit).await.unwrap().next_run_at, None);
    t.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_over_mends_what_the_last_one_left() {
    let clock = FixedClock::default();
    let t = TestApp::on_clock(two_channels(&clock, 5), &clock).await;
    t.app.start_scheduler();
    let id = t.add(HARBOUR).await.id;
    last_run_over(&t.app, id).await;
    let other = t.second_on(&clock).await;
    other.start_scheduler();

    let left = orphan(&t, id, &clock).await;
    assert_eq!(t.app.get_run(left).await.unwrap().row.state, RunState::Running);
    t.app.shutdown().await;
    let ended = eventually(&other, async || {
        let run = other.get_run(left).await.unwrap().row;
        run.state.is_over().then_some(run)
    })
    .await;
    assert_eq!(
        (ended.state, ended.code),
        (RunState::Failed, Some(Code::Interrupted))
    );
    completed(&next_run_over(&other, &ended).await);
    other.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_at_work_is_noticed_within_a_minute() {
    let clock = FixedClock::default();
    let t = TestApp::on_clock(two_channels(&clock, 5), &clock).await;
    t.app.start_scheduler();
    let id = t.add(HARBOUR).await.id;
    last_run_over(&t.app, id).await;
    let left = orphan(&t, id, &clock).await;
    clock.advance(TimeDelta::minutes(1));
    let ended = eventually(&t.app, async || {
        let run = t.app.get_run(left).await.unwrap().row;
        run.state.is_over().then_some(run)
    })
    .await;
    assert_eq!(ended.code, Some(Code::Interrupted));
    completed(&next_run_over(&t.app, &ended).await);
    t.app.shutdown().await;
}

#[tokio::test]
async fn a_run_whose_process_died_can_be_cancelled() {
    let clock = FixedClock::default();
    let t = TestApp::on_clock(two_channels(&clock, 5), &clock).await;
    let id = t.add(HARBOUR).await.id;
    let left = orphan(&t, id, &clock).await;
    let ended = t.app.cancel_run(left).await.unwrap();
    assert_eq!(ended.state, RunState::Cancelled);
    t.app.delete_source(id, false).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_quitting_stops_goes_on_at_the_next_start_even_a_first_run_of_a_manual_source() {
    let clock = FixedClock::default();
    let t = TestApp::on_clock(two_channels(&clock, 1_500), &clock).await;
    slow_pages(&t);
    t.app.start_scheduler();
    let manual = CreateSource {
        schedule: Some(Schedule::Manual),
        ..public(HARBOUR)
    };
    let id = t.app.create_source(manual).await.unwrap().id;
    let stopped = under_way(&t.app, id).await;
    t.app.shutdown().await;

    t.site.faults().pages(Faults::default());
    let next = t.second_on(&clock).await;
    let stopped = next.get_run(stopped.uid).await.unwrap().row;
    assert_eq!(
        (stopped.state, stopped.code),
        (RunState::Failed, Some(Code::Interrupted))
    );
    assert_eq!(due(&next, id).await, Some(clock.now()), "due at once");
    next.start_scheduler();
    completed(&next_run_over(&next, &stopped).await);
    assert_eq!(kept(&t.archive()).len(), t.world.live_ids(HARBOUR).len());
    assert_eq!(due(&next, id).await, None, "and from then on only when asked");
    next.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overdue_source_that_is_cancelled_does_not_start_again_at_once() {
    let clock = FixedClock::default();
    let t = TestApp::on_clock(two_channels(&clock, 1_500), &clock).await;
    slow_pages(&t);
    t.app.start_scheduler();
    let id = t.add(HARBOUR).await.id;
    let run = under_way(&t.app, id).await;
    clock.advance(TimeDelta::hours(1));
    t.app.cancel_run(run.uid).await.unwrap();
    let ended = last_run_over(&t.app, id).await;
    assert_eq!((ended.uid, ended.state), (run.uid, RunState::Cancelled));
    assert_eq!(
        due(&t.app, id).await,
        Some(clock.now() + TimeDelta::minutes(15)),
        "one step from the cancelling"
    );
    t.site.faults().pages(Faults::default());
    a_beat_passes(&t).await;
    assert_eq!(newest_run(&t.app, id).await.unwrap().uid, run.uid);
    t.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overdue_source_is_deleted_while_it_is_scraped() {
    let clock = FixedClock::default();
    let t = TestApp::on_clock(two_channels(&clock, 1_500), &clock).await;
    slow_pages(&t);
    t.app.start_scheduler();
    let id = t.add(HARBOUR).await.id;
    under_way(&t.app, id).await;
    clock.advance(TimeDelta::hours(1));
    let archive = t.archive();
    t.app.delete_source(id, true).await.unwrap();
    assert!(!archive.exists());
    a_beat_passes(&t).await;
    assert!(!archive.exists(), "no run began in between");
    t.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_fails_is_tried_again_when_it_is_due() {
    let clock = FixedClock::default();
    let t = TestApp::on_clock(two_channels(&clock, 5), &clock).await;
    t.world.set_standing(HARBOUR, Standing::NoPreview);
    t.app.start_scheduler();
    let id = t.add(HARBOUR).await.id;
    let failed = last_run_over(&t.app, id).await;
    assert_eq!(failed.state, RunState::Failed);
    assert_eq!(due(&t.app, id).await, Some(clock.now() + TimeDelta::minutes(15)));
    t.world.set_standing(HARBOUR, Standing::Public);
    clock.advance(TimeDelta::minutes(15));
    completed(&next_run_over(&t.app, &failed).await);
    t.app.shutdown().await;
}
