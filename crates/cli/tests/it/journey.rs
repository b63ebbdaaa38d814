//! Add, scrape, read, scrape again.

use gleaner_testkit::{ChannelSpec, Mix, PreviewSite, World};

use crate::archive::{assert_whole, records};
use crate::gleaner::Gleaner;

async fn site(posts: u32) -> PreviewSite {
    let spec = ChannelSpec::new("daily_news", 1_100_000_001)
        .title("Daily News")
        .posts(posts)
        .mix(Mix::News);
    PreviewSite::start(World::new().channel(spec).into_handle()).await
}

#[tokio::test]
async fn a_channel_is_added_scraped_and_read_and_a_second_run_finds_nothing_new() {
    let site = site(130).await;
    let gleaner = Gleaner::asking(&site);
    gleaner
        .run("source add @daily_news --target LOCAL --path out")
        .await
        .must(0);
    let first = gleaner.run("run @daily_news").await.must(0);
    let kept = site.world().live_ids("daily_news").len();
    assert!(
        first
            .out
            .starts_with(&format!("daily_news: {kept} new messages, ")),
        "{first:?}"
    );
    assert_whole(&gleaner.archive(), site.world(), "daily_news");

    site.reset_counts();
    let second = gleaner.run("run @daily_news").await.must(0);
    assert_eq!(second.out, "daily_news: nothing new\n");
    let asked = site.requests();
    assert!(
        asked.pages <= 2 && asked.files == 0,
        "only what is new is asked for: {asked:?}"
    );
}

#[tokio::test]
async fn what_is_posted_between_two_runs_is_all_the_second_one_fetches() {
    let site = site(90).await;
    let gleaner = Gleaner::asking(&site);
    gleaner
        .run("source add @daily_news --path out --no-media")
        .await
        .must(0);
    gleaner.run("run @daily_news").await.must(0);
    site.world().push_text("daily_news", "One more thing");
    site.world().push_text("daily_news", "And another");
    let second = gleaner.run("run @daily_news").await.must(0);
    assert_eq!(second.out, "daily_news: 2 new messages\n");
    assert_whole(&gleaner.archive(), site.world(), "daily_news");
    let last = records(&gleaner.archive()).pop().expect("records");
    assert_eq!(last["text"], "And another");
}

#[tokio::test]
async fn many_channels_are_imported_and_scraped_side_by_side() {
    let mut world = World::new();
    for n in 0..5 {
        let spec = ChannelSpec::new(&format!("channel_{n}"), 1_200_000_000 + n)
            .posts(30)
            .mix(Mix::Text);
        world = world.channel(spec);
    }
    let site = PreviewSite::start(world.into_handle()).await;
    let gleaner = Gleaner::asking(&site);
    let list =
        "@channel_0\n# a comment\nt.me/channel_1, channel_2 @CHANNEL_0\nhttps://t.me/s/channel_3\n!!\n";
    std::fs::write(gleaner.path("list.txt"), list).expect("written");
    let dry = gleaner
        .run("source import list.txt --path out --dry-run --json")
        .await
        .must(4);
    assert_eq!(dry.json()["added"], 4);
    assert_eq!(
        gleaner.run("source list --json").await.must(0).json(),
        serde_json::json!([])
    );

    let report = gleaner
        .run("source import list.txt --path out --json")
        .await
        .must(4)
        .json();
    let states: Vec<_> = report["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| &line["state"])
        .collect();
    assert_eq!(
        states,
        ["added", "added", "added", "duplicate", "added", "refused"]
    );

    let all = gleaner.run("run --all --json").await.must(0).lines();
    assert_eq!(all.len(), 4);
    assert!(
        all.iter()
            .all(|run| run["state"] == "completed" && run["counts"]["messages"].as_u64() > Some(20))
    );
}
