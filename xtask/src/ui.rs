//! The web UI's own tools: npm from the lock file, and nothing global.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::Result;

use crate::process::{command, must};

/// What a change of makes the built UI old.
const SOURCES: &[&str] = &[
    "ui/src",
    "ui/static",
    "ui/package-lock.json",
    "ui/svelte.config.js",
    "ui/vite.config.ts",
    "ui/tsconfig.json",
];

/// `npm` in the UI's folder.
pub(crate) fn npm<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut npm = command(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.current_dir("ui").args(arguments);
    npm
}

/// Installs exactly what the lock names, unless that is there already. No package's script runs.
pub(crate) fn install() -> Result<()> {
    let installed = modified(Path::new("ui/node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(Path::new("ui/package-lock.json")) {
        return Ok(());
    }
    println!("the UI's packages are absent or older than ui/package-lock.json");
    must(&mut npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))
}

/// Builds the pages into ui/build, unless they are newer than all they are made of.
pub(crate) fn build() -> Result<()> {
    install()?;
    // Without _app, index.html is only the placeholder that lets Rust build first.
    let built = Path::new("ui/build/_app")
        .exists()
        .then(|| modified(Path::new("ui/build/index.html")))
        .flatten();
    let newest = SOURCES.iter().filter_map(|place| newest(Path::new(place))).max();
    if built.is_some() && built >= newest {
        println!("ui/build is up to date");
        return Ok(());
    }
    must(&mut npm(["run", "build"]))
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|facts| facts.modified()).ok()
}

fn newest(path: &Path) -> Option<SystemTime> {
    let below = std::fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| newest(&entry.path()));
    below.chain(modified(path)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_as_new_as_the_newest_thing_in_it() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        assert!(newest(&here) >= modified(&here.join("ui.rs")));
        assert_eq!(newest(Path::new("no/such/place")), None);
    }
}
