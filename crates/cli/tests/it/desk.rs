//! A desk for whoever logs in: a folder, a simulated Telegram, and the binary with what is typed into it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use gleaner_testkit::ControlPort;
use gleaner_testkit::telegram::{LoginKey, TelegramOptions, TelegramServer};
use gleaner_testkit::world::World;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::gleaner::{Done, done};

pub(crate) const ADA: &str = "+15550001";
pub(crate) const BORIS: &str = "+15550002";
pub(crate) const BANNED: &str = "+15550003";
pub(crate) const FLOODED: &str = "+15550004";
pub(crate) const DANA: &str = "+15550005";
pub(crate) const CODE: &str = "12345";
pub(crate) const PASSWORD: &str = "harbour lights";
pub(crate) const PASSPHRASE: &str = "gulls over the breakwater";

/// What QR codes are drawn with.
pub(crate) const SQUARE: char = '█';

/// No command of these tests takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// This build's binary, always: one as it is shipped does not know the simulated Telegram.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_gleaner");

/// A folder to work in, and a Telegram to log in to.
pub(crate) struct Desk {
    pub(crate) dir: TempDir,
    pub(crate) telegram: TelegramServer,
    pub(crate) control: ControlPort,
    pub(crate) vars: Vec<(&'static str, String)>,
}

impl Desk {
    /// With a key that is laid out in a file, as on a machine without a keyring.
    pub(crate) async fn new() -> Self {
        let desk = Self::keyless(TelegramOptions::default()).await;
        desk.lay_out_a_key().with("GLEANER_DEMO_API", "1")
    }

    /// With neither key nor API id.
    pub(crate) async fn keyless(options: TelegramOptions) -> Self {
        let world = World::new().into_handle();
        let telegram = TelegramServer::start_with(world, options)
            .await
            .expect("it starts");
        let control = ControlPort::of_telegram(&telegram, 0).await.expect("a free port");
        let at = control.base_url().trim_start_matches("http://").to_owned();
        let desk = Self {
            dir: tempfile::tempdir().expect("a folder"),
            telegram,
            control,
            vars: Vec::new(),
        };
        // Nobody listens on port 9.
        desk.with("GLEANER_DATA_DIR", "d")
            .with("GLEANER_PREVIEW_URL", "http://127.0.0.1:9")
            .with("GLEANER_DEMO_TELEGRAM", &at)
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.vars.push((name, value.to_owned()));
        self
    }

    /// A key in a file that only its owner can read, outside the data folder.
    pub(crate) fn lay_out_a_key(self) -> Self {
        let path = self.path("key");
        std::fs::write(&path, format!("{}\n", self.laid_out_key())).expect("written");
        owner_only(&path);
        self.with("GLEANER_ENCRYPTION_KEY_FILE", "key")
    }

    /// What [`Self::lay_out_a_key`] lays out: this desk's own.
    pub(crate) fn laid_out_key(&self) -> String {
        let name = self.dir.path().as_os_str().as_encoded_bytes();
        let bytes: Vec<u8> = name
            .iter()
            .rev()
            .chain([7; 32].iter())
            .copied()
            .take(32)
            .collect();
        URL_SAFE.encode(bytes)
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.dir.path().join(inside)
    }

    /// The binary with a command line of words, with nothing of the tester's environment.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(BINARY);
        command.env_clear();
        self.place(&mut command, line);
        command.env("HOME", self.dir.path());
        command
    }

    /// Puts a program with an environment of its own into this folder.
    pub(crate) fn place(&self, command: &mut Command, line: &str) {
        command
            .args(line.split_whitespace())
            .current_dir(self.dir.path())
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for (name, value) in &self.vars {
            command.env(name, value);
        }
    }

    /// Runs to the end, with these lines on stdin.
    pub(crate) async fn run(&self, line: &str, answers: &[&str]) -> Done {
        let said = answered(start(self.command(line)), answers).await;
        said.keeps_to_itself(answers)
    }

    /// The error that a command ends with, in JSON.
    pub(crate) async fn refused(&self, line: &str, answers: &[&str], exit: i32) -> Value {
        let said = self.run(&format!("{line} --json"), answers).await.must(exit);
        assert_eq!(said.out, "", "an error is no result: {said:?}");
        serde_json::from_str(said.err.trim()).unwrap_or_else(|e| panic!("{e}: {said:?}"))
    }

    pub(crate) async fn log_in(&self, phone: &str, name: &str) {
        let line = format!("session login --name {name} --phone {phone}");
        self.run(&line, &[CODE, PASSWORD]).await.must(0);
    }

