//! Sessions between us and the programs people have: theirs come in and work, ours open there.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use gleaner_app::view::{Finalize, SendOtp, SessionRow, VerifyOtp};
use gleaner_app::{App, ExposeSecret as _};
use gleaner_domain::{Code, SessionHealth, SessionId, SessionOrigin};
use gleaner_telegram::{SessionKeys, session_string};
use gleaner_testkit::telegram::{KeyStanding, LoginKey, TelegramServer};
use gleaner_testkit::world::World;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use uuid::Uuid;

use crate::telegram_app::{ADA, DANA, TelegramApp};

/// Files of programs we cannot install, from the statements in their sources.
#[path = "../../../telegram/tests/it/made.rs"]
#[expect(dead_code, reason = "these stories need some of it")]
mod made;

/// Longest a program may take for a line.
const PATIENCE: Duration = Duration::from_mins(1);

#[rstest]
#[case::closed("telethon_logs_in", None, SessionOrigin::Telethon)]
#[case::open("telethon_logs_in", Some("-journal"), SessionOrigin::Telethon)]
#[case::closed("kurigram_logs_in", None, SessionOrigin::Kurigram)]
#[case::open("kurigram_logs_in", Some("-wal"), SessionOrigin::Kurigram)]
#[tokio::test]
async fn a_file_of_a_program_that_logged_in_is_imported_and_works(
    #[case] scenario: &str,
    #[case] beside: Option<&str>,
    #[case] origin: SessionOrigin,
) {
    let Some(python) = python() else { return };
    let t = TelegramApp::new().await;
    // A Telegram of its own: only the file says where it is.
    let elsewhere = TelegramServer::start(World::new().into_handle()).await;
    let key = elsewhere.new_key(2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.session");
    let mut program = Program::logging_in(&python, scenario, &key, &path, beside.is_some());
    assert_eq!(program.line().await["me"], 5_000_001);
    match beside {
        Some(beside) => assert!(not_empty(&path, beside), "it holds its file open"),
        None => program.ended().await,
    }

    let before = made::everything(folder.path());
    elsewhere.reset_calls();
    let row = t.app.import_session_file(&path, "", "").await.unwrap();
    assert_eq!(
        elsewhere.count("users.getUsers"),
        1,
        "it is checked where it lives"
    );
    assert_is_adas(&row, origin, &key);
    assert!(
        made::everything(folder.path()) == before,
        "nothing is written beside it"
    );

    let checked = t.app.check_session(row.id).await.unwrap();
    assert_eq!(checked.health, SessionHealth::Active);
    assert_eq!(elsewhere.count("users.getUsers"), 2);
    if beside.is_some() {
        program.go_on().await;
        assert_eq!(program.line().await["me"], 5_000_001, "it is not disturbed");
        program.ended().await;
    }
    elsewhere.set_standing(&key, KeyStanding::Revoked);
    let over = t.app.check_session(row.id).await.unwrap();
    assert_eq!(over.health, SessionHealth::Unauthorised);
    let asked = t.telegram.calls();
    assert!(asked.is_empty(), "nobody else is asked: {asked:?}");
}

fn assert_is_adas(row: &SessionRow, origin: SessionOrigin, key: &LoginKey) {
    assert_eq!((row.origin, row.health), (origin, SessionHealth::Active));
    assert!(row.checked_at.is_some());
    assert_eq!((&*row.phone_number, row.dc_id), (ADA, 2));
    let account = row.account.as_ref().unwrap();
    assert_eq!(account.user_id, 5_000_001);
    assert_eq!(account.username.as_deref(), Some("ada_keeper"));
    assert_eq!(account.phone_number.as_deref(), Some(ADA));
    assert_eq!(row.session_name, account.name);
    assert_eq!(row.foreign_address, Some(key.address.to_string()));
    assert!(row.warnings.is_empty(), "{:?}", row.warnings);
}

#[rstest]
#[case(ADA, 5_000_001, 2)]
#[case(DANA, 5_000_005, 4)]
#[tokio::test]
async fn telethon_opens_an_exported_file_and_string_and_works(
    #[case] phone: &str,
    #[case] user: i64,
    #[case] dc_id: i32,
) {
    let Some(python) = python() else { return };
    let t = TelegramApp::new().await;
    let id = logged_in(&t.app, phone).await;
    let path = t.dir.path().join("ours.session");
    t.app.export_session_file(id, &path).await.unwrap();
    let string = t.app.export_session_string(id).await.unwrap();
    let kept = session_string::parse(string.expose_secret()).unwrap().keys;
    assert_eq!((kept.dc_id, kept.address), (dc_id, t.telegram.address(dc_id)));

    t.telegram.reset_calls();
    let wish = json!({ "path": path, "string": string.expose_secret() });
    let mut telethon = Program::start(&python, "telethon_opens", &wish);
    let found = telethon.line().await;
    let works = json!({ "me": user, "phone": phone.trim_start_matches('+'), "authorised": true });
    assert_eq!((&found["file"], &found["string"]), (&works, &works));
    assert_eq!(found["same"], true, "Telethon itself writes the same string");
    assert_eq!(found["version"], 8, "it takes the file for one of its own");
    assert!(t.telegram.count("users.getUsers") >= 2);
    telethon.ended().await;

    // What Telethon made of the file is still the same login.
    let same = t.app.import_session_file(&path, "twin", "").await.unwrap_err();
    assert_eq!(same.code, Code::DuplicateSession);
    let row = t.app.check_session(id).await.unwrap();
    assert_eq!(row.health, SessionHealth::Active);
}

#[tokio::test]
async fn a_file_of_pyrogram_is_read_without_a_connection_while_no_api_id_is_set() {
    let t = TelegramApp::without_api().await;
    let folder = tempfile::tempdir().unwrap();
    let path = made::file(folder.path(), &made::pyrogram(3)).await;
    let row = t.app.import_session_file(&path, "old", "").await.unwrap();
    assert_unchecked(&row, SessionOrigin::Pyrogram);
    assert_eq!((row.dc_id, row.foreign_address), (4, None));
    let kept = kept_keys(&t, row.id).await;
    assert_eq!((kept.dc_id, kept.user_id), (4, Some(6_000_000_000)));
    assert_eq!(kept.auth_key.bytes(), &made::key());
    // It names no server: the one Telegram has there.
    assert_eq!(kept.address, "149.154.167.91:443".parse().unwrap());
    assert_nobody_was_asked(&t);
}

#[tokio::test]
async fn even_a_file_that_names_a_server_in_reach_makes_no_connection_while_no_api_id_is_set() {
    let t = TelegramApp::without_api().await;
    let key = t.telegram.logged_in_key(ADA);
    let names = format!(
        "UPDATE sessions SET dc_id = 2, server_address = '{}', port = {}, auth_key = x'{}', user_id = 5000001;",
        key.address.ip(),
        key.address.port(),
        made::hex(&key.auth_key)
    );
    let folder = tempfile::tempdir().unwrap();
    let path = made::file(folder.path(), &(made::pyrogram(7) + &names)).await;
    let row = t.app.import_session_file(&path, "new", "").await.unwrap();
    assert_unchecked(&row, SessionOrigin::Kurigram);
    assert_eq!(row.foreign_address, Some(key.address.to_string()));
    let kept = kept_keys(&t, row.id).await;
    assert_eq!((kept.address, kept.user_id), (key.address, Some(5_000_001)));
    assert_eq!(kept.auth_key.bytes(), &key.auth_key);
    assert_eq!(t.telegram.most_connections_of(&key), 0);
    assert_nobody_was_asked(&t);
}

fn assert_unchecked(row: &SessionRow, origin: SessionOrigin) {
    assert_eq!((row.origin, row.health), (origin, SessionHealth::Unchecked));
    assert_eq!((&row.checked_at, &row.account), (&None, &None));
}

fn assert_nobody_was_asked(t: &TelegramApp) {
    let calls = t.telegram.calls();
    assert!(calls.is_empty(), "{calls:?}");
    assert_eq!(t.telegram.open_connections(), 0);
}

/// What is sealed in the database, opened with the key in the keyring.
async fn kept_keys(t: &TelegramApp, id: SessionId) -> SessionKeys {
    let store = t.store().await;
    let workspace: Uuid = store.setting("workspace").await.unwrap().unwrap();
    let keys = t.keyring.keyring().read(&workspace.to_string()).await.unwrap();
    let sealed = store.sealed_session(id).await.unwrap();
    let blob = gleaner_vault::seal::open_token(&keys.unwrap(), &sealed.token).unwrap();
    SessionKeys::from_blob(blob.expose_secret()).unwrap()
}

async fn logged_in(app: &App, phone: &str) -> SessionId {
    let wish = SendOtp {
        phone_number: phone.to_owned(),
        session_name: "mine".to_owned(),
        session_id: None,
    };
    let temp_session_id = app.send_otp(wish).await.unwrap().temp_session_id;
    let code = VerifyOtp {
        temp_session_id,
        code: "12345".to_owned(),
        password: None,
    };
    app.verify_otp(code).await.unwrap();
    let kept = app.finalize_session(Finalize { temp_session_id }).await;
    kept.unwrap().id
}

fn not_empty(path: &Path, suffix: &str) -> bool {
    let beside = format!("{}{suffix}", path.display());
    std::fs::metadata(beside).is_ok_and(|file| file.len() > 0)
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
        println!("SKIPPED: no Python with the peers of xtask/peers.txt (GLEANER_PEERS_PYTHON)");
    }
    python
}

