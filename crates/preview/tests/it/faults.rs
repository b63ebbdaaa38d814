//! Each fault of the server ends in a recovery or in a typed error, in bounded time.

use std::time::Duration;

use gleaner_domain::{Code, MessageId, Retry};
use gleaner_preview::{PreviewConfig, PreviewHistory};
use gleaner_scrape::History;
use gleaner_testkit::preview::Malformed;
use gleaner_testkit::{ChannelSpec, Faults};
use rstest::rstest;

use crate::site::{client_with, config, history, ids, read_all, site_of};

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
#[case::unclosed(Faults { malformed_every: Some(1), malformed_as: Some(Malformed::UnclosedQuote), ..Faults::default() }, Code::UnexpectedPage)]
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
