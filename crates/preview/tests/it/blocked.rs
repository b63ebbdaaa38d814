//! Channels that cannot be read are told apart.

use gleaner_domain::{Code, Retry};
use gleaner_scrape::History;
use gleaner_testkit::{ChannelSpec, Faults, Standing};
use rstest::rstest;

use crate::site::{history, site_of};

#[rstest]
#[case(
    Standing::NoPreview,
    Code::ChannelNoPreview,
    "@harbour shows no public preview; it can be read with a session",
    2
)]
#[case(Standing::Private, Code::ChannelNoPreview, "@harbour is a private channel", 2)]
#[case(Standing::Group, Code::NotAChannel, "@harbour is a group", 2)]
#[case(Standing::Bot, Code::NotAChannel, "@harbour is a bot", 2)]
#[case(Standing::User, Code::NotAChannel, "@harbour is a person", 2)]
// Both have the same page; a post in a frame tells them apart.
#[case(Standing::Unknown, Code::ChannelUnknown, "no public channel @harbour", 3)]
#[case(Standing::Banned, Code::ChannelBanned, "copyright infringement", 3)]
#[tokio::test]
async fn an_unreadable_name_says_why(
    #[case] standing: Standing,
    #[case] code: Code,
    #[case] words: &str,
    #[case] requests: usize,
) {
    let site = site_of([ChannelSpec::new("harbour", 1).posts(30).standing(standing)]).await;
    let error = history(&site, "harbour").open().await.expect_err("unreadable");
    assert_eq!((error.code, error.retry), (code, Retry::Never), "{error}");
    assert!(error.detail.contains(words), "{error}");
    assert_eq!(site.served().len(), requests, "the page, and where it sends us");
}

#[tokio::test]
async fn a_name_nobody_has_is_unknown() {
    let site = site_of([ChannelSpec::new("harbour", 1)]).await;
    let error = history(&site, "lighthouse").open().await.expect_err("unreadable");
    assert_eq!(error.code, Code::ChannelUnknown);
}

#[tokio::test]
async fn a_name_that_leads_to_telegrams_home_is_unknown_without_asking_there() {
    let site = site_of([ChannelSpec::new("harbour", 1).posts(30)]).await;
    site.faults().pages(Faults {
        redirect_every: Some(1),
        redirect_to: Some("https://telegram.org/".to_owned()),
        ..Faults::default()
    });
    let error = history(&site, "harbour").open().await.expect_err("unreadable");
    assert_eq!(error.code, Code::ChannelUnknown);
    assert_eq!(site.served().len(), 1);
}

#[tokio::test]
async fn a_redirect_to_a_foreign_host_is_never_followed() {
    let site = site_of([ChannelSpec::new("harbour", 1).posts(30)]).await;
    site.faults().pages(Faults {
        redirect_every: Some(1),
        redirect_to: Some("https://evil.example/s/harbour".to_owned()),
        ..Faults::default()
    });
    let error = history(&site, "harbour")
        .open()
        .await
        .expect_err("only redirects");
    assert_eq!(error.code, Code::UnexpectedPage);
}
