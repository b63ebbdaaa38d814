use chrono::{Duration, NaiveDate};
use gleaner_domain::record::Revision;
use gleaner_domain::{ChannelId, Code, HistoryStart, MediaStatus, RunOutcome, ScrapePolicy};
use gleaner_scrape::Limits;
use tokio_util::sync::CancellationToken;

use crate::world::{Post, Source, World, noon};

#[tokio::test]
async fn a_first_run_keeps_every_message_and_file_once() {
    let source = Source::of(World::of(1..=450));
    let (outcome, counts) = source.run().await;
    assert_eq!(outcome, RunOutcome::Completed);
    assert_eq!(source.ids(), (1..=450).collect::<Vec<_>>());
    assert_eq!((counts.messages, counts.files), (450, 45));
    let kept = source.kept.lock().unwrap();
    assert_eq!(kept.doubled, 0);
    assert_eq!(kept.files.len(), 45);
    assert!(
        kept.records[&10]
            .media
            .iter()
            .all(|m| m.status == MediaStatus::Stored && m.path.is_some())
    );
}

#[tokio::test]
async fn a_second_run_reads_one_page_and_keeps_nothing_twice() {
    let source = Source::of(World::of(1..=450));
    source.run().await;
    let pages = source.world.pages.load(std::sync::atomic::Ordering::SeqCst);
    let (outcome, counts) = source.run().await;
    assert_eq!((outcome, counts.messages), (RunOutcome::Completed, 0));
    assert_eq!(
        source.world.pages.load(std::sync::atomic::Ordering::SeqCst),
        pages,
        "opening was enough"
    );
    assert_eq!(
        source.kept.lock().unwrap().commits,
        1,
        "a run without news leaves the target alone"
    );
}

#[tokio::test]
async fn new_posts_come_first_and_alone() {
    let source = Source::of(World::of(1..=100));
    source.run().await;
    for id in 101..=175 {
        let post = Post {
            text: "new".into(),
            views: 1,
            file: false,
            date: noon(),
        };
        source.world.posts.lock().unwrap().insert(id, post);
    }
    let (_, counts) = source.run().await;
    assert_eq!(counts.messages, 75);
    assert_eq!(source.ids().len(), 175);
}

#[tokio::test]
async fn posts_that_cannot_be_read_are_passed_told_and_asked_for_again() {
    let mut source = Source::of(World::of(1..=130));
    source.world.unreadable.lock().unwrap().extend([30, 77, 130]);
    let (outcome, counts) = source.run().await;
    assert_eq!((outcome, counts.messages), (RunOutcome::Completed, 127));
    let missing = |source: &Source| {
        let seen = source.kept.lock().unwrap().checkpoint.seen.clone();
        seen.missing(1..=130).iter().flatten().collect::<Vec<_>>()
    };
    assert_eq!(missing(&source), [30, 77, 130], "never said to be empty");
    let warnings = std::mem::take(&mut *source.warnings.lock().unwrap());
    assert_eq!(warnings.len(), 3, "once each: {warnings:?}");
    assert!(
        warnings
            .iter()
            .any(|text| text.contains("Message 77 cannot be read (it has no date)"))
    );

    source.world.unreadable.lock().unwrap().remove(&77);
    source.run().await;
    assert_eq!(missing(&source), [30, 130]);

    // A message that was kept and cannot be read any more is not one that vanished.
    source.world.unreadable.lock().unwrap().insert(125);
    source.now += Duration::hours(2);
    let (outcome, counts) = source.run().await;
    assert_eq!((outcome, counts.gone), (RunOutcome::Completed, 0));
    assert_eq!(source.kept.lock().unwrap().doubled, 0);
}

#[tokio::test]
async fn gaps_and_sparse_stretches_hide_nothing() {
    let ids: Vec<u32> = (1..=30)
        .chain([400, 401, 5_000])
        .chain((6_000..9_000).step_by(97))
        .collect();
    let source = Source::of(World::of(ids.clone()));
    assert_eq!(source.run().await.0, RunOutcome::Completed);
    assert_eq!(source.ids(), ids);
    let seen = source.kept.lock().unwrap().checkpoint.seen.clone();
    assert!(
        seen.missing(1..=*ids.last().unwrap()).is_empty(),
        "every id is answered for"
    );
}

#[tokio::test]
async fn a_channel_without_posts_completes() {
    let source = Source::of(World::of([]));
    assert_eq!(source.run().await.0, RunOutcome::Completed);
}

