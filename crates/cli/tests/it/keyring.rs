//! A real gnome-keyring on a private bus, in every state a person's may be in, and what the command says.

#[expect(clippy::print_stdout, reason = "what says SKIPPED")]
#[path = "../../../vault/tests/it/bus.rs"]
mod bus;

use std::fmt::Write as _;

use gleaner_testkit::telegram::TelegramOptions;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::runtime::Runtime;
use zbus::blocking::Connection;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value as BusValue};

use self::bus::{Bus, Start};
use crate::canary::Secrets;
use crate::desk::{BINARY, Desk, PATIENCE, answered, start};
use crate::gleaner::{Done, done, signal};

const ADA: &str = "+15550001";
const BORIS: &str = "+15550002";
const CODE: &str = "12345";
const PASSWORD: &str = "harbour lights";
const PASSPHRASE: &str = "gulls over the breakwater";
const API_HASH: &str = "5d41402abc4b2a76b9719d911017c592";

const SECRETS: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "app.gleaner";

/// A person at home: a bus, a keyring, a data folder.
struct Home {
    bus: Bus,
    desk: Desk,
    runtime: Runtime,
}

/// A secret as the bus carries it: session, parameters, value, type.
type BusSecret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

impl Home {
    /// `None` where there is no gnome-keyring to ask.
    fn new() -> Option<Self> {
        let bus = Bus::start()?;
        let runtime = Runtime::new().expect("a runtime");
        let desk = runtime.block_on(Desk::keyless(TelegramOptions::default()));
        let desk = desk.with("GLEANER_DEMO_API", "1");
        Some(Self { bus, desk, runtime })
    }

