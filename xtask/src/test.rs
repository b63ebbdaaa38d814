//! `cargo xtask test`: everything a change must pass, at quick size, in one go.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::build::{self, over_the_house};
use crate::process::{built, cargo, command, follow, succeeds, target_dir};
use crate::report::{Counts, Outcome, Report, read_closing_line};
use crate::tools::{self, CHROMIUM, Need};
use crate::{check, junit, ui};

/// The package whose tests open the real window.
const WINDOW_TESTS: &str = "gleaner-e2e-desktop";

/// Runs every part, whatever became of the others, and adds them up.
pub(crate) fn test() -> Result<ExitCode> {
    tools::ensure(Need::Test)?;
    let mut report = Report::default();
    // First, because the pages are built into the programs below.
    report.part("ui build", || ui::build().map(|()| Outcome::one(true)));
    check::parts(&mut report);
    report.part("ui unit tests", ui_unit_tests);
    report.part("xtask tests", || {
        nextest(cargo(["nextest", "run", "--locked", "--package", "xtask"]))
    });
    report.part("build", || build::everything().map(|()| Outcome::one(true)));
    report.part("rust tests", || nextest(rust_tests("all()")));
    report.part("ui end to end", || {
        let Some(mut journey) = ui_end_to_end()? else {
            return Ok(Outcome::skipped(NO_CHROMIUM));
        };
        let said = follow(&mut journey)?;
        let (counts, skips) = read_closing_line(&said.lines);
        Ok(Outcome::counted(said.ok, counts, skips))
    });
    report.part("window end to end", || nextest(window_tests()));
    Ok(report.close())
}

/// Why the pages' journeys cannot run.
pub(crate) const NO_CHROMIUM: &str = "no Chromium on the path";

/// The Rust tests of a nextest filter, but the window's.
pub(crate) fn rust_tests(filter: &str) -> Command {
    let mut tests = over_the_house(["nextest", "run"]);
    // One filter: of several, nextest would run what any of them names.
    tests.args([
        "--filterset",
        &format!("not package({WINDOW_TESTS}) & ({filter})"),
    ]);
    match tools::peers_python() {
        Ok(python) => _ = tests.env("GLEANER_PEERS_PYTHON", python),
        Err(error) => println!("tests that need Python peers will skip themselves: {error:#}"),
    }
    tests
}

/// The tests that open the real window, each with a display and a bus of its own.
pub(crate) fn window_tests() -> Command {
    let mut tests = over_the_house(["nextest", "run"]);
    tests.args(["--filterset", &format!("package({WINDOW_TESTS})")]);
    tests
}

/// The real pages in Chromium against the real server; `None` without a Chromium.
pub(crate) fn ui_end_to_end() -> Result<Option<Command>> {
    let Some(chromium) = CHROMIUM.iter().find(|name| tools::on_path(name)) else {
        return Ok(None);
    };
    let mut node = command("node");
    node.arg("e2e/ui/run.mjs")
        .env("GLEANER_BIN", built("debug", "gleaner")?)
        .env("GLEANER_TESTKIT_BIN", built("debug", "gleaner-testkit")?)
        .env("CHROMIUM", chromium);
    Ok(Some(node))
}

/// Runs nextest and reads what it left: a test that says SKIPPED did not pass.
fn nextest(mut tests: Command) -> Result<Outcome> {
    let account = junit::account("default");
    forget(&account)?;
    let ok = succeeds(&mut tests)?;
    // Without the file nothing ran: the build failed, and that is a failure.
    let (counts, skips) = std::fs::read_to_string(&account)
        .map(|xml| junit::read(&xml))
        .unwrap_or_default();
    Ok(Outcome::counted(ok, counts, skips))
}

fn ui_unit_tests() -> Result<Outcome> {
    let account = target_dir()?.join("vitest.json");
    forget(&account)?;
    let file = format!("--outputFile.json={}", account.display());
    let ok = succeeds(&mut ui::npm([
        "test",
        "--silent",
        "--",
        "--reporter=default",
        "--reporter=json",
        &file,
    ]))?;
    let counts = std::fs::read(&account)
        .ok()
        .and_then(|json| vitest_counts(&json))
        .unwrap_or_default();
    Ok(Outcome::counted(ok, counts, vec![]))
}

fn vitest_counts(json: &[u8]) -> Option<Counts> {
    let account: serde_json::Value = serde_json::from_slice(json).ok()?;
    let number = |name: &str| account.get(name)?.as_u64().map(|number| number as usize);
    Some(Counts {
        passed: number("numPassedTests")?,
        failed: number("numFailedTests")?,
        skipped: number("numPendingTests").unwrap_or(0) + number("numTodoTests").unwrap_or(0),
    })
}

/// An account of an earlier run must not be read as this one's.
pub(crate) fn forget(account: &Path) -> Result<()> {
    match std::fs::remove_file(account) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", account.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vitest_says_how_many_of_each() {
        let json = br#"{"numTotalTests": 5, "numPassedTests": 3, "numFailedTests": 1, "numPendingTests": 1}"#;
        assert_eq!(
            vitest_counts(json),
            Some(Counts {
                passed: 3,
                failed: 1,
                skipped: 1
            })
        );
    }

    #[test]
    fn another_json_counts_nothing() {
        assert_eq!(vitest_counts(b"[]"), None);
    }
}
