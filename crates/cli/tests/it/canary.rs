//! Secrets that must lie nowhere: every way to handle them is gone through with the log at its loudest, and
//! then they are looked for in the data folder, in the logs and in the command lines.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use gleaner_testkit::telegram::{Account, LoginKey, TelegramOptions};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::process::Child;

use crate::desk::{Desk, PATIENCE, answered, start, telethon_string, with_its_journal};
use crate::gleaner::{Done, done, signal};

const PHONE: &str = "+4915790017236";
const OTHER_PHONE: &str = "+4915790093418";
const CODE: &str = "8675309243";
const WRONG_CODE: &str = "1029384756";
const PASSWORD: &str = "kittiwakes at the pierhead";
const WRONG_PASSWORD: &str = "cormorants at the pierhead";
const PROXY_PASSWORD: &str = "the-ferrymans-obolus";
const PASSPHRASE: &str = "gulls over the breakwater";
const API_HASH: &str = "5d41402abc4b2a76b9719d911017c592";

/// Things that must not be found, each in every spelling that it could have slipped out in.
#[derive(Default)]
pub(crate) struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    /// Bytes: as they are, as hexadecimal digits, in base64, and as Rust and JSON list numbers.
    pub(crate) fn add(&mut self, name: &str, bytes: &[u8]) {
        for (how, spelling) in spellings(bytes) {
            self.0.push((format!("{name}, {how}"), spelling));
        }
    }

    /// A text that is short and may be part of another: only as it is.
    fn add_text(&mut self, name: &str, text: &str) {
        self.0.push((name.to_owned(), text.as_bytes().to_vec()));
    }

    /// What is found in these bytes.
    fn found_in(&self, text: &[u8]) -> BTreeSet<&str> {
        // Most places begin nothing: one look tells.
        let mut begins = vec![false; 1 << 16];
        let first = |bytes: &[u8]| usize::from(bytes[0]) << 8 | usize::from(bytes[1]);
        for (_, needle) in &self.0 {
            begins[first(needle)] = true;
        }
        let mut found = BTreeSet::new();
        for at in 0..text.len().saturating_sub(1) {
            let rest = &text[at..];
            if begins[first(rest)] {
                let here = self.0.iter().filter(|(_, needle)| rest.starts_with(needle));
                found.extend(here.map(|(name, _)| name.as_str()));
            }
        }
        found
    }

    /// What is found in files under this folder, `FILE: SECRET, SPELLING`.
    pub(crate) fn found_under(&self, folder: &Path) -> Vec<String> {
        let (mut hits, mut folders, mut files) = (Vec::new(), vec![folder.to_owned()], 0);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let kind = std::fs::symlink_metadata(&path).expect("it is there").file_type();
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() {
                    files += 1;
                    let found = self.found_in(&std::fs::read(&path).expect("it is read"));
                    hits.extend(found.iter().map(|name| format!("{}: {name}", path.display())));
                }
            }
        }
        assert!(files > 0, "there is something to search in {}", folder.display());
        hits
    }

    /// Each of them is found once it is planted, whatever stands around it.
    pub(crate) fn prove_found_under(&self, folder: &Path) {
        for (name, needle) in &self.0 {
            let planted = folder.join("planted");
            let text = [b"\x00some text \xff", needle.as_slice(), b"\x00and more"].concat();
            std::fs::write(&planted, text).expect("planted");
            let hits = self.found_under(folder);
            let expected = format!("{}: {name}", planted.display());
            assert!(
                hits.contains(&expected),
                "{name} was planted, and found was {hits:?}"
            );
            std::fs::remove_file(&planted).expect("taken away");
        }
    }
}

fn spellings(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    assert!(bytes.len() >= 8, "too short to be told from chance");
    let hex = crate::desk::hex(bytes);
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let mut all = vec![
        ("raw".to_owned(), bytes.to_vec()),
        ("hex".to_owned(), hex.clone().into_bytes()),
        ("HEX".to_owned(), hex.to_uppercase().into_bytes()),
        ("numbers".to_owned(), numbers.join(", ").into_bytes()),
        ("JSON".to_owned(), numbers.join(",").into_bytes()),
    ];
    // In the middle of something longer, base64 has three ways to begin; what is shared with the neighbours
    // is left out at both ends.
    for skipped in 0..3 {
        let whole = &bytes[skipped..];
        let whole = &whole[..whole.len() / 3 * 3];
        all.push((
            format!("base64/{skipped}"),
            STANDARD_NO_PAD.encode(whole).into_bytes(),
        ));
        all.push((
            format!("base64url/{skipped}"),
            URL_SAFE_NO_PAD.encode(whole).into_bytes(),
        ));
    }
    all
}

