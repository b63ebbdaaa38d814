use std::time::Duration;

use gleaner_app::view::{CreateSource, EditSource, RunFilter, Tag};
use gleaner_domain::{Code, RunState, Schedule, Trigger};
use gleaner_testkit::preview::Faults;
use gleaner_testkit::world::{ChannelSpec, Mix, World};

use crate::test_app::{HARBOUR, TestApp, completed, eventually, kept, last_run_over, public};

/// Enough pages to stop a run among them, and no files to wait for.
fn long_history() -> World {
    World::new().channel(
        ChannelSpec::new(HARBOUR, 1_100_000_001)
            .mix(Mix::Text)
            .posts(1_500),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_source_is_scraped_at_once_and_everyone_hears_of_it() {
    let t = TestApp::new(40).await;
    t.app.start_scheduler();
    let mut events = t.app.subscribe();
    let source = t.add(HARBOUR).await;
    let run = last_run_over(&t.app, source.id).await;
    completed(&run);
    assert_eq!(run.trigger, Trigger::Created);
    assert_eq!(kept(&t.archive()).len(), t.world.live_ids(HARBOUR).len());

    let mut tags = Vec::new();
    let mut last = 0;
    while let Ok(event) = events.try_recv() {
        if event.tag != Tag::Progress {
            assert!(event.seq > last, "events are numbered upwards");
            last = event.seq;
        }
        tags.push(event.tag);
    }
    for tag in [Tag::Sources, Tag::Runs, Tag::Progress] {
        assert!(tags.contains(&tag), "{tag:?} in {tags:?}");
    }
    t.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_runs_what_is_due_and_takes_wishes_of_the_others() {
    let t = TestApp::new(30).await;
    t.app.start_scheduler();
    let other = t.second().await;
    other.start_scheduler();
    let source = t.add(HARBOUR).await;
    last_run_over(&t.app, source.id).await;
    let here = t.app.get_settings().await.unwrap().scheduler_here;
    let there = other.get_settings().await.unwrap().scheduler_here;
    assert!(here != there, "exactly one of them holds the lock");

    t.world.append(HARBOUR, 3);
    let wish = other.run_source(source.id).await.unwrap();
    let run = eventually(&other, async || {
        let run = other.get_run(wish.uid).await.unwrap().row;
        run.state.is_over().then_some(run)
    })
    .await;
    completed(&run);
    assert_eq!(run.counts.messages, 3);
    other.shutdown().await;
    t.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_cancelled_from_another_process_and_goes_on_later() {
    let t = TestApp::with(long_history()).await;
    t.site.faults().pages(Faults {
        latency: Duration::from_millis(60),
        ..Faults::default()
    });
    t.app.start_scheduler();
    let other = t.second().await;
    let source = t.add(HARBOUR).await;
    let run = eventually(&t.app, async || {
        let run = t.app.get_source_detail(source.id).await.unwrap().row.last_run?;
        (run.state == RunState::Running && run.counts.messages > 100).then_some(run)
    })
    .await;
    assert_eq!(
        t.app
            .run_here(
                source.id,
                tokio_util::sync::CancellationToken::new(),
                std::sync::Arc::new(|_, _| {})
            )
            .await
            .unwrap_err()
            .code,
        Code::AlreadyRunning
    );
    other.cancel_run(run.uid).await.unwrap();
    let ended = last_run_over(&t.app, source.id).await;
    assert_eq!(ended.state, RunState::Cancelled);
    t.site.faults().pages(Faults::default());
    t.app.run_source(source.id).await.unwrap();
    eventually(&t.app, async || {
        let run = t.app.get_source_detail(source.id).await.unwrap().row.last_run?;
        (run.uid != ended.uid && run.state == RunState::Completed).then_some(())
    })
    .await;
    assert_eq!(kept(&t.archive()).len(), t.world.live_ids(HARBOUR).len());
    other.shutdown().await;
    t.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queued_run_that_two_processes_want_is_carried_out_once_and_never_fails() {
    let t = TestApp::new(5).await;
    let other = t.second().await;
    other.start_scheduler();
    let id = t.add(HARBOUR).await.id;
    last_run_over(&t.app, id).await;
    for _ in 0..15 {
        let wish = t.app.run_source(id).await.unwrap();
        let here = t
            .app
            .run_here(
                id,
                tokio_util::sync::CancellationToken::new(),
                std::sync::Arc::new(|_, _| {}),
            )
            .await;
        match here {
            Ok(run) => completed(&run),
            Err(error) => assert_eq!(error.code, Code::AlreadyRunning, "the other one was faster"),
        }
        let over = eventually(&t.app, async || {
            let run = t.app.get_run(wish.uid).await.unwrap().row;
            run.state.is_over().then_some(run)
        })
        .await;
        completed(&over);
        last_run_over(&t.app, id).await;
    }
    let all = t.app.list_runs(RunFilter::default()).await.unwrap();
    all.iter().for_each(completed);
    other.shutdown().await;
    t.app.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_cannot_change_its_target_while_it_is_scraped() {
    let t = TestApp::with(long_history()).await;
    t.site.faults().pages(Faults {
        latency: Duration::from_millis(60),
        ..Faults::default()
    });
    t.app.start_scheduler();
    let id = t.add(HARBOUR).await.id;
    eventually(&t.app, async || {
        let run = t.app.get_source_detail(id).await.unwrap().row.last_run?;
        (run.state == RunState::Running).then_some(())
    })
    .await;
    let elsewhere = CreateSource {
        path: Some(t.dir.path().join("other").display().to_string()),
        schedule: Some(Schedule::Manual),
        ..public("beta_two")
    };
    let elsewhere = t.app.create_source(elsewhere).await.unwrap().id;
    let target = t.app.get_source_detail(elsewhere).await.unwrap().row.target_uid;
    let edit = || EditSource {
        target_uid: Some(target),
        ..EditSource::default()
    };
    let refused = t.app.edit_source(id, edit()).await.unwrap_err();
    assert_eq!(refused.code, Code::AlreadyRunning);

    let run = t.app.get_source_detail(id).await.unwrap().row.last_run.unwrap();
    t.app.cancel_run(run.uid).await.unwrap();
    last_run_over(&t.app, id).await;
    let moved = t.app.edit_source(id, edit()).await.unwrap();
    assert_eq!((moved.target_uid, moved.messages), (target, 0));
    t.app.shutdown().await;
}
