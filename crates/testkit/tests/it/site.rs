//! The pages: structure, cursors, landing pages, files.

use std::collections::BTreeSet;
use std::sync::Arc;

use gleaner_testkit::{ChannelSpec, FixedClock, PreviewSite, Standing, World, WorldHandle};

use crate::web::{all, attr, client, get, ids, text};

fn world(posts: u32) -> WorldHandle {
    World::new()
        .clock(Arc::new(FixedClock::default()))
        .channel(
            ChannelSpec::new("harbour", 1_100_000_001)
                .title("Harbour 🔭 & Co")
                .description("Sky.")
                .posts(posts),
        )
        .into_handle()
}

#[tokio::test]
async fn a_walk_along_the_cursors_reaches_every_living_id_exactly_once() {
    let world = world(1_200);
    let site = PreviewSite::start(world.clone()).await;
    let client = client();
    let mut seen = Vec::new();
    let mut url = format!("{}/s/harbour", site.base_url());
    loop {
        let page = get(&client, &url).await;
        seen.extend(ids(&page));
        let Some(before) = attr(&page, "a.js-messages_more[data-before]", "data-before") else {
            break;
        };
        url = format!("{}/s/harbour?before={before}", site.base_url());
    }
    let set: BTreeSet<u32> = seen.iter().copied().collect();
    assert_eq!(set.len(), seen.len(), "no id twice");
    assert_eq!(set.into_iter().collect::<Vec<_>>(), world.live_ids("harbour"));
    assert_eq!(site.cursors()[0], None);
    assert_eq!(site.requests().pages, site.cursors().len());
}

#[tokio::test]
async fn a_page_has_the_structure_and_weight_of_a_real_one() {
    let world = world(400);
    let site = PreviewSite::start(world.clone()).await;
    let client = client();
    let url = format!("{}/s/harbour", site.base_url());
    let raw = client.get(&url).send().await.unwrap().text().await.unwrap();
    assert!((60_000..200_000).contains(&raw.len()), "{} bytes", raw.len());
    let page = get(&client, &url).await;
    assert_eq!(
        text(&page, ".tgme_channel_info_header_title span").as_deref(),
        Some("Harbour 🔭 & Co")
    );
    assert_eq!(
        text(&page, ".tgme_channel_info_header_username a").as_deref(),
        Some("@harbour")
    );
    assert_eq!(
        text(&page, ".tgme_header_counter").as_deref(),
        Some("12.3K subscribers")
    );
    assert_eq!(
        attr(&page, "link[rel=canonical]", "href"),
        Some("/s/harbour?before=401")
    );
    assert_eq!(attr(&page, "link[rel=next]", "href"), None);
    let before = attr(&page, "a.js-messages_more", "data-before").unwrap();
    assert_eq!(
        attr(&page, "link[rel=prev]", "href").unwrap(),
        format!("/s/harbour?before={before}")
    );
    for message in all(&page, ".tgme_widget_message") {
        assert!(message.attr("data-view").is_some());
    }
    let dates = all(&page, ".tgme_widget_message_date time[datetime]");
    assert_eq!(dates.len(), all(&page, ".tgme_widget_message").len());
}

#[tokio::test]
async fn below_the_first_id_there_are_no_posts() {
    let site = PreviewSite::start(world(30)).await;
    let page = get(&client(), &format!("{}/s/harbour?before=1", site.base_url())).await;
    assert_eq!(
        text(&page, ".tme_no_messages_found").as_deref(),
        Some("No posts found")
    );
    assert_eq!(attr(&page, "link[rel=next]", "href"), Some("/s/harbour?after="));
    assert!(text(&page, ".tgme_channel_info").is_some());
}

#[tokio::test]
async fn what_cannot_be_read_is_a_redirect_to_a_landing_page_of_its_own() {
    let site = PreviewSite::start(world(5)).await;
    let client = client();
    for (standing, wanted, refused) in [
        (Standing::NoPreview, "subscribers", "Preview channel"),
        (Standing::Group, "members", "Preview channel"),
        (Standing::Bot, "monthly users", "Preview channel"),
        (Standing::Unknown, "you can contact", "tgme_page_extra"),
        (Standing::Banned, "you can view posts", "tgme_page_extra"),
    ] {
        site.world().set_standing("harbour", standing);
        let answer = client
            .get(format!("{}/s/harbour", site.base_url()))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 302);
        let location = answer.headers()["location"].to_str().unwrap();
        assert_eq!(location, format!("{}/harbour", site.base_url()));
        let landing = client.get(location).send().await.unwrap().text().await.unwrap();
        assert!(
            landing.contains(wanted) && !landing.contains(refused),
            "{standing:?}: {landing}"
        );
    }
    let odd = client
        .get(format!("{}/no-name!", site.base_url()))
        .send()
        .await
        .unwrap();
    assert_eq!(odd.headers()["location"], "https://telegram.org/");
}

#[tokio::test]
async fn files_are_the_worlds_bytes_until_their_links_expire() {
    let world = world(300);
    let site = PreviewSite::start(world.clone()).await;
    let client = client();
    let (mut checked, mut last) = (0, String::new());
    for before in [301, 200, 100] {
        let page = get(&client, &format!("{}/s/harbour?before={before}", site.base_url())).await;
        for video in all(
            &page,
            "a.tgme_widget_message_video_player:not(.grouped_media_wrap)[href]",
        ) {
            let id: u32 = video
                .attr("href")
                .unwrap()
                .rsplit_once('/')
                .unwrap()
                .1
                .parse()
                .unwrap();
            let inner = scraper::Html::parse_fragment(&video.inner_html());
            let Some(src) = attr(&inner, "video[src]", "src") else {
                continue;
            };
            let bytes = client.get(src).send().await.unwrap().bytes().await.unwrap();
            assert_eq!(Some(bytes), world.media_bytes("harbour", id, 0));
            src.clone_into(&mut last);
            checked += 1;
        }
    }
    assert!(checked > 0, "three pages show a film");
    site.expire_links();
    assert_eq!(client.get(&last).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn dropping_the_site_ends_it() {
    let site = PreviewSite::start(world(5)).await;
    let (client, url) = (client(), format!("{}/s/harbour", site.base_url()));
    let (world, port) = (site.world().clone(), site.port());
    assert!(client.get(&url).send().await.is_ok());
    site.stop().await;
    assert!(client.get(&url).send().await.is_err());
    let options = gleaner_testkit::preview::SiteOptions {
        port,
        ..Default::default()
    };
    let _again = PreviewSite::start_with(world, options).await.unwrap();
    assert!(client.get(&url).send().await.is_ok());
}