/// A scenario of `peers.py` that runs; killed when dropped.
struct Program {
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    child: Child,
}

impl Program {
    /// Logs Ada in with a key, and keeps a session file of its own; `stays` logged in with it open.
    fn logging_in(python: &Path, scenario: &str, key: &LoginKey, path: &Path, stays: bool) -> Self {
        let wish = json!({
            "dc_id": key.dc_id,
            "host": key.address.ip(),
            "port": key.address.port(),
            "auth_key": made::hex(&key.auth_key),
            "phone": ADA,
            "path": path,
            "stays": stays,
        });
        Self::start(python, scenario, &wish)
    }

    fn start(python: &Path, scenario: &str, wish: &Value) -> Self {
        let mut told = wish.clone();
        told["scenario"] = json!(scenario);
        let mut child = Command::new(python)
            .args(["-c", include_str!("peers.py"), &told.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            stdin: child.stdin.take().unwrap(),
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
        }
    }

    /// The next line it says.
    async fn line(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.expect("it says something in time").unwrap();
        serde_json::from_str(&line.expect("it says something before it ends")).unwrap()
    }

    async fn go_on(&mut self) {
        self.stdin.write_all(b"\n").await.unwrap();
    }

    async fn ended(&mut self) {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        assert!(ended.expect("it ends in time").unwrap().success());
    }
}