#[tokio::test]
async fn a_dead_line_keeps_what_was_read_and_the_next_run_fills_the_rest() {
    let source = Source::of(World::of(1..=600));
    source.world.failing.lock().unwrap().insert(301);
    let (outcome, counts) = source.run().await;
    assert!(
        matches!(
            outcome,
            RunOutcome::Failed {
                code: Code::Unreachable,
                ..
            }
        ),
        "{outcome:?}"
    );
    assert!(
        counts.messages >= 280,
        "what came before the failure is kept: {}",
        counts.messages
    );
    let (outcome, _) = source.run().await;
    assert_eq!(outcome, RunOutcome::Completed);
    assert_eq!(source.ids().len(), 600);
    assert_eq!(source.kept.lock().unwrap().doubled, 0);
}

#[tokio::test]
async fn cancelling_keeps_what_was_read() {
    let mut source = Source::of(World::of(1..=2_000));
    *source.world.cancel_at.lock().unwrap() = Some((1_000, source.cancel.clone()));
    let (outcome, _) = source.run().await;
    assert_eq!(outcome, RunOutcome::Cancelled);
    let before = source.ids().len();
    assert!((500..2_000).contains(&before), "{before}");
    *source.world.cancel_at.lock().unwrap() = None;
    source.cancel = CancellationToken::new();
    source.run().await;
    assert_eq!(source.ids().len(), 2_000);
    assert_eq!(source.kept.lock().unwrap().doubled, 0);
}

#[tokio::test]
async fn a_target_that_goes_away_fails_the_run_and_loses_nothing() {
    let mut source = Source::of(World::of(1..=900));
    source.limits = Limits {
        batch_messages: 100,
        ..Limits::default()
    };
    source.kept.lock().unwrap().fail_commit = Some(4);
    let (outcome, counts) = source.run().await;
    assert!(
        matches!(
            outcome,
            RunOutcome::Failed {
                code: Code::TargetUnreachable,
                ..
            }
        ),
        "{outcome:?}"
    );
    assert_eq!(source.ids().len(), 300, "three batches were durable");
    assert!(counts.messages >= 300);
    source.kept.lock().unwrap().fail_commit = None;
    assert_eq!(source.run().await.0, RunOutcome::Completed);
    assert_eq!(
        (source.ids().len(), source.kept.lock().unwrap().doubled),
        (900, 0)
    );
}

#[tokio::test]
async fn too_little_room_stops_before_writing() {
    let mut source = Source::of(World::of(1..=50));
    source.limits.free_space_floor = 1 << 30;
    source.kept.lock().unwrap().free = Some(1 << 20);
    let (outcome, _) = source.run().await;
    assert!(
        matches!(
            outcome,
            RunOutcome::Failed {
                code: Code::DiskFull,
                ..
            }
        ),
        "{outcome:?}"
    );
    assert!(source.ids().is_empty());
}

#[tokio::test]
async fn the_window_tells_edits_deletions_and_counters() {
    let mut source = Source::of(World::of(1..=300));
    for id in 250..=300 {
        source
            .world
            .edit(id, |post| post.date = noon() - Duration::minutes(30));
    }
    source.run().await;
    source.world.edit(290, |post| post.text = "corrected".into());
    source.world.edit(295, |post| post.views = 9_999);
    source.world.posts.lock().unwrap().remove(&280);
    source
        .world
        .edit(100, |post| post.text = "outside of the window".into());

    source.now = noon() + Duration::minutes(59);
    let (_, early) = source.run().await;
    assert_eq!((early.edited, early.gone), (0, 0), "at most hourly");

    source.now = noon() + Duration::minutes(61);
    let (_, counts) = source.run().await;
    assert_eq!((counts.edited, counts.gone, counts.samples), (1, 1, 1));
    let kept = source.kept.lock().unwrap();
    assert!(
        kept.revisions
            .iter()
            .any(|r| matches!(r, Revision::Edit(r) if r.text == "corrected"))
    );
    assert!(
        kept.revisions
            .iter()
            .any(|r| matches!(r, Revision::Gone(g) if g.id.0 == 280))
    );
    assert!(
        kept.revisions.iter().all(
            |r| !matches!(r, Revision::Edit(r) if r.id.0 == 290 && !r.media.is_empty()
            && r.media[0].status != MediaStatus::Stored)
        ),
        "an edited text keeps its stored file"
    );
}

