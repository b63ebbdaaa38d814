//! Runs: queue, start, list, fold, prune.

use chrono::Duration;
use gleaner_domain::{Code, RunCounts, RunOutcome, RunState, RunUid, Source, Trigger};
use gleaner_scrape::{Ledger, NoteLevel};
use gleaner_store::{NewRun, RunQuery, RunStored, StoreError};
use rstest::rstest;

use crate::world::{HandClock, World, lease_key, noon};

const NOTHING: RunCounts = RunCounts {
    messages: 0,
    edited: 0,
    gone: 0,
    samples: 0,
    files: 0,
    file_bytes: 0,
    files_skipped: 0,
    files_failed: 0,
    pages: 0,
    page_bytes: 0,
    retries: 0,
};

fn new_run(source: &Source) -> NewRun {
    NewRun {
        uid: RunUid::new(),
        source_id: source.id,
        trigger: Trigger::Manual,
        created_at: noon(),
    }
}

fn all() -> RunQuery {
    RunQuery {
        limit: 500,
        ..RunQuery::default()
    }
}

fn uids(runs: &[RunStored]) -> Vec<RunUid> {
    runs.iter().map(|run| run.uid).collect()
}

#[tokio::test]
async fn a_run_goes_from_the_queue_to_its_end() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let new = new_run(&source);
    let queued = world.store.insert_run(&new).await.expect("queued");
    assert_eq!(
        (queued.state, queued.folded, queued.started_at),
        (RunState::Queued, 1, None)
    );
    assert_eq!(
        (queued.source_id, queued.source_name.as_str()),
        (source.id, "news_one")
    );
    assert_eq!(uids(&world.store.queued_runs(5).await.expect("read")), [new.uid]);

    world
        .store
        .start_run(new.uid, noon() + Duration::seconds(1))
        .await
        .expect("started");
    assert_eq!(
        world
            .store
            .source_row(source.id)
            .await
            .expect("read")
            .last_run
            .map(|run| run.state),
        Some(RunState::Running)
    );
    assert!(world.store.queued_runs(5).await.expect("read").is_empty());

    let until = noon() + Duration::hours(1);
    let outcome = RunOutcome::Paused {
        until,
        code: Code::FloodWait,
        detail: "asked to wait".to_owned(),
    };
    let counts = RunCounts {
        messages: 3,
        retries: 9,
        ..NOTHING
    };
    world
        .store
        .finish_run(new.uid, &outcome, counts, noon() + Duration::seconds(2))
        .await
        .expect("ended");
    let run = world.store.run(new.uid).await.expect("read");
    assert_eq!(
        (run.state, run.code, run.paused_until),
        (RunState::Paused, Some(Code::FloodWait), Some(until))
    );
    assert_eq!(
        (run.detail.as_deref(), run.counts),
        (Some("asked to wait"), counts)
    );
    assert_eq!(run.started_at, Some(noon() + Duration::seconds(1)));
    assert_eq!(run.finished_at, Some(noon() + Duration::seconds(2)));
    assert!(world.store.runs_under_way().await.expect("read").is_empty());
}

#[tokio::test]
async fn a_source_has_one_open_run_at_a_time() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let first = new_run(&source);
    world.store.insert_run(&first).await.expect("queued");
    assert!(matches!(
        world.store.insert_run(&new_run(&source)).await,
        Err(StoreError::AlreadyRunning)
    ));
    world.store.start_run(first.uid, noon()).await.expect("started");
    assert!(matches!(
        world.store.insert_run(&new_run(&source)).await,
        Err(StoreError::AlreadyRunning)
    ));
    world
        .store
        .finish_run(first.uid, &RunOutcome::Cancelled, NOTHING, noon())
        .await
        .expect("ended");
    world
        .store
        .insert_run(&new_run(&source))
        .await
        .expect("queued again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_processes_that_start_a_queued_run_one_succeeds() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let new = new_run(&source);
    world.store.insert_run(&new).await.expect("queued");
    let other = world.again().await;
    let (a, b) = tokio::join!(
        world.store.start_run(new.uid, noon()),
        other.start_run(new.uid, noon())
    );
    let refused = match (a, b) {
        (Ok(()), Err(refused)) | (Err(refused), Ok(())) => refused,
        both => panic!("one of them: {both:?}"),
    };
    assert!(matches!(refused, StoreError::AlreadyRunning), "{refused:?}");
}

