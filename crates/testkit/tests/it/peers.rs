//! Clients written in Python, which share no code with the simulated Telegram, as child processes.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gleaner_testkit::telegram::LoginKey;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const PATIENCE: Duration = Duration::from_mins(2);

/// The interpreter of the peers' environment; says SKIPPED when there is none.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "asks where tools are, nothing of the app's, and says what was skipped"
)]
pub(crate) fn python() -> Option<PathBuf> {
    let python = std::env::var_os("GLEANER_PEERS_PYTHON").map(PathBuf::from);
    if python.is_none() {
        println!("SKIPPED: GLEANER_PEERS_PYTHON names no interpreter with Telethon and Kurigram");
    }
    python
}

/// A scenario that runs.
pub(crate) struct Script {
    lines: Lines<BufReader<ChildStdout>>,
    /// Killed when dropped.
    _child: Child,
}

impl Script {
    /// `source` reads one argument: JSON with the scenario, the key and `more`.
    pub(crate) fn start(
        python: &PathBuf,
        source: &str,
        scenario: &str,
        key: &LoginKey,
        more: &Value,
    ) -> Self {
        let mut told = json!({
            "scenario": scenario,
            "dc_id": key.dc_id,
            "host": key.address.ip().to_string(),
            "port": key.address.port(),
            "auth_key": STANDARD.encode(key.auth_key),
        });
        for (name, value) in more.as_object().expect("an object") {
            told[name] = value.clone();
        }
        let mut child = Command::new(python)
            .args(["-c", source, &told.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the peers' Python starts");
        let stdout = child.stdout.take().expect("its output is piped");
        Self {
            lines: BufReader::new(stdout).lines(),
            _child: child,
        }
    }

    /// The next line it says.
    pub(crate) async fn line(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.expect("it says something in time").expect("it can be read");
        serde_json::from_str(&line.expect("it says something before it ends")).expect("JSON")
    }
}
