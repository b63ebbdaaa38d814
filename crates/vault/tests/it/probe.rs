//! A process of its own that uses the keyring: the store learns its bus from the environment.
//!
//! The test binary starts itself with only [`answers`] to run, and talks to it line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use chrono::DateTime;
use gleaner_vault::check::Ledger;
use gleaner_vault::keyring::SERVICE;
use gleaner_vault::{KeyError, KeyHome, KeyPlaces, KeyRow, KeyState, Keyring, Keys, Opened};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bus::Bus;

/// What a probe is asked.
#[derive(Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Open with these rows.
    Open(Vec<KeyRow>),
    /// A first run, with these rows in the database.
    Found(Vec<KeyRow>),
    /// Store these keys, which came from a recovery file.
    Restore(Vec<KeyRow>, String),
    /// Put this into the entry, past the vault.
    Put(String),
    /// Put a second entry of the same name beside it.
    PutBeside(String),
    /// Take the entry away.
    Remove,
}

/// What it answers. The keys are for the search over the disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) state: KeyState,
    pub(crate) detail: String,
    pub(crate) keys: Option<String>,
    pub(crate) rows: Vec<KeyRow>,
    pub(crate) took: Duration,
}

const MARK: &str = "probe: ";
const USER: &str = "default";

pub(crate) struct Probe {
    process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Probe {
    pub(crate) fn start(bus: &Bus) -> Self {
        let this = std::env::current_exe().expect("the test binary");
        let mut process = bus
            .command(this)
            .args(["--exact", "probe::answers", "--ignored", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the probe starts");
        Self {
            asks: process.stdin.take().expect("it is piped"),
            answers: BufReader::new(process.stdout.take().expect("it is piped")),
            process,
        }
    }

    pub(crate) fn ask(&mut self, ask: &Ask) -> Answer {
        let ask = serde_json::to_string(ask).expect("it is JSON");
        writeln!(self.asks, "{ask}").expect("the probe listens");
        loop {
            let mut line = String::new();
            let read = self.answers.read_line(&mut line).expect("the probe answers");
            assert!(read > 0, "the probe has ended");
            // The test harness says things too, on the same line as the first answer.
            if let Some((_, answer)) = line.split_once(MARK) {
                return serde_json::from_str(answer).expect("it is an answer");
            }
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "the other half of the keyring tests, which start it themselves"]
fn answers() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    // One for all its life, as the app has it.
    let keyring = Keyring::of_this_system();
    for line in std::io::stdin().lines() {
        let ask: Ask = serde_json::from_str(&line.expect("a line")).expect("an ask");
        let started = Instant::now();
        let mut answer = runtime.block_on(answer(&keyring, ask));
        answer.took = started.elapsed();
        println!("{MARK}{}", serde_json::to_string(&answer).expect("it is JSON"));
    }
}

async fn answer(keyring: &Keyring, ask: Ask) -> Answer {
    let home = KeyHome::new(KeyPlaces::default(), keyring.clone(), USER);
    let now = DateTime::UNIX_EPOCH;
    match ask {
        Ask::Open(rows) => told(home.open(&ledger(&rows)).await.map(|opened| (opened, rows))),
        Ask::Found(rows) => told(home.found(&ledger(&rows), now).await),
        Ask::Restore(rows, keys) => {
            let keys = Keys::parse(&keys).expect("keys");
            told(home.restore(keys, &ledger(&rows), now).await)
        }
        Ask::Put(value) => put(&[], &value),
        Ask::PutBeside(value) => put(&[("target", "Login")], &value),
        Ask::Remove => told_done(keyring.remove(USER).await.map_err(|error| error.to_string())),
    }
}

fn ledger(rows: &[KeyRow]) -> Ledger<'_> {
    Ledger {
        workspace: Uuid::nil(),
        rows,
        sealed: !rows.is_empty(),
    }
}

fn told(result: Result<(Opened, Vec<KeyRow>), KeyError>) -> Answer {
    match result {
        Ok((opened, rows)) => Answer {
            state: KeyState::Ready,
            detail: opened.source.to_string(),
            keys: Some(opened.vault.keys().to_line().expose_secret().to_owned()),
            rows,
            took: Duration::ZERO,
        },
        Err(error) => Answer {
            state: error.state(),
            detail: error.to_string(),
            keys: None,
            rows: Vec::new(),
            took: Duration::ZERO,
        },
    }
}

fn told_done(done: Result<(), String>) -> Answer {
    Answer {
        state: done.as_ref().map_or(KeyState::Failed, |()| KeyState::Ready),
        detail: done.err().unwrap_or_default(),
        keys: None,
        rows: Vec::new(),
        took: Duration::ZERO,
    }
}

fn put(more: &[(&str, &str)], value: &str) -> Answer {
    let (more, value) = (more.iter().copied().collect(), value.to_owned());
    let put = || {
        let store: std::sync::Arc<keyring_core::CredentialStore> =
            zbus_secret_service_keyring_store::Store::new()?;
        store
            .build(SERVICE, USER, Some(&more))?
            .set_secret(value.as_bytes())
    };
    told_done(put().map_err(|error: keyring_core::Error| error.to_string()))
}
