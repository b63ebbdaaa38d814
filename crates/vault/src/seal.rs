//! A secret at rest: a Fernet token, the id of its key and a MAC that ties it to its row.
//!
//! Fernet has no associated data, so a token copied to another row would open there. The MAC over
//! the row's name and the plaintext refuses that. Dates in tokens are never judged: a secret does
//! not expire, and a fast clock must not make one unreadable.

use chrono::{DateTime, Utc};
use fernet::Fernet;
use hmac::Mac as _;
use secrecy::{ExposeSecret as _, SecretSlice};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec;
use crate::key::{Key, Kid};
use crate::keys::Keys;

/// What the database keeps of a secret. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// A plain Fernet token.
    pub token: String,
    /// The key it was sealed with.
    pub kid: Kid,
    /// HMAC-SHA256 over `binding \0 plaintext`, 64 hexadecimal digits.
    pub mac: String,
}

/// Why a sealed secret does not open.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Sealed with a key that is not among ours.
    #[error("it was sealed with the key {kid}, which is not here")]
    UnknownKey {
        /// The key it needs.
        kid: Kid,
    },
    /// The key is right, the token or its MAC is not what was sealed.
    #[error("what was sealed with the key {kid} is damaged")]
    Damaged {
        /// The key it names.
        kid: Kid,
    },
    /// A good token that was sealed for another row.
    #[error("it was sealed for another place than {binding}")]
    Moved {
        /// Where it was found.
        binding: String,
    },
    /// A bare token that opens with none of our keys: another key sealed it, or it is damaged.
    #[error("none of our keys opens it")]
    NoKeyFits,
}

/// Seals with the primary key.
///
/// `binding` names the row and column, such as `sessions/<uid>/secret`, without a NUL; the same
/// one opens it. `now` is only written into the token.
pub(crate) fn seal(keys: &Keys, binding: &str, plaintext: &[u8], now: DateTime<Utc>) -> Sealed {
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    seal_at(keys.primary(), binding, plaintext, seconds)
}

/// Opens what was sealed for this binding, with whichever of the keys did it.
pub fn open(keys: &Keys, binding: &str, sealed: &Sealed) -> Result<SecretSlice<u8>, OpenError> {
    let kid = sealed.kid;
    let key = keys.get(kid).ok_or(OpenError::UnknownKey { kid })?;
    let plaintext = decrypt(key.fernet(), &sealed.token).ok_or(OpenError::Damaged { kid })?;
    let mac = codec::from_hex(&sealed.mac).filter(|mac| mac.len() == 32);
    let mac = mac.ok_or(OpenError::Damaged { kid })?;
    key.mac(&bound(binding, plaintext.expose_secret()))
        .verify_slice(&mac)
        .map_err(|_| OpenError::Moved {
            binding: binding.to_owned(),
        })?;
    Ok(plaintext)
}

/// Opens a bare token, such as one that a Python program sealed: it says neither its key nor its
/// row.
pub fn open_token(keys: &Keys, token: &str) -> Result<SecretSlice<u8>, OpenError> {
    keys.iter()
        .find_map(|key| decrypt(key.fernet(), token))
        .ok_or(OpenError::NoKeyFits)
}

/// Seals again with the primary key, keeping the date of the first sealing; `None` when the primary
/// sealed it already.
pub(crate) fn reseal(keys: &Keys, binding: &str, sealed: &Sealed) -> Result<Option<Sealed>, OpenError> {
    let plaintext = open(keys, binding, sealed)?;
    if sealed.kid == keys.primary().kid() {
        return Ok(None);
    }
    let seconds = sealed_at(&sealed.token).ok_or(OpenError::Damaged { kid: sealed.kid })?;
    Ok(Some(seal_at(
        keys.primary(),
        binding,
        plaintext.expose_secret(),
        seconds,
    )))
}

fn seal_at(key: &Key, binding: &str, plaintext: &[u8], seconds: u64) -> Sealed {
    debug_assert!(!binding.contains('\0'), "a NUL would blur where the binding ends");
    Sealed {
        token: key.fernet().encrypt_at_time(plaintext, seconds),
        kid: key.kid(),
        mac: codec::hex(&key.mac(&bound(binding, plaintext)).finalize().into_bytes()),
    }
}

