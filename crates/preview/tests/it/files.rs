//! Files arrive byte by byte, from allowed places only.

use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt as _;
use gleaner_domain::MediaStatus;
use gleaner_preview::{PreviewConfig, PreviewFiles};
use gleaner_scrape::{FileRef, Item, MediaError, MediaFetcher};
use gleaner_testkit::{ChannelSpec, Faults, PreviewSite};
use rstest::rstest;

use crate::site::{client_with, config, files, history, read_all, site_of};

async fn channel() -> (PreviewSite, Vec<Item>) {
    let site = site_of([ChannelSpec::new("harbour", 1).posts(200)]).await;
    let (items, _) = read_all(&history(&site, "harbour")).await;
    (site, items)
}

async fn fetch(files: &PreviewFiles, file: &FileRef) -> Result<(Bytes, Option<u64>), MediaError> {
    let body = files.fetch(file).await?;
    let size = body.size;
    let chunks: Vec<Bytes> = body.stream.try_collect().await?;
    Ok((chunks.concat().into(), size))
}

fn first_file(items: &[Item]) -> FileRef {
    items
        .iter()
        .flat_map(|item| &item.files)
        .next()
        .cloned()
        .expect("some post has a file")
}

fn at(locator: &str) -> FileRef {
    FileRef {
        media_index: 0,
        locator: locator.to_owned(),
        extension: None,
    }
}

#[tokio::test]
async fn every_file_a_page_shows_arrives_whole_and_the_rest_says_why_not() {
    let (site, items) = channel().await;
    let files = files(&site);
    let mut fetched = 0;
    for item in &items {
        for (index, media) in item.record.media.iter().enumerate() {
            let Some(file) = item.files.iter().find(|file| file.media_index == index) else {
                assert_eq!(media.status, MediaStatus::NotInPreview);
                assert_eq!(media.reason.as_deref(), Some("log in to get this file"));
                continue;
            };
            assert_eq!(media.status, MediaStatus::Pending);
            let (bytes, size) = fetch(&files, file).await.expect("a file");
            assert_eq!(size, Some(bytes.len() as u64));
            assert_eq!(
                Some(bytes),
                site.world().media_bytes("harbour", item.record.id.0, index)
            );
            fetched += 1;
        }
    }
    assert!(fetched > 20, "{fetched} files");
}

#[rstest]
#[case::reset(Faults { reset_every: Some(2), ..Faults::default() })]
#[case::unavailable(Faults { status_every: Some((2, 503)), ..Faults::default() })]
#[case::redirected(Faults { redirect_every: Some(2), ..Faults::default() })]
#[tokio::test]
async fn a_passing_fault_before_the_body_is_repeated(#[case] faults: Faults) {
    let (site, items) = channel().await;
    site.faults().files(faults);
    let (files, file) = (files(&site), first_file(&items));
    for _ in 0..3 {
        let (bytes, size) = fetch(&files, &file).await.expect("a file");
        assert_eq!(size, Some(bytes.len() as u64));
    }
}

#[tokio::test]
async fn an_expired_link_asks_for_a_fresh_page() {
    let (site, items) = channel().await;
    site.expire_links();
    let error = fetch(&files(&site), &first_file(&items))
        .await
        .expect_err("expired");
    assert!(error.retryable && error.detail.contains("expired"), "{error}");
}

#[tokio::test]
async fn a_file_that_breaks_midway_is_the_callers_to_repeat() {
    let (site, items) = channel().await;
    site.faults().files(Faults {
        cut_body_every: Some(1),
        ..Faults::default()
    });
    let files = PreviewFiles::new(client_with(PreviewConfig {
        attempts: 1,
        ..config(&site)
    }));
    let mut midway = 0;
    // Small files may break before their first byte is here.
    for file in items.iter().flat_map(|item| &item.files).take(30) {
        let error = fetch(&files, file).await.expect_err("cut");
        assert!(error.retryable, "{error}");
        midway += usize::from(error.detail.contains("broke off"));
    }
    assert!(midway > 0, "some file broke after its first byte");
}

#[rstest]
#[case(Faults { status_every: Some((1, 403)), ..Faults::default() }, false)]
#[case(Faults { status_every: Some((1, 500)), ..Faults::default() }, true)]
#[case(Faults { status_every: Some((1, 429)), retry_after_s: Some(300), ..Faults::default() }, true)]
#[case(Faults { redirect_every: Some(1), ..Faults::default() }, true)]
#[case(Faults { redirect_every: Some(1), redirect_to: Some("https://evil.example/x".to_owned()), ..Faults::default() }, false)]
#[case(Faults { redirect_every: Some(1), redirect_to: Some("http://169.254.169.254/".to_owned()), ..Faults::default() }, false)]
#[tokio::test]
async fn a_lasting_fault_says_whether_to_try_again(#[case] faults: Faults, #[case] retryable: bool) {
    let (site, items) = channel().await;
    site.faults().files(faults);
    let error = fetch(&files(&site), &first_file(&items))
        .await
        .expect_err("it never works");
    assert_eq!(error.retryable, retryable, "{error}");
}

#[tokio::test]
async fn silence_ends_a_file_but_slowness_does_not() {
    let (site, items) = channel().await;
    let config = PreviewConfig {
        idle_timeout: Duration::from_millis(300),
        attempts: 2,
        ..config(&site)
    };
    let files = PreviewFiles::new(client_with(config));
    site.faults().files(Faults {
        stall_every: Some(1),
        ..Faults::default()
    });
    let error = fetch(&files, &first_file(&items)).await.expect_err("silence");
    assert!(error.retryable && error.detail.contains("in time"), "{error}");
    site.faults().files(Faults {
        slow_drip: Some(gleaner_testkit::preview::faults::Drip {
            bytes: 4_096,
            pause: Duration::from_millis(60),
        }),
        ..Faults::default()
    });
    let slow = items
        .iter()
        .flat_map(|item| &item.files)
        .nth(1)
        .cloned()
        .expect("a second file");
    fetch(&files, &slow).await.expect("slow is fine");
}

#[rstest]
#[case("https://evil.example/file/a.jpg")]
#[case("http://127.0.0.1:1/file/a.jpg")]
#[case("//evil.example/a.jpg")]
#[case("file:///etc/passwd")]
#[case("data:text/plain,x")]
#[tokio::test]
async fn an_address_elsewhere_is_never_asked(#[case] locator: &str) {
    let (site, _) = channel().await;
    let error = fetch(&files(&site), &at(locator)).await.expect_err("not allowed");
    assert!(!error.retryable, "{error}");
}

#[tokio::test]
async fn a_web_page_is_never_kept_as_a_file() {
    let (site, _) = channel().await;
    let config = PreviewConfig {
        attempts: 2,
        ..config(&site)
    };
    let error = fetch(&PreviewFiles::new(client_with(config)), &at("/harbour"))
        .await
        .expect_err("a page");
    assert!(error.retryable && error.detail.contains("web page"), "{error}");
}
