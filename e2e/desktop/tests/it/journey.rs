//! A person adds a public channel in the window, and its messages arrive on screen and on disk.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::stage::{CHANNEL, Stage, Window, eventually, in_window};

#[tokio::test]
async fn a_public_channel_added_in_the_window_arrives_on_screen_and_on_disk() -> Result<()> {
    in_window(add_a_channel).await
}

async fn add_a_channel(stage: &Stage, window: &Window) -> Result<()> {
    window.press("+ Add New Source").await?;
    window.fill("Name", "Harbour").await?;
    window.fill("Identifier", &format!("@{CHANNEL}")).await?;
    window.press("Create Source").await?;
    window.reads("Harbour").await?;

    let archive = stage.data().join("archive");
    let segment = eventually("a segment on disk", || async { Ok(first_segment(&archive)) }).await?;
    ensure!(
        fs::metadata(&segment)?.len() > 0,
        "{} is empty",
        segment.display()
    );

    window.press("Harbour").await?;
    window.reads(&latest_line(stage)?).await?;
    no_page_error(window).await
}

/// The first line of the newest post that has words enough to be told apart.
fn latest_line(stage: &Stage) -> Result<String> {
    let world = stage.world();
    let texts = world
        .live_ids(CHANNEL)
        .into_iter()
        .rev()
        .filter_map(|id| world.text(CHANNEL, id));
    let lines = texts.filter_map(|text| text.lines().next().map(|line| line.trim().to_owned()));
    let mut telling = lines.filter(|line| line.len() > 12 && !line.contains("  "));
    telling.next().context("the simulated channel has no text")
}

fn first_segment(archive: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(archive)
        .ok()?
        .flatten()
        .map(|entry| entry.path().join("messages"));
    let mut files = folders
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .flatten();
    files
        .find(|file| file.file_name().to_string_lossy().ends_with(".jsonl.zst"))
        .map(|file| file.path())
}

/// What the CSP refuses, or the web view does not know, would break charts without a word.
async fn no_page_error(window: &Window) -> Result<()> {
    let drawn = window
        .client
        .execute("return document.querySelectorAll('main svg').length", vec![])
        .await?;
    ensure!(drawn.as_u64() > Some(0), "the page of a source draws nothing");
    let text = window.text().await?;
    ensure!(!text.contains("Something broke"), "the page says: {text}");
    Ok(())
}