#[tokio::test]
async fn a_run_that_is_over_cannot_be_started_or_ended_again() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let run = world
        .ended(&source, Trigger::Manual, RunOutcome::Cancelled, NOTHING, noon())
        .await;
    for uid in [run, RunUid::new()] {
        assert!(matches!(
            world.store.start_run(uid, noon()).await,
            Err(StoreError::RunNotFound)
        ));
        let ended = world
            .store
            .finish_run(uid, &RunOutcome::Completed, NOTHING, noon())
            .await;
        assert!(matches!(ended, Err(StoreError::RunNotFound)), "{ended:?}");
    }
    assert_eq!(
        world.store.run(run).await.expect("read").state,
        RunState::Cancelled
    );
    assert!(matches!(
        world.store.run_log(RunUid::new(), 5).await,
        Err(StoreError::RunNotFound)
    ));
}

#[tokio::test]
async fn the_list_has_what_goes_on_first_and_then_the_newest() {
    let world = World::new().await;
    let (one, two) = (world.source("@news_one").await, world.source("@news_two").await);
    let running = world.start(&one, Trigger::Manual, noon()).await;
    let mut ended = Vec::new();
    for n in 0..5 {
        let at = noon() + Duration::minutes(n);
        ended.insert(
            0,
            world
                .ended(&two, Trigger::Manual, RunOutcome::Completed, NOTHING, at)
                .await,
        );
    }
    let queued = new_run(&two);
    world.store.insert_run(&queued).await.expect("queued");
    let expected: Vec<_> = [queued.uid, running]
        .into_iter()
        .chain(ended.iter().copied())
        .collect();
    assert_eq!(uids(&world.store.runs(&all()).await.expect("read")), expected);

    // Page by page it is the same list.
    for limit in 1..4 {
        let mut pages = Vec::new();
        let mut before = None;
        loop {
            let page = world
                .store
                .runs(&RunQuery {
                    before,
                    limit,
                    ..all()
                })
                .await
                .expect("read");
            let Some(last) = page.last() else { break };
            before = Some(last.uid);
            pages.extend(uids(&page));
        }
        assert_eq!(pages, expected, "in pages of {limit}");
    }

    let of_one = RunQuery {
        source_id: Some(one.id),
        ..all()
    };
    assert_eq!(uids(&world.store.runs(&of_one).await.expect("read")), [running]);
    let completed = RunQuery {
        state: Some(RunState::Completed),
        limit: 2,
        ..all()
    };
    assert_eq!(
        uids(&world.store.runs(&completed).await.expect("read")),
        ended[..2]
    );
    let over = RunQuery {
        over: Some(true),
        ..all()
    };
    assert_eq!(uids(&world.store.runs(&over).await.expect("read")), ended);
    let going_on = RunQuery {
        over: Some(false),
        search: Some(two.identifier.to_string().to_uppercase()),
        ..all()
    };
    assert_eq!(
        uids(&world.store.runs(&going_on).await.expect("read")),
        [queued.uid]
    );
    let waiting = RunQuery {
        state: Some(RunState::Queued),
        source_id: Some(two.id),
        ..all()
    };
    assert_eq!(
        uids(&world.store.runs(&waiting).await.expect("read")),
        [queued.uid]
    );
    let under_way = world.store.runs_under_way().await.expect("read");
    assert_eq!(
        under_way
            .iter()
            .map(|(run, source)| (run.uid, *source))
            .collect::<Vec<_>>(),
        [(running, one.uid)]
    );
}

