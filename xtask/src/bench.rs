//! `cargo xtask bench`: ratios and latencies in release builds. Prints, never asserts.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{Beside, built, cargo, command, follow, must, output, target_dir, variable};
use crate::tools::{self, Need};

/// A channel of the simulated site.
const CHANNEL: &str = "harbour_observatory";
/// How often a page is parsed.
const ROUNDS: &str = "50";

/// Measures and prints.
pub(crate) fn bench() -> Result<ExitCode> {
    tools::ensure(Need::Test)?;
    measure()?;
    Ok(ExitCode::SUCCESS)
}

/// Everything that is measured; the lines it printed.
pub(crate) fn measure() -> Result<Vec<String>> {
    let mut lines = parse_ratio()?;
    lines.extend(backfill_ratio()?);
    Ok(lines)
}

/// The parser against BeautifulSoup with lxml, on the same page, in one run.
fn parse_ratio() -> Result<Vec<String>> {
    let python = tools::peers_python()?;
    must(&mut cargo([
        "build",
        "--locked",
        "--release",
        "--package",
        "gleaner-preview",
        "--example",
        "parse_ratio",
    ]))?;
    let page = page()?;
    let example = target_dir()?.join("release/examples/parse_ratio");
    let ours = measured(command(example).arg(&page).args([ROUNDS, "--texts"]))?;
    let peer = measured(
        command(python)
            .arg("crates/preview/benches/peer_bs4.py")
            .arg(&page)
            .arg(ROUNDS),
    )?;
    let line = compare(&ours, &peer).context("the two did not print what they measured")?;
    println!("{line}");
    Ok(vec![line])
}

fn measured(command: &mut Command) -> Result<Value> {
    let name = command.get_program().display().to_string();
    let printed = output(command).with_context(|| format!("{name} failed"))?;
    serde_json::from_str(&printed).with_context(|| format!("{name} printed no JSON"))
}

/// One line: both medians, the ratio, and whether both read the same texts.
fn compare(ours: &Value, peer: &Value) -> Option<String> {
    let (fast, slow) = (ours["ms"].as_f64()?, peer["ms"].as_f64()?);
    let (messages, ratio) = (&ours["messages"], slow / fast);
    let texts = if ours["texts"] == peer["texts"] {
        "same texts"
    } else {
        "DIFFERENT TEXTS"
    };
    Some(format!(
        "parse_ratio: {messages} messages, median of {ROUNDS}: ours {fast:.3} ms, BeautifulSoup with lxml {slow:.2} ms: {ratio:.1} times, {texts}"
    ))
}

/// Concurrent backfill against a sequential reader at 100 ms latency: a test measures and prints it.
fn backfill_ratio() -> Result<Vec<String>> {
    let mut test = cargo([
        "nextest",
        "run",
        "--locked",
        "--release",
        "--package",
        "gleaner-app",
    ]);
    test.args(["--filterset", "test(/backfill_ratio/)", "--no-tests", "warn"]);
    Ok(follow(test.args(["--color", "never", "--success-output", "immediate"]))?.lines)
}

/// A page of twenty messages: the one `GLEANER_BENCH_PAGE` names, or one of the simulated site.
fn page() -> Result<PathBuf> {
    if let Some(path) = variable("GLEANER_BENCH_PAGE") {
        return Ok(path.into());
    }
    must(&mut cargo([
        "build",
        "--locked",
        "--package",
        "gleaner-testkit",
        "--bins",
    ]))?;
    let mut site = command(built("debug", "gleaner-testkit")?);
    let (_site, lines) = Beside::start(site.args(["site", "--port", "0"]), 1)?;
    let url = &lines[0];
    let path = target_dir()?.join("bench-page.html");
    let fetch = format!(
        "import urllib.request; urllib.request.urlretrieve('{url}/s/{CHANNEL}', r'{}')",
        path.display()
    );
    must(command(tools::peers_python()?).args(["-c", &fetch]))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_ratio_says_whether_both_read_the_same() {
        let ours = json!({ "ms": 0.5, "messages": 20, "texts": ["a"] });
        let line = compare(&ours, &json!({ "ms": 12.5, "texts": ["a"] })).unwrap();
        assert!(line.ends_with("25.0 times, same texts"), "{line}");
        let line = compare(&ours, &json!({ "ms": 12.5, "texts": ["b"] })).unwrap();
        assert!(line.ends_with("DIFFERENT TEXTS"), "{line}");
        assert_eq!(compare(&ours, &json!({})), None);
    }
}