#[tokio::test]
async fn a_file_that_failed_comes_late_and_its_message_is_not_doubled() {
    let source = Source::of(World::of(1..=40));
    source.world.bad_files.lock().unwrap().insert(20, 1);
    let (outcome, counts) = source.run().await;
    assert_eq!(
        (outcome, counts.files, counts.files_failed),
        (RunOutcome::Completed, 3, 1)
    );
    {
        let kept = source.kept.lock().unwrap();
        assert_eq!(kept.records[&20].media[0].status, MediaStatus::Failed);
        assert_eq!(kept.records[&20].media[0].reason.as_deref(), Some("expired"));
        assert_eq!(kept.checkpoint.media_retry.len(), 1);
    }
    let (_, counts) = source.run().await;
    assert_eq!(counts.files, 1);
    let kept = source.kept.lock().unwrap();
    assert!(kept.checkpoint.media_retry.is_empty());
    let late = kept.revisions.iter().find_map(|r| match r {
        Revision::Media(record) => Some(record),
        _ => None,
    });
    assert_eq!(late.expect("a late file").media[0].status, MediaStatus::Stored);
}

#[tokio::test]
async fn the_cap_of_a_day_pauses_until_tomorrow() {
    let mut source = Source::of(World::of(1..=200));
    source.limits.file_bytes_left = Some(40);
    let (outcome, counts) = source.run().await;
    let RunOutcome::Paused {
        until,
        code: Code::DailyCapReached,
        ..
    } = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(until.to_rfc3339(), "2026-03-02T00:00:00+00:00");
    assert!(counts.files < 20, "{}", counts.files);
    source.limits.file_bytes_left = None;
    source.run().await;
    assert_eq!(
        source.kept.lock().unwrap().files.len(),
        20,
        "the rest came the next day"
    );
    assert_eq!(source.ids().len(), 200);
}

#[tokio::test]
async fn from_now_on_and_since_a_day_leave_the_past_alone() {
    let mut now = Source::of(World::of(1..=300));
    now.policy = ScrapePolicy {
        history: HistoryStart::Now,
        ..ScrapePolicy::default()
    };
    now.run().await;
    assert!(now.ids().is_empty());
    now.world.posts.lock().unwrap().insert(
        301,
        Post {
            text: "first new one".into(),
            views: 0,
            file: false,
            date: noon(),
        },
    );
    now.run().await;
    assert_eq!(now.ids(), [301]);

    let mut since = Source::of(World::of(1..=2_000));
    let day: NaiveDate = since.world.posts.lock().unwrap()[&1_500].date.date_naive();
    since.policy = ScrapePolicy {
        history: HistoryStart::Since { date: day },
        ..ScrapePolicy::default()
    };
    since.run().await;
    let lowest = since.ids()[0];
    assert!(
        (1_400..=1_500).contains(&lowest),
        "{lowest}: one page of slack at most"
    );
    let pages = since.world.pages.load(std::sync::atomic::Ordering::SeqCst);
    since.run().await;
    assert_eq!(
        since.world.pages.load(std::sync::atomic::Ordering::SeqCst),
        pages,
        "the floor is remembered"
    );
}

#[tokio::test]
async fn a_name_that_changed_hands_midway_stops_the_run() {
    let source = Source::of(World::of(1..=100));
    source.run().await;
    *source.world.channel.lock().unwrap() = ChannelId(42);
    source.world.posts.lock().unwrap().insert(
        101,
        Post {
            text: "somebody else's".into(),
            views: 0,
            file: false,
            date: noon(),
        },
    );
    let (outcome, _) = source.run().await;
    assert!(
        matches!(
            outcome,
            RunOutcome::Failed {
                code: Code::ChannelReplaced,
                ..
            }
        ),
        "{outcome:?}"
    );
    assert_eq!(source.ids().len(), 100);
}

#[tokio::test]
async fn without_files_every_file_says_why() {
    let mut source = Source::of(World::of(1..=20));
    source.policy.media = false;
    let (_, counts) = source.run().await;
    assert_eq!((counts.files, counts.files_skipped), (0, 2));
    let kept = source.kept.lock().unwrap();
    assert_eq!(kept.records[&10].media[0].status, MediaStatus::Skipped);
    assert!(kept.records[&10].media[0].reason.is_some());
}