/// Everything that must not be found anywhere.
fn secrets(desk: &Desk, auth_keys: &[Vec<u8>]) -> Secrets {
    let mut secrets = Secrets::default();
    for (number, key) in auth_keys.iter().enumerate() {
        secrets.add(&format!("auth key {number}"), key);
    }
    let sealing = URL_SAFE.decode(desk.laid_out_key()).expect("a key");
    secrets.add("the key that seals", &sealing);
    for (name, text) in [
        ("password", PASSWORD),
        ("wrong password", WRONG_PASSWORD),
        ("proxy password", PROXY_PASSWORD),
        ("passphrase", PASSPHRASE),
        ("API hash", API_HASH),
    ] {
        secrets.add(name, text.as_bytes());
    }
    let half = |at| u8::from_str_radix(&API_HASH[at..at + 2], 16).expect("hexadecimal digits");
    let hash: Vec<u8> = (0..API_HASH.len()).step_by(2).map(half).collect();
    secrets.add("API hash in bytes", &hash);
    secrets
}

/// What logs and command lines must not have either. The database holds the number of each account.
fn codes_and_phones() -> Secrets {
    let mut secrets = Secrets::default();
    for (name, text) in [
        ("code", CODE),
        ("wrong code", WRONG_CODE),
        ("phone", &PHONE[1..]),
        ("other phone", &OTHER_PHONE[1..]),
    ] {
        secrets.add_text(name, text);
    }
    secrets
}

/// A desk whose programs are looked at while they run.
struct Watched {
    desk: Desk,
    arguments: Mutex<Vec<u8>>,
}

impl Watched {
    fn start(&self, line: &str) -> Child {
        let child = start(self.desk.command(line));
        let proc = format!("/proc/{}", child.id().expect("it runs"));
        let last = line.split_whitespace().last().expect("a word");
        let end = Instant::now() + PATIENCE;
        let words = loop {
            let words = std::fs::read(format!("{proc}/cmdline")).expect("it runs");
            // A program has its words a moment after it has begun.
            if !words.is_empty() {
                break words;
            }
            assert!(Instant::now() < end, "it has no command line");
            std::thread::yield_now();
        };
        assert!(
            words.ends_with(format!("{last}\0").as_bytes()),
            "of another program: {words:?}"
        );
        let mut arguments = self.arguments.lock().expect("nobody panicked");
        arguments.extend(words);
        // A thread may name itself.
        for task in std::fs::read_dir(format!("{proc}/task"))
            .into_iter()
            .flatten()
            .flatten()
        {
            arguments.extend(std::fs::read(task.path().join("comm")).unwrap_or_default());
        }
        child
    }

    async fn run(&self, line: &str, answers: &[&str]) -> Done {
        answered(self.start(line), answers).await
    }
}

