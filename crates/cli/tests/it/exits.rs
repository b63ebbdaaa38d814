//! What the exit code tells, and the form of errors.

use std::time::Duration;

use gleaner_testkit::{ChannelSpec, Faults, Mix, PreviewSite, Standing, World};
use serde_json::Value;

use crate::gleaner::{Done, Gleaner, done};

async fn site() -> PreviewSite {
    let world = World::new()
        .channel(
            ChannelSpec::new("daily_news", 1_100_000_001)
                .posts(400)
                .mix(Mix::Text)
                .gap_percent(0),
        )
        .channel(ChannelSpec::new("closed", 1_100_000_002).standing(Standing::NoPreview));
    PreviewSite::start(world.into_handle()).await
}

fn error_of(done: &Done) -> Value {
    let error: Value = serde_json::from_str(done.err.trim()).unwrap_or_else(|e| panic!("{e}: {done:?}"));
    let keys: Vec<_> = error
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys, ["code", "detail", "hint"]);
    error
}

#[tokio::test]
async fn what_is_not_there_is_3() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    for line in [
        "source show 7",
        "run @nobody_here",
        "runs nothing",
        "source rm 7 --yes",
        "target test nowhere",
    ] {
        let done = gleaner.run(&format!("{line} --json")).await.must(3);
        let code = error_of(&done)["code"].as_str().expect("a code").to_owned();
        assert!(code.ends_with("_NOT_FOUND"), "{line}: {code}");
    }
    gleaner
        .run("runs log 0197b5f0-0000-7000-8000-000000000000")
        .await
        .must(3);
}

#[tokio::test]
async fn a_wrong_command_line_is_2() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    gleaner.run("run").await.must(2);
    gleaner.run("source add not!a!name").await.must(2);
    gleaner.run("source add @daily_news --target S3").await.must(2);
    let done = gleaner
        .run("source add @daily_news --every never --json")
        .await
        .must(2);
    assert_eq!(error_of(&done)["code"], "INVALID_INPUT");
    gleaner.run("--help").await.must(0);
    gleaner.run("--version").await.must(0);
}

#[tokio::test]
async fn help_explains_every_exit_code() {
    let help = Gleaner::asking(&site().await).run("--help").await.out;
    for code in ["0", "1", "2", "3", "4", "5", "69", "73", "75", "130"] {
        assert!(
            help.lines()
                .any(|line| line.trim_start().starts_with(&format!("{code}  "))),
            "{code}"
        );
    }
}

#[tokio::test]
async fn a_channel_that_cannot_be_read_is_1_and_one_of_several_is_4() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    gleaner.run("source add @closed --path out").await.must(0);
    gleaner.run("source add @daily_news --path out").await.must(0);
    let alone = gleaner.run("run @closed").await.must(1);
    assert!(alone.err.contains("session"), "it says what to do: {alone:?}");
    let both = gleaner.run("run --all --json").await.must(4).lines();
    let mut states: Vec<_> = both
        .iter()
        .map(|run| run["state"].as_str().expect("a state"))
        .collect();
    states.sort_unstable();
    assert_eq!(states, ["completed", "failed"]);
}

#[tokio::test]
async fn a_second_source_of_the_same_channel_is_refused() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    gleaner.run("source add @daily_news --path out").await.must(0);
    let done = gleaner
        .run("source add @DAILY_news --path out --json")
        .await
        .must(1);
    assert_eq!(error_of(&done)["code"], "DUPLICATE_SOURCE");
}

#[tokio::test]
async fn a_wait_asked_for_by_telegram_is_5() {
    let site = site().await;
    site.faults().pages(Faults {
        status_every: Some((1, 429)),
        retry_after_s: Some(3_600),
        ..Faults::default()
    });
    let gleaner = Gleaner::asking(&site);
    gleaner.run("source add @daily_news --path out").await.must(0);
    let run = gleaner.run("run 1 --json").await.must(5).lines().remove(0);
    assert_eq!(
        (run["state"].as_str(), run["code"].as_str()),
        (Some("paused"), Some("FLOOD_WAIT"))
    );
    assert!(run["paused_until"].is_string());
}

#[tokio::test]
async fn pages_that_cannot_be_reached_are_69() {
    // Nobody listens on port 9.
    let gleaner = Gleaner::asking_at("http://127.0.0.1:9");
    gleaner.run("source add @daily_news --path out").await.must(0);
    let run = gleaner.run("run 1 --json").await.must(69).lines().remove(0);
    assert_eq!(run["code"], "UNREACHABLE");
}

#[tokio::test]
async fn a_target_that_cannot_be_written_is_73() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    std::fs::write(gleaner.path("file"), "in the way").expect("written");
    gleaner
        .run("source add @daily_news --path file/out")
        .await
        .must(0);
    let run = gleaner.run("run 1").await.must(73);
    assert!(run.out.contains("failed: "), "{run:?}");
    gleaner
        .run("target add broken LOCAL --path file/out2")
        .await
        .must(0);
    gleaner.run("target test broken").await.must(73);
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_keeps_the_checkpoint_and_is_130_and_a_second_runner_meanwhile_is_75() {
    let site = site().await;
    let gleaner = Gleaner::asking(&site);
    gleaner.run("source add @daily_news --path out").await.must(0);
    // Slow enough that the run is still going on when the second one asks.
    site.faults().pages(Faults {
        latency: Duration::from_millis(700),
        ..Faults::default()
    });
    let first = gleaner.start("run 1 --json");
    asked(&site, 3).await;
    let second = gleaner.run("run 1 --json").await.must(75).lines().remove(0);
    assert_eq!(second["code"], "ALREADY_RUNNING");

    crate::gleaner::signal(&first, "-INT");
    let first = tokio::time::timeout(Duration::from_secs(20), first.wait_with_output()).await;
    let first = done(first.expect("it stops in time").expect("it ran")).must(130);
    assert_eq!(first.lines()[0]["state"], "cancelled");
    let before = first.lines()[0]["counts"]["messages"].as_u64().expect("a count");

    site.faults().clear();
    let rest = gleaner.run("run 1 --json").await.must(0).lines().remove(0);
    assert_eq!(
        rest["counts"]["messages"].as_u64().expect("a count") + before,
        400,
        "it goes on where it was"
    );
    crate::archive::assert_whole(&gleaner.archive(), site.world(), "daily_news");
}

/// Waits until the site was asked for so many pages.
pub(crate) async fn asked(site: &PreviewSite, pages: usize) {
    let wait = async {
        while site.requests().pages < pages {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), wait)
        .await
        .expect("the site is asked in time");
}
