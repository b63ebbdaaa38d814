use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{Duration, NaiveDate};
use gleaner_domain::record::Revision;
use gleaner_domain::{ChannelId, Code, HistoryStart, MediaStatus, Record, RunOutcome, ScrapePolicy};
use gleaner_scrape::{DayBudget, Limits};
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
            photo: 0,
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
    assert!(is_full(&outcome), "{outcome:?}");
    assert!(source.ids().is_empty());
    let kept = source.kept.lock().unwrap();
    assert_eq!(kept.files, BTreeMap::new(), "no file was written");
    assert_eq!(source.world.files_asked.load(Ordering::SeqCst), 0, "nor fetched");
}

#[tokio::test]
async fn files_stop_at_the_floor_and_what_was_read_is_kept_once() {
    let mut source = Source::of(World::of(1..=100));
    source.limits.free_space_floor = 1_000;
    source.kept.lock().unwrap().free = Some(1_050);
    let (outcome, _) = source.run().await;
    assert!(is_full(&outcome), "{outcome:?}");
    let stored = {
        let kept = source.kept.lock().unwrap();
        assert!(kept.free >= Some(1_000), "the floor is kept: {:?}", kept.free);
        assert!((1..10).contains(&kept.files.len()), "{}", kept.files.len());
        let waiting = |r: &Record| r.media.iter().any(|m| m.status == MediaStatus::Pending);
        assert!(kept.records.values().any(waiting), "the others wait");
        kept.files.len()
    };
    let asked = source.world.files_asked.load(Ordering::SeqCst);
    source.run().await;
    let again = source.world.files_asked.load(Ordering::SeqCst) - asked;
    assert!(again <= 6, "what is kept is not fetched again: {again}");
    source.kept.lock().unwrap().free = Some(1 << 20);
    assert_eq!(source.run().await.0, RunOutcome::Completed);
    let kept = source.kept.lock().unwrap();
    assert_eq!((kept.files.len(), kept.doubled), (10, 0), "{stored} came before");
    assert!(kept.checkpoint.media_retry.is_empty());
}

fn is_full(outcome: &RunOutcome) -> bool {
    matches!(
        outcome,
        RunOutcome::Failed {
            code: Code::DiskFull,
            ..
        }
    )
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
    let mut source = Source::of(World::of(1..=40));
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
    assert_eq!(counts.files, 0, "not tried again within the hour");
    source.now += Duration::hours(1);
    let (_, counts) = source.run().await;
    assert_eq!(counts.files, 1);
    let kept = source.kept.lock().unwrap();
    assert!(kept.checkpoint.media_retry.is_empty());
    let late = kept.revisions.iter().find_map(|r| match r {
        Revision::Media(record) => Some(record),
        _ => None,
    });
    let late = late.expect("a late file");
    assert_eq!(late.media[0].status, MediaStatus::Stored);
    assert_eq!(
        late.observed_at, source.now,
        "the latest of all versions is this one"
    );
}

#[tokio::test]
async fn a_file_that_never_comes_is_given_up_after_days_and_says_so() {
    let mut source = Source::of(World::of(1..=20));
    source.world.bad_files.lock().unwrap().insert(20, u32::MAX);
    source.run().await;
    // Every quarter of an hour for a week, as a schedule has it.
    for _ in 0..4 * 24 * 7 {
        source.now += Duration::minutes(15);
        source.run().await;
    }
    // One try at first, then after 1 h, 6 h, 1 d and 3 d, and the other file once.
    assert_eq!(source.world.files_asked.load(Ordering::SeqCst), 5 + 1);
    let kept = source.kept.lock().unwrap();
    assert!(
        kept.checkpoint.media_retry.is_empty(),
        "nothing is remembered for ever"
    );
    let last = kept.revisions.last().expect("a last word");
    let Revision::Media(record) = last else {
        panic!("{last:?}")
    };
    assert_eq!(
        record.media[0].reason.as_deref(),
        Some("expired; given up after 5 failures")
    );
    assert_eq!(kept.revisions.len(), 1, "failing again is no news");
}