#[tokio::test]
async fn a_page_goes_on_even_when_the_run_it_hangs_on_was_folded_away() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let older = world
        .ended(&source, Trigger::Manual, RunOutcome::Completed, NOTHING, noon())
        .await;
    let melted = world
        .ended(&source, Trigger::Schedule, RunOutcome::Completed, NOTHING, noon())
        .await;
    let newest = world
        .ended(&source, Trigger::Schedule, RunOutcome::Completed, NOTHING, noon())
        .await;
    assert_eq!(
        uids(&world.store.runs(&all()).await.expect("read")),
        [newest, older]
    );
    let page = RunQuery {
        before: Some(melted),
        ..all()
    };
    assert_eq!(uids(&world.store.runs(&page).await.expect("read")), [older]);
}

#[tokio::test]
async fn scheduled_runs_without_news_fold_into_the_newest() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let with_news = RunCounts {
        messages: 2,
        ..NOTHING
    };
    let quiet = RunCounts {
        pages: 2,
        page_bytes: 100,
        samples: 1,
        ..NOTHING
    };
    let first = world
        .ended(
            &source,
            Trigger::Schedule,
            RunOutcome::Completed,
            with_news,
            noon(),
        )
        .await;
    let mut last = first;
    for n in 1..=4 {
        let at = noon() + Duration::minutes(15 * n);
        last = world
            .ended(&source, Trigger::Schedule, RunOutcome::Completed, quiet, at)
            .await;
    }
    let runs = world.store.runs(&all()).await.expect("read");
    assert_eq!(uids(&runs), [last, first]);
    assert_eq!(runs[0].folded, 4);
    assert_eq!(
        runs[0].finished_at,
        Some(noon() + Duration::minutes(60)),
        "the newest times"
    );
    assert_eq!(
        runs[0].counts,
        RunCounts {
            pages: 8,
            page_bytes: 400,
            samples: 4,
            ..NOTHING
        }
    );
    assert_eq!(runs[1].folded, 1);

    // News end the row; the next quiet run begins another.
    world
        .ended(
            &source,
            Trigger::Schedule,
            RunOutcome::Completed,
            with_news,
            noon() + Duration::hours(2),
        )
        .await;
    world
        .ended(
            &source,
            Trigger::Schedule,
            RunOutcome::Completed,
            quiet,
            noon() + Duration::hours(3),
        )
        .await;
    let folded: Vec<_> = world
        .store
        .runs(&all())
        .await
        .expect("read")
        .iter()
        .map(|run| run.folded)
        .collect();
    assert_eq!(folded, [1, 1, 4, 1]);
}

#[rstest]
#[case::asked_for(Trigger::Manual, RunOutcome::Completed, NOTHING)]
#[case::cancelled(Trigger::Schedule, RunOutcome::Cancelled, NOTHING)]
#[case::failed(Trigger::Schedule, RunOutcome::Failed { code: Code::Unreachable, detail: String::new() }, NOTHING)]
#[case::new_messages(Trigger::Schedule, RunOutcome::Completed, RunCounts { messages: 1, ..NOTHING })]
#[case::edits(Trigger::Schedule, RunOutcome::Completed, RunCounts { edited: 1, ..NOTHING })]
#[case::losses(Trigger::Schedule, RunOutcome::Completed, RunCounts { gone: 1, ..NOTHING })]
#[case::late_files(Trigger::Schedule, RunOutcome::Completed, RunCounts { files: 1, ..NOTHING })]
#[case::failed_files(Trigger::Schedule, RunOutcome::Completed, RunCounts { files_failed: 1, ..NOTHING })]
#[tokio::test]
async fn a_run_that_is_more_than_a_quiet_look_keeps_its_row(
    #[case] trigger: Trigger,
    #[case] outcome: RunOutcome,
    #[case] counts: RunCounts,
) {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let quiet_before = world
        .ended(&source, Trigger::Schedule, RunOutcome::Completed, NOTHING, noon())
        .await;
    let run = world.ended(&source, trigger, outcome, counts, noon()).await;
    let quiet_after = world
        .ended(&source, Trigger::Schedule, RunOutcome::Completed, NOTHING, noon())
        .await;
    assert_eq!(
        uids(&world.store.runs(&all()).await.expect("read")),
        [quiet_after, run, quiet_before]
    );
}