fn bound<'a>(binding: &'a str, plaintext: &'a [u8]) -> [&'a [u8]; 3] {
    [binding.as_bytes(), b"\0", plaintext]
}

/// The crate refuses dates more than a minute after "now"; this "now" is after all of them.
const AFTER_EVERY_DATE: u64 = u64::MAX - 60;

pub(crate) fn decrypt(fernet: &Fernet, token: &str) -> Option<SecretSlice<u8>> {
    let canonical = codec::encode(&codec::decode(token)?);
    fernet
        .decrypt_at_time(&canonical, None, AFTER_EVERY_DATE)
        .ok()
        .map(codec::into_secret)
}

/// Seconds since 1970, from the token's second to ninth byte.
fn sealed_at(token: &str) -> Option<u64> {
    let bytes = codec::decode(token)?;
    let date: [u8; 8] = bytes.get(1..9)?.try_into().ok()?;
    Some(u64::from_be_bytes(date))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_760_000_000, 0).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_for_its_row() {
        let keys = Keys::from(Key::generate());
        let sealed = seal(&keys, "sessions/1", b"auth key", now());
        let opened = open(&keys, "sessions/1", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), b"auth key");
        assert_eq!(sealed_at(&sealed.token), Some(1_760_000_000));
    }

    #[test]
    fn a_token_in_another_row_is_refused() {
        let keys = Keys::from(Key::generate());
        let sealed = seal(&keys, "sessions/1", b"auth key", now());
        let moved = open(&keys, "sessions/2", &sealed).unwrap_err();
        assert_eq!(
            moved,
            OpenError::Moved {
                binding: "sessions/2".to_owned()
            }
        );
    }

    #[test]
    fn an_unknown_key_is_named() {
        let (ours, theirs) = (Keys::from(Key::generate()), Keys::from(Key::generate()));
        let sealed = seal(&theirs, "a", b"x", now());
        let kid = theirs.primary().kid();
        assert_eq!(
            open(&ours, "a", &sealed).unwrap_err(),
            OpenError::UnknownKey { kid }
        );
        assert_eq!(
            open_token(&ours, &sealed.token).unwrap_err(),
            OpenError::NoKeyFits
        );
    }

    #[test]
    fn damage_is_told_from_a_move() {
        let keys = Keys::from(Key::generate());
        let sealed = seal(&keys, "a", b"x", now());
        let kid = keys.primary().kid();
        for damaged in [
            Sealed {
                token: sealed.token[..40].to_owned(),
                ..sealed.clone()
            },
            Sealed {
                mac: "zz".to_owned(),
                ..sealed.clone()
            },
            Sealed {
                mac: String::new(),
                ..sealed.clone()
            },
        ] {
            assert_eq!(
                open(&keys, "a", &damaged).unwrap_err(),
                OpenError::Damaged { kid }
            );
        }
    }

    #[test]
    fn a_token_of_any_date_opens() {
        let key = Key::generate();
        for seconds in [0, 1, 1_760_000_000, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
            let token = key.fernet().encrypt_at_time(b"x", seconds);
            let opened = open_token(&Keys::from(key.clone()), &token).unwrap();
            assert_eq!(opened.expose_secret(), b"x");
        }
    }

    #[test]
    fn sealing_again_keeps_the_date_and_the_row() {
        let (old, new) = (Key::generate(), Key::generate());
        let sealed = seal(&Keys::from(old.clone()), "a", b"x", now());
        let keys = Keys::new(new.clone(), [old]);
        let again = reseal(&keys, "a", &sealed).unwrap().unwrap();
        assert_eq!(again.kid, new.kid());
        assert_eq!(sealed_at(&again.token), sealed_at(&sealed.token));
        let only_new = Keys::from(new);
        assert_eq!(open(&only_new, "a", &again).unwrap().expose_secret(), b"x");
        assert_eq!(reseal(&keys, "a", &again).unwrap(), None);
        assert!(reseal(&keys, "b", &sealed).is_err());
    }
}
