//! The other reader: Python's `cryptography`, in one process that answers line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use gleaner_vault::check::Ledger;
use gleaner_vault::seal::open_token;
use gleaner_vault::{Key, Keys, Vault, recovery};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::size::pick;

struct Python {
    process: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// The interpreter that `cargo xtask test` made; `None` where it has no `cryptography`.
    #[expect(
        clippy::disallowed_methods,
        reason = "asks where tools are, nothing of the app's"
    )]
    fn start() -> Option<Self> {
        let python = std::env::var_os("GLEANER_PEERS_PYTHON").unwrap_or_else(|| "python3".into());
        let able = Command::new(&python)
            .args(["-c", "import cryptography.hazmat.primitives.kdf.argon2"])
            .stderr(Stdio::null())
            .status();
        if !able.is_ok_and(|status| status.success()) {
            println!(
                "SKIPPED: {} has no cryptography (pip install cryptography)",
                python.display()
            );
            return None;
        }
        let mut process = Command::new(&python)
            .args(["-c", include_str!("peer.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        Some(Self {
            asks: process.stdin.take().expect("it is piped"),
            answers: BufReader::new(process.stdout.take().expect("it is piped")),
            process,
        })
    }

    fn ask(&mut self, ask: &Value) -> Value {
        writeln!(self.asks, "{ask}").expect("Python listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("Python answers");
        serde_json::from_str(&line).expect("Python answers in JSON")
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn vault() -> Vault {
    let empty = Ledger {
        workspace: Uuid::now_v7(),
        rows: &[],
        sealed: false,
    };
    let (vault, _) =
        Vault::found(Key::generate().into(), &empty, DateTime::UNIX_EPOCH).expect("nothing is there yet");
    vault
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name]
        .as_str()
        .unwrap_or_else(|| panic!("{answer} has no {name}"))
}

#[test]
fn round_trips_go_both_ways() {
    let Some(mut python) = Python::start() else {
        return;
    };
    let seed = rand::rng().random();
    println!("seed {seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let vault = vault();
    let key = vault.keys().to_line();
    let rounds = pick(200, 5_000);
    for round in 0..rounds {
        let length = dice.random_range(0..2_000);
        let plaintext: Vec<u8> = (0..length).map(|_| dice.random()).collect();
        // Long past and far ahead: a clock may be wrong.
        let seconds = dice.random_range(0..10_000_000_000_u64);
        let binding = format!("sessions/{round}/секрет");
        let now = DateTime::from_timestamp(seconds.cast_signed(), 0).unwrap();

        let sealed = vault.seal(&binding, &plaintext, now);
        let answer = python.ask(&json!({
            "do": "open", "key": key.expose_secret(), "token": sealed.token, "binding": binding,
        }));
        assert_eq!(text(&answer, "data"), STANDARD.encode(&plaintext));
        assert_eq!(answer["time"], json!(seconds));
        assert_eq!(text(&answer, "kid"), sealed.kid.to_string());
        assert_eq!(text(&answer, "mac"), sealed.mac);

        let answer = python.ask(&json!({
            "do": "seal", "key": key.expose_secret(), "data": STANDARD.encode(&plaintext), "time": seconds,
        }));
        let opened = open_token(vault.keys(), text(&answer, "token")).unwrap();
        assert_eq!(opened.expose_secret(), plaintext);
    }
    println!("{rounds} round trips each way");
}

#[test]
fn every_spelling_that_python_reads_we_read() {
    let Some(mut python) = Python::start() else {
        return;
    };
    let vault = vault();
    let key = vault.keys().to_line();
    // So long that both alphabets show their differences.
    let plaintext = vec![0xff; 600];
    let token = vault.seal("row", &plaintext, DateTime::UNIX_EPOCH).token;
    assert!(token.contains('-') && token.contains('_'));
    let standard = token.replace('-', "+").replace('_', "/");
    let broken = format!("{}\n{}\r\n", &token[..76], &token[76..]);
    for spelling in [token.clone(), standard, broken, format!("{token}\n")] {
        let answer = python.ask(&json!({
            "do": "open", "key": key.expose_secret(), "token": spelling, "binding": "row",
        }));
        assert!(answer.get("data").is_some(), "{answer}");
        assert!(open_token(vault.keys(), &spelling).is_ok());
    }
    let unpadded = token.trim_end_matches('=');
    assert!(open_token(vault.keys(), unpadded).is_ok());
}

#[test]
fn a_token_that_python_rotated_opens_and_keeps_its_date() {
    let Some(mut python) = Python::start() else {
        return;
    };
    let (old, new) = (Key::generate(), Key::generate());
    let both = Keys::new(new.clone(), [old.clone()]);
    let seconds = 1_760_000_000;
    let answer = python.ask(&json!({
        "do": "seal", "key": old.to_line().expose_secret(), "data": "aGVsbG8=", "time": seconds,
    }));
    let answer = python.ask(&json!({
        "do": "rotate", "key": both.to_line().expose_secret(), "token": answer["token"],
    }));
    let token = text(&answer, "token");
    let opened = open_token(&Keys::from(new.clone()), token).unwrap();
    assert_eq!(opened.expose_secret(), b"hello");
    let answer = python.ask(&json!({
        "do": "open", "key": new.to_line().expose_secret(), "token": token, "binding": "",
    }));
    assert_eq!(answer["time"], json!(seconds));
}

#[test]
fn python_reads_a_recovery_file_as_its_page_says() {
    let Some(mut python) = Python::start() else {
        return;
    };
    let keys = Keys::new(Key::generate(), [Key::generate()]);
    let passphrase = "пароль из слов";
    let file = recovery::export(&keys, &SecretString::from(passphrase), DateTime::UNIX_EPOCH).unwrap();
    let answer = python.ask(&json!({ "do": "recover", "file": file, "passphrase": passphrase }));
    assert_eq!(text(&answer, "keys"), keys.to_line().expose_secret());
    let answer = python.ask(&json!({ "do": "recover", "file": file, "passphrase": "other words here" }));
    assert_eq!(text(&answer, "error"), "InvalidToken");
}
