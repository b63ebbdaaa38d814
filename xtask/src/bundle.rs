//! `cargo xtask bundle`: the packages a user installs.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::process::{command, must, target_dir};
use crate::tools::{self, Need};
use crate::ui;

/// Builds the packages with the Tauri CLI that the lock file names; it builds the pages first.
pub(crate) fn bundle() -> Result<ExitCode> {
    tools::ensure(Need::Build)?;
    ui::install()?;
    packages()?;
    listing()?.iter().for_each(|line| println!("{line}"));
    Ok(ExitCode::SUCCESS)
}

/// Release build and packages. AppImage is absent: its tools come from the network.
pub(crate) fn packages() -> Result<()> {
    let mut tauri = command(if cfg!(windows) {
        "ui/node_modules/.bin/tauri.cmd"
    } else {
        "ui/node_modules/.bin/tauri"
    });
    tauri.args(["build", "--ci"]);
    if cfg!(target_os = "linux") {
        tauri.args(["--bundles", "deb,rpm"]);
    }
    must(&mut tauri)
}

/// The packages and their sizes.
pub(crate) fn listing() -> Result<Vec<String>> {
    let folder = target_dir()?.join("release/bundle");
    let mut lines = Vec::new();
    for kind in fs::read_dir(&folder).with_context(|| format!("no packages in {}", folder.display()))? {
        for package in fs::read_dir(kind?.path())? {
            let package = package?;
            let facts = package.metadata()?;
            if facts.is_file() {
                let megabytes = facts.len() as f64 / 1_000_000.0;
                lines.push(format!("{} ({megabytes:.1} MB)", package.path().display()));
            }
        }
    }
    lines.sort();
    Ok(lines)
}