    /// With one session, and the key that its login made.
    fn lived_in() -> Option<(Self, Secrets)> {
        let mut home = Self::new()?;
        home.bus.start_keyring(Start::Unlocked);
        home.run(&format!("session login --name mine --phone {ADA}"), &[CODE])
            .must(0);
        let key = home.key();
        let mut secrets = Secrets::default();
        secrets.add("the key's line", &key);
        let text = std::str::from_utf8(&key).expect("a line");
        let raw = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE, text.trim());
        secrets.add("the key", &raw.expect("base64"));
        Some((home, secrets))
    }

    fn command(&self, line: &str) -> tokio::process::Command {
        let mut command = tokio::process::Command::from(self.bus.command(BINARY));
        self.desk.place(&mut command, line);
        command
    }

    fn run(&self, line: &str, answers: &[&str]) -> Done {
        let command = self.command(line);
        self.runtime
            .block_on(async { answered(start(command), answers).await })
    }

    #[track_caller]
    fn is_in_state(&self, state: &str, exit: i32) -> Value {
        let told = self.run("key check --json", &[]).must(exit).json();
        assert_eq!(told["state"], state, "{told}");
        assert_eq!(told["hint"].is_string(), exit == 78, "it says what to do: {told}");
        told
    }

    /// In a state without a key everything that needs it is refused, and the database stays as it is.
    #[track_caller]
    fn refuses_everything(&self, state: &str, code: &str) {
        let before = self.contents();
        self.is_in_state(state, 78);
        for (line, answers) in [
            (
                format!("session login --name two --phone {BORIS}"),
                vec![CODE, PASSWORD],
            ),
            ("session export mine out.session --yes".to_owned(), vec![]),
            (
                "session export mine --form string out.session --yes".to_owned(),
                vec![],
            ),
            ("session check mine".to_owned(), vec![]),
            ("session api 7".to_owned(), vec![API_HASH]),
            ("key export refused.json".to_owned(), vec![PASSPHRASE, PASSPHRASE]),
            ("key rotate".to_owned(), vec![]),
        ] {
            let told = self.run(&format!("{line} --json"), &answers).must(78);
            let error: Value = serde_json::from_str(told.err.trim()).expect("JSON");
            assert_eq!(error["code"], code, "{line}: {told:?}");
            assert_eq!(told.out, "");
        }
        self.run("key show-id", &[]).must(78);
        // What needs no key goes on.
        assert!(self.run("session list", &[]).must(0).out.contains("mine"));
        assert!(!self.desk.path("out.session").exists() && !self.desk.path("refused.json").exists());
        assert_eq!(self.contents(), before);
    }

    fn opens(&self) {
        self.is_in_state("ready", 0);
        assert!(self.run("session check mine", &[]).must(0).out.contains("active"));
    }

    /// Every row of every table, as text.
    fn contents(&self) -> String {
        let path = self.desk.path("d/gleaner.db");
        let read = async {
            let url = format!("sqlite://{}", path.display());
            let mut database = SqliteConnection::connect(&url).await.expect("a database");
            let mut rows = async |sql: String| {
                let rows = sqlx::query_scalar::<_, String>(AssertSqlSafe(sql));
                rows.fetch_all(&mut database).await.expect("it is SQL")
            };
            let mut text = String::new();
            let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
            for table in rows(tables.to_owned()).await {
                let columns = rows(format!("SELECT name FROM pragma_table_info('{table}')")).await;
                let columns: Vec<_> = columns.iter().map(|name| format!("quote(\"{name}\")")).collect();
                let sql = format!("SELECT {} FROM \"{table}\"", columns.join(" || ' ' || "));
                for row in rows(sql).await {
                    writeln!(text, "{table}: {row}").expect("a string takes it");
                }
            }
            text
        };
        let text = self.runtime.block_on(read);
        assert!(text.contains("mine"), "the session is in it: {text}");
        text
    }

    fn bus(&self) -> Connection {
        let environment = self.bus.command("true");
        let mut environment = environment.get_envs();
        let address = environment
            .find_map(|(name, value)| value.filter(|_| name == "DBUS_SESSION_BUS_ADDRESS")?.to_str());
        let address = address.expect("the bus has an address");
        let builder = zbus::blocking::connection::Builder::address(address).expect("an address");
        builder.method_timeout(PATIENCE).build().expect("a connection")
    }

    /// The one entry that Gleaner has made.
    fn entry(bus: &Connection) -> OwnedObjectPath {
        let attributes = std::collections::HashMap::from([("service", SERVICE)]);
        let found = asked(bus, SECRETS, "Service", "SearchItems", &(attributes,));
        let (unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
            found.body().deserialize().expect("two lists");
        assert_eq!(
            (unlocked.len(), locked.len()),
            (1, 0),
            "one key, and it is unlocked"
        );
        unlocked.into_iter().next().expect("one")
    }

    fn session(bus: &Connection) -> OwnedObjectPath {
        let opened = asked(
            bus,
            SECRETS,
            "Service",
            "OpenSession",
            &("plain", BusValue::from("")),
        );
        let (_, session): (OwnedValue, OwnedObjectPath) = opened.body().deserialize().expect("a session");
        session
    }

    /// What the keyring keeps for Gleaner.
    fn key(&self) -> Vec<u8> {
        let bus = self.bus();
        let (entry, session) = (Self::entry(&bus), Self::session(&bus));
        let secret = asked(&bus, &entry, "Item", "GetSecret", &(session,));
        let (secret,): (BusSecret,) = secret.body().deserialize().expect("a secret");
        secret.2
    }

    /// Puts something else there, past Gleaner.
    fn put(&self, value: &[u8]) {
        let bus = self.bus();
        let (entry, session) = (Self::entry(&bus), Self::session(&bus));
        let secret: BusSecret = (session, Vec::new(), value.to_vec(), "text/plain".to_owned());
        asked(&bus, &entry, "Item", "SetSecret", &(secret,));
    }

    /// Deletes it, as a person may in a program for keyrings.
    fn delete(&self) {
        let bus = self.bus();
        asked(&bus, &Self::entry(&bus), "Item", "Delete", &());
    }

    /// Nothing of the key is on the disk: not in the data folder and its logs, nor where the keyring and
    /// everything else of this person's is. And the search does find what is there.
    fn is_clean(&self, secrets: &Secrets) {
        let (data, desk, bus) = (self.desk.path("d"), self.desk.path(""), self.bus.folder());
        assert!(data.join("logs").is_dir());
        for folder in [&desk, bus] {
            assert_eq!(secrets.found_under(folder), Vec::<String>::new());
        }
        let keyrings = bus.join("data/keyrings");
        assert!(keyrings.is_dir(), "the keyring itself was searched");
        let field = self.desk.path("planted");
        std::fs::create_dir_all(&field).expect("made");
        secrets.prove_found_under(&field);
    }
}