#[tokio::test]
async fn a_run_that_is_stopped_costs_no_try() {
    let mut source = Source::of(World::of(1..=20));
    for _ in 0..7 {
        source.cancel = CancellationToken::new();
        *source.world.cancel_at_file.lock().unwrap() = Some(source.cancel.clone());
        source.run().await;
    }
    {
        let kept = source.kept.lock().unwrap();
        let tries: Vec<_> = kept.checkpoint.media_retry.iter().map(|r| r.attempts).collect();
        assert_eq!(tries, [0, 0]);
        assert_eq!(kept.records[&20].media[0].status, MediaStatus::Pending);
    }
    *source.world.cancel_at_file.lock().unwrap() = None;
    source.cancel = CancellationToken::new();
    source.run().await;
    let kept = source.kept.lock().unwrap();
    assert_eq!(kept.files.len(), 2);
    assert!(kept.checkpoint.media_retry.is_empty());
}

#[tokio::test]
async fn a_replaced_photo_leaves_the_first_one_as_it_was() {
    let mut source = Source::of(World::of(1..=20));
    source.run().await;
    for photo in [1, 2] {
        source.world.edit(20, |post| post.photo = photo);
        source.now += Duration::hours(2);
        let (_, counts) = source.run().await;
        assert_eq!((counts.edited, counts.files), (1, 1));
    }
    let kept = source.kept.lock().unwrap();
    let first = kept.records[&20].media[0].path.as_ref();
    assert_eq!(kept.files[first.expect("stored")], b"file of 20 0");
    let of_20 = |path: &&String| path.starts_with("media/20_");
    assert_eq!(
        kept.files.keys().filter(of_20).count(),
        3,
        "each has a name of its own"
    );
}

#[tokio::test]
async fn a_late_file_does_not_take_the_name_of_an_earlier_photo() {
    let mut source = Source::of(World::of(1..=20));
    source.run().await;
    source.world.edit(20, |post| post.photo = 1);
    source.world.bad_files.lock().unwrap().insert(20, 1);
    for _ in 0..2 {
        source.now += Duration::hours(2);
        source.run().await;
    }
    let kept = source.kept.lock().unwrap();
    let first = kept.records[&20].media[0].path.as_ref();
    assert_eq!(kept.files[first.expect("stored")], b"file of 20 0");
    assert!(kept.files.values().any(|bytes| bytes == b"file of 20 1"));
}

#[tokio::test]
async fn the_cap_of_a_day_pauses_until_tomorrow() {
    let mut source = Source::of(World::of(1..=200));
    let budget = DayBudget::new(40, noon().date_naive(), 0);
    source.limits.budgets = vec![Arc::new(budget)];
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
    assert!(counts.file_bytes <= 40, "{} bytes", counts.file_bytes);
    source.limits.budgets.clear();
    source.run().await;
    assert_eq!(
        source.kept.lock().unwrap().files.len(),
        20,
        "the rest came the next day"
    );
    assert_eq!(source.ids().len(), 200);
}

#[tokio::test]
async fn two_runs_at_once_share_the_cap_of_a_day() {
    let budget = Arc::new(DayBudget::new(60, noon().date_naive(), 0));
    let mut sources = [Source::of(World::of(1..=100)), Source::of(World::of(1..=100))];
    for source in &mut sources {
        source.limits.budgets = vec![Arc::clone(&budget)];
    }
    let [one, other] = &sources;
    let ((_, one), (_, other)) = tokio::join!(one.run(), other.run());
    let stored = one.file_bytes + other.file_bytes;
    assert!((36..=60).contains(&stored), "{stored} bytes");
}

#[tokio::test]
async fn a_file_above_the_cap_of_a_day_is_left_out_and_stops_nothing() {
    let mut source = Source::of(World::of(1..=20));
    source.limits.budgets = vec![Arc::new(DayBudget::new(5, noon().date_naive(), 0))];
    let (outcome, counts) = source.run().await;
    assert_eq!((outcome, counts.files), (RunOutcome::Completed, 0));
    let kept = source.kept.lock().unwrap();
    assert_eq!(kept.records[&20].media[0].status, MediaStatus::Skipped);
    assert!(kept.checkpoint.media_retry.is_empty());
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
            photo: 0,
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
            photo: 0,
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