    /// What is kept.
    pub(crate) async fn rows(&self) -> Vec<Value> {
        let rows = self.run("session list --json", &[]).await.must(0).json();
        rows.as_array().expect("a list").clone()
    }

    /// Runs until a QR code is drawn, has another device of the account scan it, and goes on.
    pub(crate) async fn run_and_scan(&self, line: &str, phone: &str, answers: &[&str]) -> Done {
        let mut child = start(self.command(line));
        let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut seen = String::new();
        let drawn = async {
            while !seen.contains(SQUARE) {
                let read = stderr.read_line(&mut seen).await.expect("it is text");
                assert!(read > 0, "it ended without a code: {seen}");
            }
        };
        tokio::time::timeout(PATIENCE, drawn)
            .await
            .expect("a code is drawn in time");
        let scanned = self
            .telegram
            .accept_newest_login(phone)
            .expect("the account exists");
        assert!(scanned, "a code is shown");
        let (said, rest) = tokio::join!(answered(child, answers), stderr.read_to_string(&mut seen));
        rest.expect("it is text");
        Done { err: seen, ..said }.keeps_to_itself(answers)
    }
}

impl Done {
    /// Of what was typed nothing comes back, except for a phone number.
    pub(crate) fn keeps_to_itself(self, answers: &[&str]) -> Self {
        for secret in answers
            .iter()
            .filter(|answer| answer.len() > 3 && !answer.starts_with('+'))
        {
            for said in [&self.out, &self.err] {
                assert!(!said.contains(secret), "{secret} was said back: {self:?}");
            }
        }
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(
            self.err.contains(words) || self.out.contains(words),
            "{words}: {self:?}"
        );
        self
    }
}

pub(crate) fn start(mut command: Command) -> Child {
    command.spawn().expect("the binary starts")
}

/// Gives the answers and waits for the end. Who has heard enough may leave the rest.
pub(crate) async fn answered(mut child: Child, answers: &[&str]) -> Done {
    let mut typed = answers.join("\n");
    typed.push('\n');
    let mut stdin = child.stdin.take().expect("it is piped");
    if !answers.is_empty() {
        let _ = stdin.write_all(typed.as_bytes()).await;
    }
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    done(output.expect("it ends in time").expect("it runs"))
}

pub(crate) fn owner_only(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("allowed");
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Telethon's string of a login.
pub(crate) fn telethon_string(key: &LoginKey) -> String {
    let std::net::IpAddr::V4(ip) = key.address.ip() else {
        panic!("the simulated Telegram is at 127.0.0.1");
    };
    let mut fields = vec![u8::try_from(key.dc_id).expect("a small number")];
    fields.extend(ip.octets());
    fields.extend(key.address.port().to_be_bytes());
    fields.extend(key.auth_key);
    format!("1{}", URL_SAFE.encode(fields))
}

/// Telethon's newest schema, as far as a login needs it.
pub(crate) fn telethon_schema(key: &LoginKey) -> String {
    let (dc, ip, port) = (key.dc_id, key.address.ip(), key.address.port());
    let auth_key = hex(&key.auth_key);
    format!(
        "CREATE TABLE version (version integer primary key);
         CREATE TABLE sessions (dc_id integer primary key, server_address text, port integer, auth_key blob,
             takeout_id integer);
         CREATE TABLE entities (id integer primary key, hash integer not null, username text, phone integer,
             name text, date integer);
         CREATE TABLE sent_files (md5_digest blob, file_size integer, type integer, id integer, hash integer,
             primary key(md5_digest, file_size, type));
         CREATE TABLE update_state (id integer primary key, pts integer, qts integer, date integer, seq integer);
         INSERT INTO version VALUES (7);
         INSERT INTO sessions VALUES ({dc}, '{ip}', {port}, x'{auth_key}', NULL);"
    )
}

/// A file as a program leaves it that still runs: its login is in the journal beside it only.
pub(crate) async fn with_its_journal(folder: &Path, key: &LoginKey) -> (PathBuf, SqliteConnection) {
    let path = folder.join("running.session");
    let url = format!("sqlite://{}?mode=rwc", path.display());
    let mut database = SqliteConnection::connect(&url).await.expect("a database");
    for sql in ["PRAGMA journal_mode = WAL", &telethon_schema(key)] {
        let run = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut database);
        run.await.expect("it is SQL");
    }
    assert!(folder.join("running.session-wal").exists());
    (path, database)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
