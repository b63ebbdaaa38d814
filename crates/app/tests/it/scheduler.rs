use std::time::Duration;

use gleaner_app::view::{EditSource, Tag};
use gleaner_domain::{Code, RunState, Schedule, Trigger};
use gleaner_testkit::preview::Faults;

use crate::test_app::{HARBOUR, TestApp, completed, eventually, kept, last_run_over};

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
    let t = TestApp::new(1_500).await;
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
async fn a_paused_source_and_a_manual_one_are_not_run_by_the_clock() {
    let t = TestApp::new(5).await;
    let id = t.add(HARBOUR).await.id;
    t.run(id).await;
    let row = t.app.pause_source(id).await.unwrap();
    assert!(row.paused_at.is_some() && row.next_run_at.is_none());
    let row = t.app.resume_source(id).await.unwrap();
    assert!(row.paused_at.is_none() && row.next_run_at.is_some());
    let manual = EditSource {
        schedule: Some(Schedule::Manual),
        ..EditSource::default()
    };
    assert_eq!(t.app.edit_source(id, manual).await.unwrap().next_run_at, None);
}
