//! The document against the server, by a tool that invents requests: `schemathesis`.
//!
//! Left out: the two checks that take every request that fits the document for one that must be
//! honoured (a bucket's name has rules JSON Schema cannot say), and the reverse (too big a limit
//! is cut, not refused); the stream, which has no end; what would move the data folder,
//! and what would write wherever an invented path points.

use std::path::{Path, PathBuf};
use std::time::Duration;

use gleaner_testkit::size::pick;
use tokio::process::Command;

use crate::server::TestServer;
use crate::sessions::Stage;

const PATIENCE: Duration = Duration::from_mins(20);

#[tokio::test]
async fn requests_that_a_tool_invents_are_answered_as_the_document_says() {
    let server = TestServer::start_dev().await;
    let all_but = ["--exclude-path-regex", "/api/(events|data/|targets/test)"];
    invented_requests(&server, &all_but).await;
}

/// With a Telegram that answers, and one session there. The settings are left out: behind a proxy that the
/// tool invents is no Telegram.
#[tokio::test]
async fn requests_about_sessions_that_a_tool_invents_are_answered_as_the_document_says() {
    let stage = Stage::set().await;
    let file = stage.session_file("+15550001").await;
    let kept = stage.upload("mine", "", file).await;
    assert_eq!(kept.status, 200, "{}", kept.body);
    let sessions = [
        "--include-path-regex",
        "^/sessions/|^/api/(temp-)?sessions|^/api/key",
    ];
    invented_requests(&stage.server, &sessions).await;
}

#[expect(clippy::print_stdout, reason = "says what was skipped, and what was tried")]
async fn invented_requests(server: &TestServer, paths: &[&str]) {
    let Some(program) = program() else {
        println!("SKIPPED: schemathesis is not installed (pip install schemathesis)");
        return;
    };
    let examples = pick("15", "150");
    let mut command = Command::new(program);
    command
        .arg("run")
        .arg(format!("http://{}/api/openapi.json", server.address))
        .args(paths)
        .args([
            "--exclude-checks",
            // The development mode asks nobody for a token; `doors.rs` holds the doors shut.
            "positive_data_acceptance,negative_data_rejection,ignored_auth",
        ])
        .args([
            "--max-examples",
            examples,
            "--generation-deterministic",
            "--no-color",
            // Of two, one now and then trips over a fault of Python's own parser (3.11).
            "--workers",
            "1",
        ])
        .current_dir(server.folder())
        .kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.expect("it ends in time").expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout);
    let end = told.find("= SUMMARY =").map_or(&*told, |at| &told[at..]);
    println!("{end}");
    // The bodies it invents may be megabytes; what failed stands at the beginning of each line.
    let short: Vec<String> = told
        .lines()
        .map(|line| line.chars().take(300).collect())
        .collect();
    assert!(output.status.success(), "{}", short.join("\n"));
}

/// In the peers' environment that `cargo xtask test` makes, or wherever the shell finds it.
#[expect(
    clippy::disallowed_methods,
    reason = "asks where tools are, nothing of the app's"
)]
fn program() -> Option<PathBuf> {
    let python = std::env::var_os("GLEANER_PEERS_PYTHON").map(PathBuf::from);
    let peers = python.and_then(|python| python.parent().map(Path::to_owned));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = peers.into_iter().chain(std::env::split_paths(&path));
    folders
        .map(|folder| folder.join("schemathesis"))
        .find(|program| program.is_file())
}
