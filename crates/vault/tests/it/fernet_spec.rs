//! The vectors of the Fernet specification (github.com/fernet/spec).
//!
//! Two of its invalid tokens are wrong only by their date. We never judge dates, so these open.

use fernet::Fernet;
use gleaner_vault::seal::open_token;
use gleaner_vault::{Key, Keys};
use secrecy::ExposeSecret as _;
use serde_json::Value;

const GENERATE: &str = include_str!("fernet_spec/generate.json");
const VERIFY: &str = include_str!("fernet_spec/verify.json");
const INVALID: &str = include_str!("fernet_spec/invalid.json");

fn vectors(text: &str) -> Vec<Value> {
    serde_json::from_str(text).expect("the vectors are a list")
}

fn field<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().expect("it is a text")
}

fn keys(vector: &Value) -> Keys {
    Key::parse(field(vector, "secret"))
        .expect("the secret is a key")
        .into()
}

#[test]
fn good_tokens_open() {
    for vector in vectors(GENERATE).iter().chain(&vectors(VERIFY)) {
        let opened = open_token(&keys(vector), field(vector, "token")).unwrap();
        assert_eq!(opened.expose_secret(), field(vector, "src").as_bytes());
    }
}

#[test]
fn what_we_make_has_the_parts_of_the_generated_token() {
    use base64::Engine as _;
    let bytes = |token: &str| {
        base64::engine::general_purpose::URL_SAFE
            .decode(token)
            .expect("padded and url-safe")
    };
    for vector in vectors(GENERATE) {
        let theirs = bytes(field(&vector, "token"));
        // 1985-10-26T01:20:00-07:00
        let now = 499_162_800;
        let ours = bytes(
            &Fernet::new(field(&vector, "secret"))
                .unwrap()
                .encrypt_at_time(field(&vector, "src").as_bytes(), now),
        );
        assert_eq!(ours[..9], theirs[..9], "version and date");
        assert_eq!(ours.len(), theirs.len());
    }
}

#[test]
fn bad_tokens_are_refused_and_dates_are_not_judged() {
    let invalid = vectors(INVALID);
    assert_eq!(invalid.len(), 8);
    let opened: Vec<&str> = invalid
        .iter()
        .filter(|vector| open_token(&keys(vector), field(vector, "token")).is_ok())
        .map(|vector| field(vector, "desc"))
        .collect();
    assert_eq!(opened, ["far-future TS (unacceptable clock skew)", "expired TTL"]);
}