/// Without the news that windows and browsers are told.
fn kept(contents: &str) -> Vec<&str> {
    let is_news = |row: &&str| row.starts_with("events: ") || row.starts_with("sqlite_sequence: 'events'");
    contents.lines().filter(|row| !is_news(row)).collect()
}

fn asked<B>(bus: &Connection, path: &str, interface: &str, method: &str, body: &B) -> zbus::Message
where
    B: serde::Serialize + zbus::zvariant::DynamicType,
{
    let interface = format!("org.freedesktop.Secret.{interface}");
    let answer = bus.call_method(
        Some("org.freedesktop.secrets"),
        path,
        Some(interface.as_str()),
        method,
        body,
    );
    answer.expect("the keyring does it")
}

#[test]
fn unlocked_the_first_login_makes_the_key_and_it_is_found_again() {
    let Some(mut home) = Home::new() else {
        return;
    };
    home.bus.start_keyring(Start::Unlocked);
    home.is_in_state("none", 0);
    home.run(&format!("session login --name mine --phone {ADA}"), &[CODE])
        .must(0);
    let told = home.is_in_state("ready", 0);
    assert_eq!(told["kept_in"], "the keyring");
    let id = home.run("key show-id", &[]).must(0).out;
    assert_eq!(id.trim(), told["kid"].as_str().expect("a name"));
    home.opens();
    drop(home);

    let Some((home, secrets)) = Home::lived_in() else {
        return;
    };
    home.opens();
    home.run("key rotate", &[]).must(0);
    home.opens();
    home.is_clean(&secrets);
}

#[test]
fn locked_it_is_78_and_opens_once_it_is_unlocked() {
    let Some((mut home, secrets)) = Home::lived_in() else {
        return;
    };
    home.run("key export recovery.json", &[PASSPHRASE, PASSPHRASE])
        .must(0);
    home.bus.stop_keyring();
    home.bus.start_keyring(Start::Locked);
    home.refuses_everything("locked", "KEYRING_LOCKED");
    let before = home.contents();
    home.run("key import recovery.json", &[PASSPHRASE]).must(78);
    assert_eq!(home.contents(), before);
    home.bus.unlock();
    home.opens();
    home.is_clean(&secrets);
}

#[test]
fn absent_it_is_78_and_found_once_it_appears() {
    let Some((mut home, secrets)) = Home::lived_in() else {
        return;
    };
    home.run("key export recovery.json", &[PASSPHRASE, PASSPHRASE])
        .must(0);
    home.bus.stop_keyring();
    home.refuses_everything("absent", "KEYRING_ABSENT");
    let before = home.contents();
    home.run("key import recovery.json", &[PASSPHRASE]).must(78);
    assert_eq!(home.contents(), before);
    home.bus.start_keyring(Start::Unlocked);
    home.opens();
    home.is_clean(&secrets);
}

#[test]
fn without_a_keyring_the_first_login_is_refused_before_telegram_is_asked() {
    let Some(home) = Home::new() else {
        return;
    };
    home.is_in_state("absent", 78);
    let line = format!("session login --name mine --phone {ADA}");
    assert!(home.run(&line, &[CODE]).must(78).err.contains("keyring"));
    assert_eq!(home.desk.telegram.count("auth.sendCode"), 0);
    assert_eq!(home.run("session list --json", &[]).must(0).out.trim(), "[]");
}