/// Asks a server, and takes whatever it answers.
async fn ask(client: &Client, method: Method, url: &str, body: &str) -> (u16, Value) {
    let request = client
        .request(method, url)
        .header("content-type", "application/json");
    let answer = request.body(body.to_owned()).send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

async fn post(client: &Client, url: &str, body: &Value) -> Value {
    let (status, answer) = ask(client, Method::POST, url, &body.to_string()).await;
    assert_eq!(status, 200, "{url}: {answer}");
    answer
}

/// The browser's part: a login, a file, the settings, and what is wrong with each.
async fn over_http(base: &str, file: &[u8]) {
    // Fails when another test of this process did it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().timeout(PATIENCE).build().expect("a client");
    let at = |path: &str| format!("{base}{path}");

    let wish = json!({ "phone_number": PHONE, "session_name": "by browser" });
    let sent = post(&client, &at("/sessions/send-otp"), &wish).await;
    let temp = sent["temp_session_id"].as_str().expect("an id");
    let verify = at("/sessions/verify-otp");
    for (code, password, status) in [
        (WRONG_CODE, None, 400),
        (CODE, None, 200),
        (CODE, Some(WRONG_PASSWORD), 400),
        (CODE, Some(PASSWORD), 200),
    ] {
        let wish = json!({ "temp_session_id": temp, "code": code, "password": password });
        let (got, answer) = ask(&client, Method::POST, &verify, &wish.to_string()).await;
        assert_eq!(got, status, "{answer}");
    }
    // Cut off, of the wrong type, and to nobody: errors love to quote.
    for body in [
        format!("{{\"code\":\"{CODE}\",\"password\":\"{PASSWORD}"),
        format!("{{\"temp_session_id\":\"{PASSWORD}\",\"code\":\"{CODE}\"}}"),
        format!("{{\"temp_session_id\":7,\"code\":[\"{CODE}\"],\"password\":{{\"{PASSWORD}\":1}}}}"),
    ] {
        let (status, _) = ask(&client, Method::POST, &verify, &body).await;
        assert!((400..500).contains(&status), "{status}");
    }
    post(
        &client,
        &at("/sessions/finalize"),
        &json!({ "temp_session_id": temp }),
    )
    .await;

    let mut form = Vec::new();
    for (name, value) in [("session_name", "uploaded"), ("phone_number", OTHER_PHONE)] {
        let part = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        form.extend(part.into_bytes());
    }
    let head = "Content-Disposition: form-data; name=\"session_file\"; filename=\"my.session\"";
    form.extend(format!("--edge\r\n{head}\r\n\r\n").into_bytes());
    form.extend_from_slice(file);
    form.extend(b"\r\n--edge--\r\n");
    let upload = client.post(at("/sessions/upload-file"));
    let upload = upload
        .header("content-type", "multipart/form-data; boundary=edge")
        .body(form);
    let upload = upload.send().await.expect("an answer");
    let (status, answer) = (upload.status(), upload.text().await.expect("text"));
    assert_eq!(status, 200, "{answer}");

    let settings = at("/api/settings/telegram");
    let wish = json!({ "api_id": 4242, "api_hash": API_HASH });
    assert_eq!(
        ask(&client, Method::PATCH, &settings, &wish.to_string()).await.0,
        200
    );
    let wish = json!({ "api_id": API_HASH, "api_hash": format!("{API_HASH}ff") });
    assert_ne!(
        ask(&client, Method::PATCH, &settings, &wish.to_string()).await.0,
        200
    );
    // A proxy where nobody listens.
    let proxy = json!({ "host": "127.0.0.1", "port": 9, "username": "charon", "password": PROXY_PASSWORD });
    let wish = json!({ "proxy": proxy });
    assert_eq!(
        ask(&client, Method::PATCH, &settings, &wish.to_string()).await.0,
        200
    );
    let (status, answer) = ask(&client, Method::POST, &at("/api/sessions/1/check"), "").await;
    assert_ne!(status, 200, "{answer}");
    for path in [
        "/api/sessions",
        "/api/settings/telegram",
        "/api/key",
        "/sessions/",
    ] {
        assert_eq!(ask(&client, Method::GET, &at(path), "").await.0, 200, "{path}");
    }
}

#[tokio::test]
async fn no_secret_lies_in_the_data_folder_the_logs_or_a_command_line() {
    let account = |phone, number| Account::new(phone, number, "Canary").code(CODE);
    let options = TelegramOptions {
        accounts: vec![
            account(PHONE, 6_000_001).password(PASSWORD, "birds"),
            account(OTHER_PHONE, 6_000_002).home_dc(4),
        ],
        api: Some((4242, API_HASH.to_owned())),
        ..TelegramOptions::default()
    };
    let desk = Desk::keyless(options).await.lay_out_a_key();
    let temporary = desk.path("tmp");
    std::fs::create_dir(&temporary).expect("made");
    let desk = desk.with("TMPDIR", temporary.to_str().expect("Unicode"));
    let known: Vec<LoginKey> = (0..3).map(|_| desk.telegram.logged_in_key(OTHER_PHONE)).collect();
    let watched = Watched {
        desk,
        arguments: Mutex::default(),
    };
    let desk = &watched.desk;

    watched
        .run("-vv session api 4242", &["no hash, but a secret"])
        .await
        .must(2);
    watched.run("-vv session api 4242", &[API_HASH]).await.must(0);
    let answers = [PHONE, WRONG_CODE, CODE, WRONG_PASSWORD, PASSWORD];
    watched
        .run("-vv session login --name mine", &answers)
        .await
        .must(0);
    watched
        .run("-vv session login --name other", &[OTHER_PHONE, CODE])
        .await
        .must(0);
    let wrong = [PHONE, WRONG_CODE, WRONG_CODE, WRONG_CODE];
    watched.run("-vv session login --name lost", &wrong).await.must(2);
    let wrong = [PHONE, CODE, WRONG_PASSWORD, WRONG_PASSWORD, WRONG_PASSWORD];
    watched.run("-vv session login --name lost", &wrong).await.must(2);
    let string = telethon_string(&known[0]);
    watched
        .run("-vv session import --name typed", &[&string])
        .await
        .must(0);
    let broken = &string[..string.len() - 9];
    watched
        .run("-vv session import --name broken", &[broken])
        .await
        .must(2);
    let (_, program) = with_its_journal(&desk.path(""), &known[1]).await;
    watched
        .run("-vv session import running.session --name file", &[])
        .await
        .must(0);
    drop(program);
    for line in [
        "check mine",
        "check typed",
        "list",
        "export file out.session --yes",
        "rename typed said",
    ] {
        watched.run(&format!("-vv session {line}"), &[]).await.must(0);
    }
    watched
        .run("-vv key export recovery.json", &[PASSPHRASE, PASSPHRASE])
        .await
        .must(0);
    watched
        .run("-vv key import recovery.json", &[PASSPHRASE])
        .await
        .must(78);
    watched.run("-vv key check", &[]).await.must(0);

    let (uploaded, program) = with_its_journal(&temporary, &known[2]).await;
    sqlx::Connection::close(program).await.expect("it is closed");
    let file = std::fs::read(&uploaded).expect("readable");
    std::fs::remove_file(uploaded).expect("taken away");
    let mut server = watched.start("-vv serve --port 0 --json --dev");
    let mut out = tokio::io::BufReader::new(server.stdout.take().expect("it is piped"));
    let mut line = String::new();
    let first = tokio::io::AsyncBufReadExt::read_line(&mut out, &mut line);
    tokio::time::timeout(PATIENCE, first)
        .await
        .expect("in time")
        .expect("a line");
    let line: Value = serde_json::from_str(&line).expect("JSON");
    let base = line["address"]
        .as_str()
        .expect("an address")
        .trim_end_matches('/');
    over_http(base, &file).await;

    // The keys that only Gleaner knows.
    let mut auth_keys: Vec<Vec<u8>> = known.iter().map(|key| key.auth_key.to_vec()).collect();
    let rows = watched.run("session list --json", &[]).await.must(0).json();
    for row in rows.as_array().expect("a list") {
        let line = format!(
            "-vv session export {} --form string {}.txt --yes",
            row["id"], row["id"]
        );
        watched.run(&line, &[]).await.must(0);
        let string = std::fs::read_to_string(desk.path(&format!("{}.txt", row["id"]))).expect("written");
        let fields = URL_SAFE.decode(&string.trim()[1..]).expect("base64");
        let auth_key = fields[fields.len() - 256..].to_vec();
        if !auth_keys.contains(&auth_key) {
            auth_keys.push(auth_key);
        }
    }
    assert_eq!(
        auth_keys.len(),
        6,
        "three were typed or uploaded, three logged in"
    );

    let secrets = secrets(desk, &auth_keys);
    let (data, logs) = (desk.path("d"), desk.path("d/logs"));
    // While it runs, what is newest lies in the write-ahead log.
    let ahead = data.join("gleaner.db-wal").metadata().expect("a file").len();
    assert!(ahead > 0);
    let nothing = Vec::<String>::new();
    assert_eq!(secrets.found_under(&data), nothing);
    signal(&server, "-TERM");
    let stopped = tokio::time::timeout(PATIENCE, server.wait_with_output()).await;
    let stopped = done(stopped.expect("it stops in time").expect("it ran")).must(0);
    assert!(secrets.found_in(stopped.err.as_bytes()).is_empty());

    assert_eq!(secrets.found_under(&data), nothing);
    assert_eq!(codes_and_phones().found_under(&logs), nothing);
    let arguments = watched.arguments.lock().expect("nobody panicked").clone();
    for secrets in [&secrets, &codes_and_phones()] {
        assert!(secrets.found_in(&arguments).is_empty());
    }
    let left: Vec<_> = std::fs::read_dir(&temporary)
        .expect("a folder")
        .flatten()
        .collect();
    assert!(left.is_empty(), "private copies are gone: {left:?}");

    // The search finds what is there: the numbers in the database, and whatever is planted.
    let log = std::fs::read_to_string(crate::gleaner::only_entry(&logs)).expect("text");
    assert!(log.contains("TRACE"), "the log was at its loudest");
    let in_database = codes_and_phones().found_under(&data);
    assert!(
        in_database.iter().any(|hit| hit.ends_with("phone")),
        "{in_database:?}"
    );
    let field = desk.path("planted");
    std::fs::create_dir(&field).expect("made");
    secrets.prove_found_under(&field);
    codes_and_phones().prove_found_under(&field);
    let told = std::fs::read(desk.path("out.session")).expect("readable");
    assert!(
        !secrets.found_in(&told).is_empty(),
        "an exported session is a secret, and found"
    );
    println!(
        "{} spellings of {} auth keys and more: 0 in {} bytes of log and {} bytes of arguments",
        secrets.0.len(),
        auth_keys.len(),
        log.len(),
        arguments.len()
    );
}
