//! The only task runner of the project: `cargo xtask run | test | soak | check | demo | bench | bundle`.
//!
//! One file a command. [`tools`] knows what must be installed and how, [`laws`] what the
//! architecture forbids, [`process`] starts other programs, [`report`] adds up what they said.
//! Absent: anything the product needs at run time.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task runner talks to its terminal"
)]

mod bench;
mod build;
mod bundle;
mod check;
mod demo;
mod junit;
mod laws;
mod process;
mod report;
mod run;
mod soak;
mod test;
mod tools;
mod ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, checks and runs Gleaner.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, build, and start the app: its window, or `gleaner serve` without a display.
    Run,
    /// Install what is missing, run every check and every test at quick size, and add them up.
    Test,
    /// Run the same tests at full size and keep what they print in docs/proof/.
    Soak {
        /// Only these (`cargo xtask soak --list` names them); all of them if none is named.
        names: Vec<String>,
        /// Name them and stop.
        #[arg(long)]
        list: bool,
    },
    /// Formatting, lints, types and the architecture's laws, without running a test.
    Check,
    /// Start the app against a simulated Telegram, with data of its own.
    Demo,
    /// Measure ratios and latencies in release builds; prints, never asserts.
    Bench,
    /// Build the packages for this system (deb and rpm on Linux).
    Bundle,
}

fn main() -> ExitCode {
    let done = process::enter_root().and_then(|()| match Arguments::parse().task {
        Task::Run => run::run(),
        Task::Test => test::test(),
        Task::Soak { list: true, .. } => soak::list(),
        Task::Soak { names, .. } => soak::soak(&names),
        Task::Check => check::check(),
        Task::Demo => demo::demo(),
        Task::Bench => bench::bench(),
        Task::Bundle => bundle::bundle(),
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
