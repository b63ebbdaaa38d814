//! Every fault really happens, when it was announced, and is counted.

use std::time::{Duration, Instant};

use gleaner_testkit::preview::Malformed;
use gleaner_testkit::preview::faults::Drip;
use gleaner_testkit::{ChannelSpec, Faults, Mix, PreviewSite, World};
use reqwest::StatusCode;
use rstest::rstest;

use crate::web::client;

async fn site(faults: Faults) -> (PreviewSite, reqwest::Client, String) {
    let world = World::new()
        .channel(ChannelSpec::new("harbour", 1).posts(60).mix(Mix::Photos))
        .into_handle();
    let site = PreviewSite::start(world).await;
    site.faults().pages(faults);
    let url = format!("{}/s/harbour", site.base_url());
    (site, client(), url)
}

/// What became of one request: its status and whole body, or nothing.
async fn fetch(client: &reqwest::Client, url: &str) -> Option<(StatusCode, Vec<u8>)> {
    let response = client.get(url).send().await.ok()?;
    Some((response.status(), response.bytes().await.ok()?.to_vec()))
}

#[tokio::test]
async fn every_second_connection_is_reset_inside_the_head() {
    let (site, client, url) = site(Faults {
        reset_every: Some(2),
        ..Faults::default()
    })
    .await;
    assert!(fetch(&client, &url).await.is_some());
    assert!(fetch(&client, &url).await.is_none());
    assert!(fetch(&client, &url).await.is_some());
    assert_eq!(site.faults().counts().resets, 1);
}

#[tokio::test]
async fn a_status_comes_with_its_retry_after() {
    let faults = Faults {
        status_every: Some((2, 429)),
        retry_after_s: Some(7),
        ..Faults::default()
    };
    let (site, client, url) = site(faults).await;
    assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
    let refused = client.get(&url).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "7");
    assert_eq!(site.faults().counts().statuses, 1);
    assert_eq!(site.served()[1].status, Some(429));
}

#[tokio::test]
async fn a_redirect_leads_where_the_test_says() {
    let faults = Faults {
        redirect_every: Some(1),
        redirect_to: Some("http://192.0.2.1/x".to_owned()),
        ..Faults::default()
    };
    let (_site, client, url) = site(faults).await;
    let answer = client.get(&url).send().await.unwrap();
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers()["location"].to_str().unwrap()
        ),
        (302, "http://192.0.2.1/x")
    );
}

#[tokio::test]
async fn a_cut_body_is_shorter_than_it_promised() {
    let (site, client, url) = site(Faults {
        cut_body_every: Some(1),
        ..Faults::default()
    })
    .await;
    let response = client.get(&url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
    assert_eq!(site.faults().counts().cuts, 1);
}

#[tokio::test]
async fn a_stalled_request_is_never_answered() {
    let (site, client, url) = site(Faults {
        stall_every: Some(1),
        ..Faults::default()
    })
    .await;
    let asked = client.get(&url).timeout(Duration::from_millis(300)).send().await;
    assert!(asked.unwrap_err().is_timeout());
    assert_eq!(site.faults().counts().stalls, 1);
    assert_eq!(site.served()[0].status, None);
}

#[tokio::test]
async fn latency_and_dripping_take_the_time_they_say() {
    let drip = Drip {
        bytes: 8 << 10,
        pause: Duration::from_millis(10),
    };
    let faults = Faults {
        latency: Duration::from_millis(120),
        slow_drip: Some(drip),
        ..Faults::default()
    };
    let (site, client, url) = site(faults).await;
    let asked = Instant::now();
    let (_, body) = fetch(&client, &url).await.unwrap();
    assert!(body.len() > 50_000, "all of it arrives");
    assert!(
        asked.elapsed() >= Duration::from_millis(130),
        "{:?}",
        asked.elapsed()
    );
    let counts = site.faults().counts();
    assert_eq!((counts.delayed, counts.drips), (1, 1));
}

#[rstest]
#[case(Malformed::Truncated)]
#[case(Malformed::UnclosedQuote)]
#[case(Malformed::Garbage)]
#[case(Malformed::Deep)]
#[case(Malformed::Empty)]
#[case(Malformed::Foreign)]
#[tokio::test]
async fn a_damaged_page_is_a_complete_answer_that_differs(#[case] how: Malformed) {
    let (site, client, url) = site(Faults::default()).await;
    let (_, sound) = fetch(&client, &url).await.unwrap();
    site.faults().pages(Faults {
        malformed_every: Some(1),
        malformed_as: Some(how),
        ..Faults::default()
    });
    let (status, damaged) = fetch(&client, &url).await.unwrap();
    assert_eq!(status, 200);
    assert_ne!(sound, damaged);
    assert_eq!(site.faults().counts().malformed, 1);
    let ends_well = String::from_utf8(damaged).unwrap().contains("</html>");
    assert_eq!(ends_well, !matches!(how, Malformed::Truncated | Malformed::Empty));
}

#[tokio::test]
async fn faults_of_files_leave_pages_alone_and_stop_when_cleared() {
    let (site, client, url) = site(Faults::default()).await;
    site.faults().files(Faults {
        status_every: Some((1, 500)),
        ..Faults::default()
    });
    let (status, page) = fetch(&client, &url).await.unwrap();
    assert_eq!(status, 200);
    let page = String::from_utf8(page).unwrap();
    let file = page
        .split("background-image:url('")
        .find(|part| part.starts_with(&site.base_url()))
        .unwrap();
    let file = file.split('\'').next().unwrap();
    assert_eq!(fetch(&client, file).await.unwrap().0, 500);
    site.faults().clear();
    assert_eq!(fetch(&client, file).await.unwrap().0, 200);
    assert_eq!((site.requests().pages, site.requests().files), (1, 2));
}
