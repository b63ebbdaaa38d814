//! Tokens that somebody changed: none opens, none brings the program down.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use chrono::DateTime;
use gleaner_vault::check::Ledger;
use gleaner_vault::seal::open_token;
use gleaner_vault::{Key, Sealed, Vault};
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use uuid::Uuid;

use crate::size::pick;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=%.\0";

#[test]
fn no_mutated_token_opens() {
    let seed = rand::rng().random();
    println!("seed {seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let workspace = Uuid::now_v7();
    let empty = Ledger {
        workspace,
        rows: &[],
        sealed: false,
    };
    let now = DateTime::UNIX_EPOCH;
    let (vault, _) = Vault::found(Key::generate().into(), &empty, now).unwrap();
    for round in 0..pick(2_000, 20_000) {
        let length = dice.random_range(0..200);
        let plaintext: Vec<u8> = (0..length).map(|_| dice.random()).collect();
        let sealed = vault.seal("row", &plaintext, now);
        let token = if round % 2 == 0 {
            URL_SAFE.encode(changed_bytes(&mut dice, URL_SAFE.decode(&sealed.token).unwrap()))
        } else {
            changed_letters(&mut dice, &sealed.token)
        };
        assert_ne!(token, sealed.token);
        assert!(open_token(vault.keys(), &token).is_err(), "{token:?}");
        let changed = Sealed { token, ..sealed };
        assert!(vault.open("row", &changed).is_err(), "{changed:?}");
    }
}

fn changed_bytes(dice: &mut StdRng, mut bytes: Vec<u8>) -> Vec<u8> {
    match dice.random_range(0..4) {
        0 => {
            let at = dice.random_range(0..bytes.len());
            bytes[at] ^= 1 << dice.random_range(0..8);
        }
        1 => bytes.truncate(dice.random_range(0..bytes.len())),
        2 => bytes.extend((0..dice.random_range(1..40)).map(|_| dice.random::<u8>())),
        _ => {
            bytes.remove(dice.random_range(0..bytes.len()));
        }
    }
    bytes
}

/// White space and the padding's length are spelling, so neither is what changes here.
fn changed_letters(dice: &mut StdRng, token: &str) -> String {
    let mut letters = token.trim_end_matches('=').as_bytes().to_vec();
    let at = dice.random_range(0..letters.len());
    let other = loop {
        let letter = *LETTERS.choose(dice).expect("there are letters");
        if letter != letters[at] && !(letter == b'=' && at + 2 >= letters.len()) {
            break letter;
        }
    };
    letters[at] = other;
    String::from_utf8(letters).expect("all of them are ASCII")
}
