//! Telethon, unmodified, logs in to the simulated Telegram: a client that shares no code with it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gleaner_testkit::telegram::{KeyStanding, LoginKey};
use gleaner_testkit::{TelegramServer, World};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const PATIENCE: Duration = Duration::from_mins(2);

async fn telegram() -> TelegramServer {
    TelegramServer::start(World::new().into_handle()).await
}

/// The interpreter of the peers' environment; says SKIPPED when there is none.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "asks where tools are, nothing of the app's, and says what was skipped"
)]
fn python() -> Option<PathBuf> {
    let python = std::env::var_os("GLEANER_PEERS_PYTHON").map(PathBuf::from);
    if python.is_none() {
        println!("SKIPPED: GLEANER_PEERS_PYTHON names no interpreter with Telethon");
    }
    python
}

/// A scenario of `telethon.py` that runs.
struct Script {
    lines: Lines<BufReader<ChildStdout>>,
    /// Killed when dropped.
    _child: Child,
}

impl Script {
    fn start(python: &PathBuf, scenario: &str, key: &LoginKey, more: &Value) -> Self {
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
            .args(["-c", include_str!("telethon.py"), &told.to_string()])
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

    async fn line(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.expect("it says something in time").expect("it can be read");
        serde_json::from_str(&line.expect("it says something before it ends")).expect("JSON")
    }
}

#[tokio::test]
async fn a_code_logs_in_and_out_again() {
    let Some(python) = python() else { return };
    let server = telegram().await;
    let key = server.new_key(2);
    let mut script = Script::start(&python, "code", &key, &json!({ "phone": "+15550001" }));
    let told = script.line().await;
    assert_eq!(told["before"], false);
    assert_eq!(told["sent"], "SentCodeTypeApp");
    assert_eq!(told["wrong"], "PhoneCodeInvalidError");
    let me = json!({ "id": 5_000_001, "first_name": "Ada", "username": "ada_keeper", "phone": "15550001" });
    assert_eq!(told["me"], me);
    assert_eq!(told["full"], 5_000_001);
    assert_eq!((&told["after"], &told["out"]), (&json!(true), &json!(true)));
    assert_eq!(server.count("auth.signIn"), 2);
    assert_eq!(server.user_of(&key), None);
    assert_eq!(server.most_connections_of(&key), 1);
}

#[tokio::test]
async fn a_password_is_asked_for_and_checked() {
    let Some(python) = python() else { return };
    let server = telegram().await;
    let key = server.new_key(2);
    let more = json!({ "phone": "+15550002", "password": "harbour lights" });
    let told = Script::start(&python, "password", &key, &more).line().await;
    assert_eq!(told["needed"], "SessionPasswordNeededError");
    assert_eq!(told["hint"], "what the pier shows");
    assert_eq!(told["wrong"], "PasswordHashInvalidError");
    assert_eq!(told["me"]["first_name"], "Boris");
    assert_eq!(server.user_of(&key), Some(5_000_002));
}

#[tokio::test]
async fn a_scanned_code_logs_in_with_and_without_a_password() {
    let Some(python) = python() else { return };
    let server = telegram().await;
    for (phone, user) in [("+15550001", 5_000_001), ("+15550002", 5_000_002)] {
        let key = server.new_key(2);
        let mut script = Script::start(&python, "qr", &key, &json!({ "password": "harbour lights" }));
        let shown = script.line().await;
        let url = shown["url"].as_str().unwrap();
        let token = url
            .strip_prefix("tg://login?token=")
            .unwrap()
            .trim_end_matches('=');
        server
            .accept_login(&URL_SAFE_NO_PAD.decode(token).unwrap(), phone)
            .unwrap();
        assert_eq!(script.line().await["me"]["id"], user);
        assert_eq!(server.user_of(&key), Some(user));
    }
}

#[tokio::test]
async fn a_session_file_holds_the_key_and_logs_in_with_it() {
    let Some(python) = python() else { return };
    let server = telegram().await;
    let key = server.logged_in_key("+15550001");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ada.session");
    let told = Script::start(&python, "file", &key, &json!({ "path": path }))
        .line()
        .await;
    assert_eq!(told["me"]["phone"], "15550001");
    assert_eq!(told["rows"], json!([[2, "127.0.0.1", key.address.port(), 256]]));
    assert!(path.is_file());
}

#[tokio::test]
async fn phones_are_refused_as_the_demo_says() {
    let Some(python) = python() else { return };
    let server = telegram().await;
    // The flood comes last: after it Telethon asks no more by itself.
    let phones = ["+15550003", "+15550999", "+12", "+15550004"];
    let key = server.new_key(2);
    let told = Script::start(&python, "refusals", &key, &json!({ "phones": phones }))
        .line()
        .await;
    let expected = json!({
        "+15550003": "PhoneNumberBannedError",
        "+15550004": "FloodWaitError 30",
        "+15550999": "PhoneNumberUnoccupiedError",
        "+12": "PhoneNumberInvalidError",
    });
    assert_eq!(told["found"], expected);
}

#[tokio::test]
async fn a_lost_key_says_how_it_was_lost() {
    let Some(python) = python() else { return };
    let server = telegram().await;
    let cases = [
        (KeyStanding::Good, json!({ "me": true })),
        (
            KeyStanding::Unregistered,
            json!({ "error": "AuthKeyUnregisteredError" }),
        ),
        (KeyStanding::Revoked, json!({ "error": "SessionRevokedError" })),
        (
            KeyStanding::AccountBanned,
            json!({ "error": "UserDeactivatedBanError" }),
        ),
        (
            KeyStanding::Duplicated,
            json!({ "error": "AuthKeyDuplicatedError" }),
        ),
        (KeyStanding::Unknown, json!({ "error": "AuthKeyNotFound" })),
    ];
    for (standing, expected) in cases {
        let key = server.logged_in_key("+15550001");
        server.set_standing(&key, standing);
        let told = Script::start(&python, "whoami", &key, &json!({})).line().await;
        assert_eq!(told, expected, "{standing:?}");
    }
}
