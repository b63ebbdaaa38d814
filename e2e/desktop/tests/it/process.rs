//! The program as the desktop sees it: one instance, a start without a window, an orderly end.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use tokio::time::timeout;

use crate::stage::{PATIENCE, Stage, eventually};

#[tokio::test]
async fn a_second_start_hands_over_to_the_first_and_ends() -> Result<()> {
    let Some(stage) = Stage::set().await? else {
        return Ok(());
    };
    let mut first = stage.app().arg("--minimized").spawn()?;
    let database = stage.data().join("gleaner.db");
    eventually("the first instance to open its data", || async {
        Ok(database.is_file().then_some(()))
    })
    .await?;

    let second = timeout(PATIENCE, stage.app().status())
        .await
        .context("the second start stayed")??;
    ensure!(second.success(), "the second start ended with {second}");
    ensure!(
        first.try_wait()?.is_none(),
        "the first instance ended with the second"
    );
    first.kill().await?;
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn asked_to_end_it_ends_in_order_and_soon() -> Result<()> {
    let Some(stage) = Stage::set().await? else {
        return Ok(());
    };
    let mut app = stage.app().arg("--minimized").spawn()?;
    let lock = stage.data().join("scheduler.lock");
    eventually("the app to run what is due", || async {
        Ok(lock.is_file().then_some(()))
    })
    .await?;

    let id = app.id().context("it runs")?.to_string();
    ensure!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .await?
            .success(),
        "the signal was not sent"
    );
    let ended = timeout(Duration::from_secs(15), app.wait())
        .await
        .context("it did not end")??;
    ensure!(ended.success(), "it ended with {ended}");
    // A database closed in order leaves no write-ahead log behind.
    ensure!(
        !stage.data().join("gleaner.db-wal").exists(),
        "the database was not closed"
    );
    Ok(())
}
