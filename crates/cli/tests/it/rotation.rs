//! `kill -9` at random moments of a key rotation: every session can be opened at every moment, and the
//! rotation goes on where it stopped.

use std::path::Path;
use std::time::{Duration, Instant};

use gleaner_app::view::ImportString;
use gleaner_app::{App, Config, SecretString};
use gleaner_testkit::size::pick;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::gleaner::Gleaner;

/// Of base64url.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SEED: u64 = 20_251_124;
const PATIENCE: Duration = Duration::from_mins(2);

#[tokio::test]
async fn a_rotation_that_is_killed_leaves_every_session_readable() {
    let (sessions, kills) = pick((100, 20), (200, 200));
    let mut random = StdRng::seed_from_u64(SEED);
    let place = Gleaner::asking_at("http://127.0.0.1:9");
    let key_file = place.path("keys");
    let place = place.with("GLEANER_ENCRYPTION_KEY_FILE", key_file.to_str().expect("Unicode"));
    let data = place.path("d");
    let mut keys = vec![key(&mut random)];
    lay_out(&key_file, &keys);
    fill(&data, &keys, sessions).await;

    // As long as one takes that nobody disturbs.
    keys.insert(0, key(&mut random));
    lay_out(&key_file, &keys);
    let begun = Instant::now();
    place.run("key rotate").await.must(0);
    let whole = begun.elapsed();

    let (mut done, mut rotations) = (0, 1);
    let mut finished = true;
    while done < kills {
        if finished {
            keys.insert(0, key(&mut random));
            lay_out(&key_file, &keys);
            rotations += 1;
        }
        let mut child = place.start("key rotate --quiet");
        let moment = whole.mul_f64(random.random_range(0.0..1.1));
        finished = if let Ok(ended) = tokio::time::timeout(moment, child.wait()).await {
            ended.expect("it ran").success()
        } else {
            child.kill().await.expect("it can be killed");
            done += 1;
            false
        };
        assert_eq!(readable(&data, &keys).await, sessions, "after kill {done}");
    }
    // Whether the last one was cut short or not, one more ends whole.
    keys.insert(0, key(&mut random));
    lay_out(&key_file, &keys);
    place.run("key rotate").await.must(0);
    keys.insert(0, key(&mut random));
    lay_out(&key_file, &keys);
    let report = place.run("key rotate --json").await.must(0).json();
    assert_eq!(readable(&data, &keys).await, sessions);
    let primary = place.run("key show-id").await.must(0).out;
    assert_eq!(report["kid"], primary.trim());
    println!("{done} kills in {rotations} rotations of {sessions} sessions: 0 unreadable");
}

/// 32 bytes as Fernet keys are written.
fn key(random: &mut StdRng) -> String {
    let mut text: String = (0..42)
        .map(|_| char::from(ALPHABET[random.random_range(0..64_usize)]))
        .collect();
    // The last sign before the padding holds four bits only.
    text.push(char::from(ALPHABET[random.random_range(0..16_usize) * 4]));
    text.push('=');
    text
}

/// The newest first; for the owner alone, or it is refused.
fn lay_out(file: &Path, keys: &[String]) {
    std::fs::write(file, keys.join(",")).expect("written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).expect("made private");
    }
}

async fn open(data: &Path, keys: &[String]) -> App {
    let mut config = Config::for_tests(data, "http://127.0.0.1:9");
    config.key_places.key_value = Some(SecretString::from(keys.join(",")));
    App::start(config).await.expect("an app")
}

/// Sessions of keys that nobody ever used.
async fn fill(data: &Path, keys: &[String], count: usize) {
    let app = open(data, keys).await;
    for number in 0..count {
        let wish = ImportString {
            session_name: format!("session {number}"),
            phone_number: String::new(),
            session_string: telethon_string(number),
        };
        app.import_session_string(wish).await.expect("imported");
    }
    app.shutdown().await;
}

/// `1` and the base64 of data centre, IPv4, port and key, as Telethon writes it.
fn telethon_string(number: usize) -> String {
    let mut bytes = vec![2, 127, 0, 0, 1, 0, 80];
    bytes.extend((0..256_usize).map(|at| (at.wrapping_mul(31) ^ number ^ (number >> 8)) as u8));
    bytes[7..11].copy_from_slice(&(number as u32 + 1).to_be_bytes());
    let mut text = String::from("1");
    for three in bytes.chunks(3) {
        let mut bits = [0; 3];
        bits[..three.len()].copy_from_slice(three);
        let number = u32::from_be_bytes([0, bits[0], bits[1], bits[2]]);
        for at in 0..4 {
            let sign = ALPHABET[(number >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= three.len() { char::from(sign) } else { '=' });
        }
    }
    text
}

/// How many sessions there are, each of which was opened.
async fn readable(data: &Path, keys: &[String]) -> usize {
    let looked_at = async {
        let app = open(data, keys).await;
        let rows = app.list_session_rows().await.expect("a list");
        for row in &rows {
            app.export_session_string(row.id).await.expect("readable");
        }
        app.shutdown().await;
        rows.len()
    };
    tokio::time::timeout(PATIENCE, looked_at).await.expect("in time")
}
