//! Each fault of the server ends in a recovery or in a typed error, in bounded time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gleaner_domain::{Code, MessageId, Retry};
use gleaner_preview::{PreviewConfig, PreviewHistory};
use gleaner_scrape::{History, Pacer};
use gleaner_testkit::preview::Malformed;
use gleaner_testkit::{ChannelSpec, Faults};
use rstest::rstest;

use crate::site::{client_paced, client_with, config, history, ids, read_all, site_of};

fn channel() -> ChannelSpec {
    ChannelSpec::new("harbour", 1).posts(160)
}

#[rstest]
#[case::reset(Faults { reset_every: Some(3), ..Faults::default() })]
#[case::unavailable(Faults { status_every: Some((3, 503)), ..Faults::default() })]
#[case::internal(Faults { status_every: Some((2, 500)), ..Faults::default() })]
#[case::told_to_wait(Faults { status_every: Some((3, 429)), retry_after_s: Some(0), ..Faults::default() })]
#[case::sent_away(Faults { redirect_every: Some(3), ..Faults::default() })]
#[case::cut(Faults { cut_body_every: Some(3), ..Faults::default() })]
#[case::stalled(Faults { stall_every: Some(4), ..Faults::default() })]
#[case::truncated(Faults { malformed_every: Some(3), malformed_as: Some(Malformed::Truncated), ..Faults::default() })]
#[case::unclosed(Faults { malformed_every: Some(3), malformed_as: Some(Malformed::UnclosedQuote), ..Faults::default() })]
#[case::garbage(Faults { malformed_every: Some(3), malformed_as: Some(Malformed::Garbage), ..Faults::default() })]
#[case::deep(Faults { malformed_every: Some(1), malformed_as: Some(Malformed::Deep), ..Faults::default() })]
#[case::empty(Faults { malformed_every: Some(3), malformed_as: Some(Malformed::Empty), ..Faults::default() })]
#[case::foreign(Faults { malformed_every: Some(3), malformed_as: Some(Malformed::Foreign), ..Faults::default() })]
#[tokio::test]
async fn a_passing_fault_loses_nothing(#[case] faults: Faults) {
    let site = site_of([channel()]).await;
    site.faults().pages(faults);
    let config = PreviewConfig {
        request_timeout: Duration::from_secs(2),
        ..config(&site)
    };
    let (items, _) = read_all(&PreviewHistory::new(client_with(config), "harbour")).await;
    assert_eq!(ids(&items), site.world().live_ids("harbour"));
    let counts = site.faults().counts();
    let happened =
        counts.resets + counts.statuses + counts.redirects + counts.cuts + counts.malformed + counts.stalls;
    assert!(happened > 0, "the fault really happened: {counts:?}");
    for item in &items {
        let truth = site
            .world()
            .text("harbour", item.record.id.0)
            .expect("a live post");
        if item.record.album_id.is_none() && !truth.is_empty() {
            assert_eq!(item.record.text, truth, "text of {}", item.record.id);
        }
    }
}

#[rstest]
#[case::reset(Faults { reset_every: Some(1), ..Faults::default() }, Code::Unreachable)]
#[case::unavailable(Faults { status_every: Some((1, 502)), ..Faults::default() }, Code::Unreachable)]
#[case::forbidden(Faults { status_every: Some((1, 403)), ..Faults::default() }, Code::Unreachable)]
#[case::cut(Faults { cut_body_every: Some(1), ..Faults::default() }, Code::Unreachable)]
#[case::stalled(Faults { stall_every: Some(1), ..Faults::default() }, Code::Unreachable)]
#[case::truncated(Faults { malformed_every: Some(1), malformed_as: Some(Malformed::Truncated), ..Faults::default() }, Code::UnexpectedPage)]
#[case::garbage(Faults { malformed_every: Some(1), malformed_as: Some(Malformed::Garbage), ..Faults::default() }, Code::UnexpectedPage)]
#[case::empty(Faults { malformed_every: Some(1), malformed_as: Some(Malformed::Empty), ..Faults::default() }, Code::UnexpectedPage)]
#[case::foreign(Faults { malformed_every: Some(1), malformed_as: Some(Malformed::Foreign), ..Faults::default() }, Code::UnexpectedPage)]
#[tokio::test]
async fn a_lasting_fault_is_told_after_a_bounded_number_of_requests(
    #[case] faults: Faults,
    #[case] code: Code,
) {
    let site = site_of([channel()]).await;
    site.faults().pages(faults);
    let config = PreviewConfig {
        request_timeout: Duration::from_millis(200),
        attempts: 3,
        ..config(&site)
    };
    let error = PreviewHistory::new(client_with(config), "harbour")
        .open()
        .await
        .expect_err("it never works");
    assert_eq!((error.code, error.retry), (code, Retry::Backoff), "{error}");
    assert!(error.detail.contains("@harbour"), "{error}");
    assert_eq!(site.served().len(), 3);
}

