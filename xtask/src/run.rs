//! `cargo xtask run`: from a clean checkout to the running app.

use std::process::ExitCode;

use anyhow::Result;

use crate::process::{built, command, succeeds, variable};
use crate::tools::{self, Need};
use crate::{build, ui};

/// Installs, builds, starts.
pub(crate) fn run() -> Result<ExitCode> {
    tools::ensure(Need::Build)?;
    ui::build()?;
    start(&[], "8000")
}

/// Builds the app and starts it with these variables: its window, or the server on this port where
/// no window can be shown. Ends when the app does.
pub(crate) fn start(variables: &[(&str, &str)], port: &str) -> Result<ExitCode> {
    // One of the two is enough to start; both are built, so that `gleaner` is there to try.
    build::programs(&["gleaner-desktop", "gleaner-cli"])?;
    start_built(variables, port)
}

/// Starts what is built already.
pub(crate) fn start_built(variables: &[(&str, &str)], port: &str) -> Result<ExitCode> {
    let window = has_display();
    let mut app = if window {
        command(built("debug", "gleaner-desktop")?)
    } else {
        println!(
            "no display here (neither DISPLAY nor WAYLAND_DISPLAY is set): serving the same pages instead"
        );
        let mut serve = command(built("debug", "gleaner")?);
        serve.args(["serve", "--port", port]);
        serve
    };
    app.envs(variables.iter().copied());
    let ok = succeeds(&mut app)?;
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn has_display() -> bool {
    !cfg!(target_os = "linux") || variable("DISPLAY").is_some() || variable("WAYLAND_DISPLAY").is_some()
}