#[test]
fn restarted_while_the_server_runs_it_answers_again() {
    let Some((mut home, secrets)) = Home::lived_in() else {
        return;
    };
    let command = home.command("serve --dev --port 0");
    let (server, base) = home.runtime.block_on(async {
        let mut server = start(command);
        let mut out = BufReader::new(server.stdout.take().expect("it is piped")).lines();
        let line = tokio::time::timeout(PATIENCE, out.next_line()).await;
        let line = line.expect("in time").expect("readable").expect("a line");
        (server, line.trim_end_matches('/').to_owned())
    });
    // Fails when another test of this process did it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .build()
        .expect("a client");
    let ask = |method: reqwest::Method, path: &str| -> (u16, Value) {
        home.runtime.block_on(async {
            let answer = client
                .request(method, format!("{base}{path}"))
                .send()
                .await
                .expect("an answer");
            (answer.status().as_u16(), answer.json().await.expect("JSON"))
        })
    };
    let key = || ask(reqwest::Method::GET, "/api/key").1["state"].clone();
    assert_eq!(key(), "ready");
    for _ in 0..2 {
        home.bus.stop_keyring();
        assert_eq!(key(), "absent");
        assert_eq!(ask(reqwest::Method::POST, "/api/key/retry").1["state"], "absent");
        let (status, answer) = ask(reqwest::Method::POST, "/api/sessions/1/check");
        assert_eq!(status, 503, "{answer}");
        let detail = answer["detail"].as_str().expect("words");
        assert!(detail.starts_with("No keyring runs here"), "{detail}");
        home.bus.start_keyring(Start::Locked);
        assert_eq!(key(), "locked");
        home.bus.unlock();
        assert_eq!(key(), "ready");
        let (status, answer) = ask(reqwest::Method::POST, "/api/sessions/1/check");
        assert_eq!((status, &answer["health"]), (200, &"active".into()), "{answer}");
    }
    signal(&server, "-TERM");
    let stopped = async { tokio::time::timeout(PATIENCE, server.wait_with_output()).await };
    let stopped = home.runtime.block_on(stopped);
    done(stopped.expect("it stops in time").expect("it ran")).must(0);
    home.opens();
    home.is_clean(&secrets);
}

#[test]
fn a_deleted_entry_is_gone_until_the_recovery_file_brings_it_back() {
    let Some((home, secrets)) = Home::lived_in() else {
        return;
    };
    home.run("key export recovery.json", &[PASSPHRASE, PASSPHRASE])
        .must(0);
    let key = home.key();
    home.delete();
    home.refuses_everything("gone", "KEY_GONE");
    let before = home.contents();
    home.run("key import recovery.json", &["not the passphrase"])
        .must(2);
    home.is_in_state("gone", 78);
    assert_eq!(home.contents(), before);
    home.run("key import recovery.json", &[PASSPHRASE]).must(0);
    assert_eq!(
        kept(&home.contents()),
        kept(&before),
        "the key comes back to the keyring alone"
    );
    assert!(home.key() == key, "the same key");
    home.opens();
    home.is_clean(&secrets);
}

#[test]
fn another_key_is_wrong_and_nonsense_is_damaged_until_the_right_one_is_back() {
    let Some((home, secrets)) = Home::lived_in() else {
        return;
    };
    home.run("key export recovery.json", &[PASSPHRASE, PASSPHRASE])
        .must(0);
    let right = home.key();
    let wrong = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE, [9; 32]);
    home.put(wrong.as_bytes());
    home.refuses_everything("wrong", "KEY_WRONG");
    home.put(b"nonsense");
    home.refuses_everything("damaged", "KEY_WRONG");
    let before = home.contents();
    home.run("key import recovery.json", &[PASSPHRASE]).must(0);
    assert_eq!(kept(&home.contents()), kept(&before));
    home.opens();
    home.put(&right);
    home.opens();
    home.is_clean(&secrets);
}
