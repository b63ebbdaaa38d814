//! One key: 32 bytes that nothing prints, and the short name that everything may.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use fernet::Fernet;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::TryRng as _;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::codec;

/// Bytes in a key.
pub const KEY_BYTES: usize = 32;

/// A Fernet key. Clones share one place in memory, which is wiped when the last of them goes.
#[derive(Clone)]
pub struct Key(Arc<Material>);

struct Material {
    raw: Zeroizing<[u8; KEY_BYTES]>,
    kid: Kid,
    /// Made once: each making leaves a copy of the key in freed memory.
    fernet: Fernet,
    mac_key: Zeroizing<[u8; 32]>,
}

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyParseError {
    /// Nothing is there.
    #[error("there is no key in it")]
    Empty,
    /// Not base64.
    #[error("a key is base64, and this is not")]
    NotBase64,
    /// Base64 of another length.
    #[error("a key has {KEY_BYTES} bytes, and this has {0}")]
    Length(usize),
}

impl Key {
    /// A new random key.
    ///
    /// # Panics
    /// When the operating system gives no random numbers: no key may be made then.
    pub fn generate() -> Self {
        let mut raw = Zeroizing::new([0; KEY_BYTES]);
        rand::rngs::SysRng
            .try_fill_bytes(raw.as_mut_slice())
            .expect("the operating system gives random numbers");
        Self::from_raw(raw)
    }

    /// Reads one line of base64: url-safe or standard, padded or not, white space around it.
    pub fn parse(text: &str) -> Result<Self, KeyParseError> {
        if text.trim().is_empty() {
            return Err(KeyParseError::Empty);
        }
        let bytes = codec::decode(text).ok_or(KeyParseError::NotBase64)?;
        Self::from_bytes(&bytes)
    }

    /// The key of these 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyParseError> {
        if bytes.len() != KEY_BYTES {
            return Err(KeyParseError::Length(bytes.len()));
        }
        let mut raw = Zeroizing::new([0; KEY_BYTES]);
        raw.copy_from_slice(bytes);
        Ok(Self::from_raw(raw))
    }

    fn from_raw(raw: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let line = Zeroizing::new(codec::encode(raw.as_slice()));
        let fernet = Fernet::new(&line).expect("32 bytes in base64 are a Fernet key");
        let mut mac_key = Zeroizing::new([0; 32]);
        mac_key.copy_from_slice(&hmac(raw.as_slice(), &[MAC_PURPOSE]).finalize().into_bytes());
        let kid = Kid::of(&raw);
        Self(Arc::new(Material {
            raw,
            kid,
            fernet,
            mac_key,
        }))
    }

    /// One line of padded url-safe base64 without a line end: what `cryptography.fernet.Fernet`
    /// takes.
    pub fn to_line(&self) -> SecretString {
        let mut line = codec::encode(self.0.raw.as_slice());
        let secret = SecretString::from(Box::<str>::from(line.as_str()));
        line.zeroize();
        secret
    }

    /// The short public name of the key.
    pub fn kid(&self) -> Kid {
        self.0.kid
    }

    pub(crate) fn fernet(&self) -> &Fernet {
        &self.0.fernet
    }

    /// A MAC over the parts, keyed for the binding of rows.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        hmac(self.0.mac_key.as_slice(), parts)
    }
}

/// Tells the MAC's key apart from whatever else may one day be derived.
const MAC_PURPOSE: &[u8] = b"gleaner-mac:v1";

fn hmac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac
}

/// Only the name: never the bytes.
impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({})", self.kid())
    }
}

/// A key's id: the first 8 hexadecimal digits of `SHA-256("gleaner-kid\0" || raw key)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Kid([u8; 4]);

impl Kid {
    fn of(raw: &[u8; KEY_BYTES]) -> Self {
        let hash = Sha256::new()
            .chain_update(b"gleaner-kid\0")
            .chain_update(raw)
            .finalize();
        let mut short = [0; 4];
        short.copy_from_slice(&hash[..4]);
        Self(short)
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&codec::hex(&self.0))
    }
}

impl fmt::Debug for Kid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Kid({self})")
    }
}

/// The text is not the id of a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a key id is 8 hexadecimal digits, not {0:?}")]
pub struct KidParseError(String);

impl FromStr for Kid {
    type Err = KidParseError;

    fn from_str(text: &str) -> Result<Self, KidParseError> {
        codec::from_hex(text)
            .and_then(|bytes| <[u8; 4]>::try_from(bytes).ok())
            .map(Self)
            .ok_or_else(|| KidParseError(text.to_owned()))
    }
}

impl TryFrom<String> for Kid {
    type Error = KidParseError;

    fn try_from(text: String) -> Result<Self, KidParseError> {
        text.parse()
    }
}

impl From<Kid> for String {
    fn from(kid: Kid) -> Self {
        kid.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    const LINE: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

    #[test]
    fn every_spelling_of_a_key_prints_as_one_padded_line() {
        let standard = LINE.replace('-', "+").replace('_', "/");
        for spelling in [
            LINE.to_owned(),
            LINE.trim_end_matches('=').to_owned(),
            format!("{LINE}\n"),
            format!("  {LINE}\r\n"),
            standard,
        ] {
            let key = Key::parse(&spelling).unwrap();
            assert_eq!(key.to_line().expose_secret(), LINE, "{spelling:?}");
        }
    }

    #[test]
    fn what_is_no_key_says_why() {
        assert_eq!(Key::parse(" \n").unwrap_err(), KeyParseError::Empty);
        assert_eq!(Key::parse("not a key!").unwrap_err(), KeyParseError::NotBase64);
        assert_eq!(Key::parse("AAAA").unwrap_err(), KeyParseError::Length(3));
    }

    #[test]
    fn an_id_is_the_beginning_of_a_hash() {
        // hashlib.sha256(b"gleaner-kid\0" + bytes(32)).hexdigest()[:8]
        let kid = Key::from_bytes(&[0; 32]).unwrap().kid();
        assert_eq!(kid.to_string(), "faaca1ee");
        assert_eq!(kid.to_string().parse::<Kid>().unwrap(), kid);
        assert!("12345".parse::<Kid>().is_err());
        assert!("1234567z".parse::<Kid>().is_err());
    }

    #[test]
    fn a_key_does_not_print() {
        let key = Key::parse(LINE).unwrap();
        assert_eq!(format!("{key:?}"), format!("Key({})", key.kid()));
    }

    #[test]
    fn two_new_keys_differ() {
        assert_ne!(Key::generate().kid(), Key::generate().kid());
    }
}
