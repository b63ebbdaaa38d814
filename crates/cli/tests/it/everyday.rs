//! Sources, targets and runs from day to day: what is said, and what `--json` looks like.

use gleaner_testkit::{ChannelSpec, Mix, PreviewSite, World};
use serde_json::{Value, json};

use crate::gleaner::Gleaner;

async fn site() -> PreviewSite {
    let spec = ChannelSpec::new("daily_news", 1_100_000_001)
        .title("Daily News")
        .posts(25)
        .mix(Mix::Text);
    PreviewSite::start(World::new().channel(spec).into_handle()).await
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn an_added_source_is_printed_with_the_contracts_keys() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    let words = [
        "--json",
        "source",
        "add",
        "@daily_news",
        "--name",
        "News of the day",
        "--title",
        "Daily",
        "--path",
        "out",
    ];
    let added = gleaner.run_words(words).await.must(0).json();
    let expected = [
        "access_level",
        "channel_title",
        "created_at",
        "id",
        "identifier",
        "name",
        "session_ref",
        "target",
    ];
    assert_eq!(keys(&added), expected);
    assert_eq!(
        (&added["id"], &added["name"], &added["identifier"]),
        (&json!(1), &json!("News of the day"), &json!("@daily_news"))
    );
}

#[tokio::test]
async fn a_source_answers_to_its_number_its_channel_and_its_name() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    gleaner
        .run_words([
            "source",
            "add",
            "@daily_news",
            "--name",
            "News of the day",
            "--path",
            "out",
        ])
        .await
        .must(0);
    for name in [
        "1",
        "@daily_news",
        "@Daily_News",
        "https://t.me/daily_news",
        "News of the day",
    ] {
        let shown = gleaner
            .run_words(["--json", "source", "show", name])
            .await
            .must(0)
            .json();
        assert_eq!(shown["id"], 1, "{name}");
    }
}

#[tokio::test]
async fn a_source_is_edited_paused_resumed_and_removed() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    gleaner
        .run("source add @daily_news --path out --every 2h")
        .await
        .must(0);
    let edit = [
        "source",
        "edit",
        "1",
        "--name",
        "Renamed",
        "--cron",
        "0 8 * * *",
        "--zone",
        "Europe/Berlin",
        "--no-media",
        "--json",
    ];
    let edited = gleaner.run_words(edit).await.must(0).json();
    assert_eq!(edited["name"], "Renamed");
    assert_eq!(
        edited["schedule"],
        json!({"kind": "cron", "pattern": "0 8 * * *", "zone": "Europe/Berlin"})
    );
    assert_eq!(edited["policy"]["media"], false);
    assert_eq!(edited["policy"]["recent_window"], 100, "what is not said stays");

    let paused = gleaner.run("source pause Renamed --json").await.must(0).json();
    assert!(paused["paused_at"].is_string());
    assert_eq!(
        gleaner.run("run --all").await.must(0).out,
        "",
        "a paused source is left out"
    );
    let resumed = gleaner.run("source resume Renamed --json").await.must(0).json();
    assert!(resumed["paused_at"].is_null());

    let asked = gleaner.run("source rm 1").await.must(2);
    assert!(asked.err.contains("--yes"), "{asked:?}");
    let removed = gleaner.run("source rm 1 --yes --json").await.must(0).json();
    assert_eq!(removed, json!({"message": "Source deleted successfully"}));
}

#[tokio::test]
async fn removing_a_source_keeps_its_files_unless_told_otherwise() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    gleaner.run("source add @daily_news --path out").await.must(0);
    gleaner.run("run 1").await.must(0);
    let archive = gleaner.archive();
    gleaner.run("source rm 1 --yes").await.must(0);
    assert!(archive.join("manifest.json").exists());

    gleaner.run("source add @daily_news --path other").await.must(0);
    gleaner.run("run @daily_news").await.must(0);
    gleaner.run("source rm @daily_news --yes --files").await.must(0);
    assert!(
        !gleaner
            .path("other")
            .join(archive.file_name().expect("a name"))
            .join("manifest.json")
            .exists()
    );
}

#[tokio::test]
async fn an_edited_target_starts_a_new_archive() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    gleaner.run("source add @daily_news --path out").await.must(0);
    gleaner.run("run 1").await.must(0);
    gleaner.run("source edit 1 --path elsewhere").await.must(0);
    let again = gleaner.run("run 1 --json").await.must(0).lines();
    assert_eq!(
        again[0]["counts"]["messages"],
        site.world().live_ids("daily_news").len()
    );
    assert!(
        gleaner.archive().join("manifest.json").exists(),
        "the old one stays"
    );
}

#[tokio::test]
async fn targets_are_added_tried_and_removed() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    let list = gleaner.run("target list --json").await.must(0).json();
    assert_eq!(
        (
            list.as_array().expect("a list").len(),
            &list[0]["settings"]["kind"]
        ),
        (1, &json!("LOCAL"))
    );
    gleaner
        .run("target add shelf LOCAL --path shelf --default")
        .await
        .must(0);
    let report = gleaner.run("target test LOCAL --json").await.must(0).json();
    assert_eq!(report["ok"], true);
    assert!(gleaner.path("shelf").exists(), "the default is the new one");
    gleaner.run("source add @daily_news").await.must(0);
    let used = gleaner.run("target rm shelf").await.must(1);
    assert!(used.err.contains("daily_news"), "{used:?}");
    gleaner.run("source rm 1 --yes").await.must(0);
    gleaner.run("target rm shelf").await.must(0);
}

#[tokio::test]
async fn runs_are_listed_and_shown_with_their_log() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    assert_eq!(gleaner.run("runs").await.must(0).out, "No runs yet.\n");
    gleaner.run("source add @daily_news --path out").await.must(0);
    let run = gleaner.run("run 1 --json").await.must(0).lines().remove(0);
    let list = gleaner
        .run("runs @daily_news --limit 5 --json")
        .await
        .must(0)
        .json();
    assert_eq!(list[0]["uid"], run["uid"]);
    let uid = run["uid"].as_str().expect("a uid");
    let log = gleaner
        .run(&format!("runs log {uid} --json"))
        .await
        .must(0)
        .json();
    assert_eq!((&log["uid"], log["log"].is_array()), (&run["uid"], true));
    let words = gleaner.run(&format!("runs log {uid}")).await.must(0).out;
    assert!(words.contains("daily_news (1)"), "{words}");
}

#[tokio::test]
async fn the_document_is_printed_without_a_data_folder() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    let document = gleaner.run("openapi").await.must(0).json();
    assert!(document["paths"]["/sources/"]["post"].is_object());
    assert!(!gleaner.path("d").exists());
}

#[tokio::test]
async fn a_hostile_title_does_not_reach_the_terminal() {
    let spec = ChannelSpec::new("hostile", 1_100_000_009)
        .title("\u{1b}]0;pwned\u{7}\u{202e}txt")
        .posts(3)
        .mix(Mix::Text);
    let site = PreviewSite::start(World::new().channel(spec).into_handle()).await;
    let gleaner = Gleaner::asking(&site);
    gleaner.run("source add @hostile --path out").await.must(0);
    gleaner.run("run 1").await.must(0);
    for line in ["source list", "source show 1", "runs"] {
        let out = gleaner.run(line).await.must(0).out;
        assert!(!out.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{out:?}");
    }
}