#[tokio::test]
async fn a_quiet_run_that_warned_of_something_is_not_folded_away() {
    let world = World::new().await;
    let (source, warned, fence) = {
        let source = world.source("@news_one").await;
        let run = world.start(&source, Trigger::Schedule, noon()).await;
        let fence = world
            .store
            .take_lease(&lease_key(&source), "a test", noon())
            .await
            .expect("a lease");
        (source, run, fence)
    };
    let ledger = world
        .store
        .ledger(source.id, warned, fence, HandClock::new(noon()).shared());
    ledger
        .note(NoteLevel::Warning, "a page was odd".to_owned())
        .await
        .expect("noted");
    world
        .store
        .finish_run(warned, &RunOutcome::Completed, NOTHING, noon())
        .await
        .expect("ended");
    let quiet = world
        .ended(&source, Trigger::Schedule, RunOutcome::Completed, NOTHING, noon())
        .await;
    assert_eq!(
        uids(&world.store.runs(&all()).await.expect("read")),
        [quiet, warned]
    );
}

#[tokio::test]
async fn fifty_runs_of_a_source_are_kept() {
    let world = World::new().await;
    let (busy, calm) = (world.source("@news_busy").await, world.source("@news_calm").await);
    let kept = world
        .ended(&calm, Trigger::Manual, RunOutcome::Completed, NOTHING, noon())
        .await;
    let mut newest = Vec::new();
    for n in 0..60 {
        let at = noon() + Duration::minutes(n);
        newest.insert(
            0,
            world
                .ended(&busy, Trigger::Manual, RunOutcome::Completed, NOTHING, at)
                .await,
        );
    }
    let of_busy = RunQuery {
        source_id: Some(busy.id),
        ..all()
    };
    assert_eq!(
        uids(&world.store.runs(&of_busy).await.expect("read")),
        newest[..50]
    );
    world
        .store
        .run(kept)
        .await
        .expect("another source's runs do not count");
}

#[tokio::test]
async fn runs_of_more_than_ninety_days_ago_go() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let old = world
        .ended(&source, Trigger::Manual, RunOutcome::Completed, NOTHING, noon())
        .await;
    let young = world
        .ended(
            &source,
            Trigger::Manual,
            RunOutcome::Completed,
            NOTHING,
            noon() + Duration::days(1),
        )
        .await;
    let now = noon() + Duration::days(90) + Duration::hours(1);
    let newest = world
        .ended(&source, Trigger::Manual, RunOutcome::Completed, NOTHING, now)
        .await;
    assert_eq!(
        uids(&world.store.runs(&all()).await.expect("read")),
        [newest, young]
    );
    assert!(matches!(world.store.run(old).await, Err(StoreError::RunNotFound)));
}

#[tokio::test]
async fn totals_never_fall_even_when_a_broken_run_knows_none() {
    let world = World::new().await;
    let (source, run, fence) = world.running("@news_one").await;
    let ledger = world
        .store
        .ledger(source.id, run, fence, HandClock::new(noon()).shared());
    let counts = RunCounts {
        messages: 5,
        files: 2,
        file_bytes: 70,
        pages: 1,
        ..NOTHING
    };
    let commit = gleaner_scrape::Commit {
        channel: &crate::world::channel(),
        checkpoint: &crate::world::checkpoint(5),
        counts,
        changes: Vec::new(),
    };
    ledger.commit(commit).await.expect("committed");
    let outcome = RunOutcome::Failed {
        code: Code::Internal,
        detail: "a defect".to_owned(),
    };
    world
        .store
        .finish_run(run, &outcome, NOTHING, noon())
        .await
        .expect("ended");
    assert_eq!(world.store.run(run).await.expect("read").counts, counts);
}