#[tokio::test]
async fn repetitions_are_counted() {
    let site = site_of([channel()]).await;
    site.faults().pages(Faults {
        status_every: Some((1, 503)),
        ..Faults::default()
    });
    let before = history(&site, "harbour").open().await.map(|_| ());
    assert!(before.is_err());
    site.faults().pages(Faults {
        status_every: Some((2, 503)),
        ..Faults::default()
    });
    let history = history(&site, "harbour");
    assert_eq!(
        history
            .open()
            .await
            .expect("the first request is answered")
            .newest
            .retries,
        0
    );
    assert_eq!(
        history
            .page_before(MessageId(100))
            .await
            .expect("the third is")
            .retries,
        1
    );
}

#[tokio::test]
async fn a_long_wait_is_not_sat_out() {
    let site = site_of([channel()]).await;
    site.faults().pages(Faults {
        status_every: Some((1, 429)),
        retry_after_s: Some(300),
        ..Faults::default()
    });
    let error = history(&site, "harbour").open().await.expect_err("told to wait");
    assert_eq!(
        (error.code, error.retry),
        (Code::FloodWait, Retry::After(Duration::from_mins(5)))
    );
    assert_eq!(
        site.served().len(),
        1,
        "a server that asks to wait is not asked again"
    );
}

#[rstest]
#[case(429, Some(300), 300)]
#[case(503, Some(300), 300)]
#[case(502, Some(u64::MAX), 86_400)]
#[tokio::test]
async fn a_long_wait_is_kept_whatever_the_status_and_told_to_everybody(
    #[case] status: u16,
    #[case] asked: Option<u64>,
    #[case] seconds: u64,
) {
    let site = site_of([channel()]).await;
    site.faults().pages(Faults {
        status_every: Some((1, status)),
        retry_after_s: asked,
        ..Faults::default()
    });
    let pacer = Arc::new(Holding::default());
    let client = client_paced(config(&site), pacer.clone());
    let history = PreviewHistory::new(client, "harbour");
    let wait = Duration::from_secs(seconds);
    for attempt in ["refused by the server", "held by the pacer"] {
        let error = history.open().await.expect_err("told to wait");
        assert_eq!(
            (error.code, error.retry),
            (Code::FloodWait, Retry::After(wait)),
            "{attempt}"
        );
    }
    assert_eq!(site.served().len(), 1, "whoever is held does not ask");
}

#[tokio::test]
async fn too_many_requests_without_a_wish_are_slowed_down_all_the_same() {
    let site = site_of([channel()]).await;
    site.faults().pages(Faults {
        status_every: Some((2, 429)),
        ..Faults::default()
    });
    let pacer = Arc::new(Holding::default());
    let config = PreviewConfig {
        flood_pause: Duration::from_millis(70),
        ..config(&site)
    };
    let client = client_paced(config, pacer.clone());
    let history = PreviewHistory::new(client, "harbour");
    history.open().await.expect("the first request is answered");
    history.page_before(MessageId(100)).await.expect("the third is");
    assert_eq!(
        *pacer.0.lock().expect("no panic while held"),
        Duration::from_millis(70)
    );
    let times = site.request_times();
    assert!(times[2] - times[1] >= Duration::from_millis(70));
}

#[rstest]
#[case(404)]
#[case(410)]
#[tokio::test]
async fn a_status_of_missing_is_not_believed_at_once(#[case] status: u16) {
    let site = site_of([channel()]).await;
    site.faults().pages(Faults {
        status_every: Some((2, status)),
        ..Faults::default()
    });
    let history = history(&site, "harbour");
    history.open().await.expect("the first request is answered");
    let page = history.page_before(MessageId(100)).await.expect("the third is");
    assert_eq!(page.retries, 1);
    site.faults().pages(Faults {
        status_every: Some((1, status)),
        ..Faults::default()
    });
    let error = history.open().await.expect_err("it stays missing");
    assert_eq!(error.code, Code::ChannelUnknown);
}

/// Remembers the longest hold and passes it on as everybody's turn.
#[derive(Default)]
struct Holding(Mutex<Duration>);

#[async_trait]
impl Pacer for Holding {
    async fn turn(&self, _host: &str) -> Duration {
        *self.0.lock().expect("no panic while held")
    }

    async fn hold(&self, host: &str, wait: Duration) {
        assert!(host.starts_with("127.0.0.1:"), "{host}");
        let mut held = self.0.lock().expect("no panic while held");
        *held = wait.max(*held);
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_unreachable() {
    let site = site_of([channel()]).await;
    let config = PreviewConfig {
        attempts: 2,
        ..config(&site)
    };
    site.stop().await;
    let error = PreviewHistory::new(client_with(config), "harbour")
        .open()
        .await
        .expect_err("nobody listens");
    assert_eq!(error.code, Code::Unreachable);
    assert!(error.detail.contains("no connection"), "{error}");
}

#[tokio::test]
async fn a_page_that_drips_past_its_time_is_given_up() {
    let site = site_of([channel()]).await;
    site.faults().pages(Faults {
        slow_drip: Some(gleaner_testkit::preview::faults::Drip {
            bytes: 64,
            pause: Duration::from_millis(50),
        }),
        ..Faults::default()
    });
    let config = PreviewConfig {
        request_timeout: Duration::from_millis(200),
        attempts: 2,
        ..config(&site)
    };
    let error = PreviewHistory::new(client_with(config), "harbour")
        .open()
        .await
        .expect_err("too slow");
    assert_eq!(error.code, Code::Unreachable);
}
