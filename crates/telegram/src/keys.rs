//! What a login amounts to: a data centre, its address and the key agreed with it.

use std::fmt;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretSlice;
use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};
use zeroize::{Zeroize as _, Zeroizing};

use crate::data_centres;

/// A login: whoever holds it is the account.
///
/// `Debug` shows the key's id, never the key.
#[derive(Debug, Clone)]
pub struct SessionKeys {
    /// The data centre the account lives in: 1 to 5 (or 203) at Telegram.
    pub dc_id: i32,
    /// Where that data centre is reached.
    pub address: SocketAddr,
    /// The key agreed with it.
    pub auth_key: AuthKey,
    /// The account's id, where it is known.
    pub user_id: Option<i64>,
}

impl SessionKeys {
    /// Whether the address is outside Telegram's own networks: a test server, or somebody's.
    pub fn is_foreign_address(&self) -> bool {
        !data_centres::is_telegrams(self.address.ip())
    }

    /// What the vault seals: JSON with its version, `{"v":1,"dc":2,"address":"1.2.3.4:443",
    /// "key":"<base64>","user":42}`. [`SessionKeys::from_blob`] reads it.
    pub fn to_blob(&self) -> SecretSlice<u8> {
        let key = Zeroizing::new(STANDARD.encode(self.auth_key.bytes()));
        let blob = Blob {
            v: VERSION,
            dc: self.dc_id,
            address: self.address,
            key: &key,
            user: self.user_id,
        };
        // Large enough never to move: a growing buffer leaves its old copies in memory.
        let mut json = Vec::with_capacity(1024);
        serde_json::to_writer(&mut json, &blob).expect("numbers and text always fit JSON");
        let sealed = SecretSlice::from(json.as_slice().to_vec());
        json.zeroize();
        sealed
    }

    /// Reads what [`SessionKeys::to_blob`] wrote.
    pub fn from_blob(blob: &[u8]) -> Result<Self, BlobError> {
        let version: Version = serde_json::from_slice(blob).map_err(|_| BlobError::NotSessionKeys)?;
        if version.v != VERSION {
            return Err(BlobError::UnknownVersion(version.v));
        }
        let blob: Blob<'_> = serde_json::from_slice(blob).map_err(|_| BlobError::NotSessionKeys)?;
        let key = STANDARD.decode(blob.key).map(Zeroizing::new);
        let key = key.map_err(|_| BlobError::NotSessionKeys)?;
        Ok(Self {
            dc_id: blob.dc,
            address: blob.address,
            auth_key: AuthKey::parse(&key)?,
            user_id: blob.user,
        })
    }
}

/// An MTProto authorization key: 256 bytes, wiped on drop, never printed.
///
/// On the heap, so that moving it leaves no copies behind.
#[derive(Clone)]
pub struct AuthKey(Box<Zeroizing<[u8; AuthKey::LENGTH]>>);

impl AuthKey {
    /// Bytes in a key (2048 bits).
    pub const LENGTH: usize = 256;

    /// Takes a key from a file, a string or a server.
    pub fn parse(bytes: &[u8]) -> Result<Self, AuthKeyError> {
        if bytes.is_empty() {
            return Err(AuthKeyError::Empty);
        }
        if bytes.len() != Self::LENGTH {
            return Err(AuthKeyError::WrongLength(bytes.len()));
        }
        // What programs write before they have logged in.
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(AuthKeyError::Zeros);
        }
        let mut key = Box::new(Zeroizing::new([0; Self::LENGTH]));
        key.copy_from_slice(bytes);
        Ok(Self(key))
    }

    /// The key itself. Copies of it must be wiped.
    pub fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// The key's name on the wire: it tells keys apart and gives nothing away.
    pub fn id(&self) -> AuthKeyId {
        let hash: [u8; 20] = Sha1::digest(self.bytes()).into();
        let mut id = [0; 8];
        id.copy_from_slice(&hash[12..]);
        AuthKeyId(id)
    }
}

impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthKey({})", self.id())
    }
}

/// The last 8 bytes of the key's SHA-1, as MTProto sends them in front of every message. Shown as
/// 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthKeyId(pub [u8; 8]);

impl fmt::Display for AuthKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Why bytes are no authorization key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthKeyError {
    /// None at all: the program has not agreed on a key yet.
    #[error("there is no key yet: the program that made it never logged in")]
    Empty,
    /// Not 256 of them.
    #[error("its key has {0} bytes, where Telegram's keys have 256")]
    WrongLength(usize),
    /// All zero.
    #[error("its key is all zeros: the program that made it never logged in")]
    Zeros,
}

/// Why a blob could not be read as session keys. Says nothing of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// Damaged, or something else.
    #[error("the stored session is damaged")]
    NotSessionKeys,
    /// Written by a later Gleaner.
    #[error("the stored session has version {0}, which only a newer Gleaner reads")]
    UnknownVersion(u32),
    /// The key in it is none.
    #[error("the stored session is damaged: {0}")]
    Key(#[from] AuthKeyError),
}

const VERSION: u32 = 1;

#[derive(Deserialize)]
struct Version {
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct Blob<'a> {
    v: u32,
    dc: i32,
    address: SocketAddr,
    key: &'a str,
    user: Option<i64>,
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn keys() -> SessionKeys {
        let bytes: Vec<u8> = (0..=255).collect();
        SessionKeys {
            dc_id: 2,
            address: "149.154.167.51:443".parse().unwrap(),
            auth_key: AuthKey::parse(&bytes).unwrap(),
            user_id: Some(6_000_000_000),
        }
    }

    #[test]
    fn the_id_of_a_key_is_the_one_mtproto_sends() {
        // grammers-crypto's own vector for the bytes 0 to 255.
        assert_eq!(keys().auth_key.id().to_string(), "32d1586ea457dfc8");
    }

    #[test]
    fn a_blob_reads_back_as_what_it_was() {
        for address in ["149.154.167.51:443", "[2001:67c:4e8:f002::a]:443", "127.0.0.1:9"] {
            for user_id in [None, Some(7)] {
                let address = address.parse().unwrap();
                let before = SessionKeys {
                    address,
                    user_id,
                    ..keys()
                };
                let after = SessionKeys::from_blob(before.to_blob().expose_secret()).unwrap();
                assert_eq!(format!("{before:?}"), format!("{after:?}"));
                assert_eq!(before.auth_key.bytes(), after.auth_key.bytes());
            }
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", keys());
        assert!(shown.contains("AuthKey(32d1586ea457dfc8)"), "{shown}");
        assert!(shown.len() < 200, "{shown}");
    }

    #[test]
    fn what_is_no_blob_is_refused_without_its_content() {
        let blob = keys().to_blob();
        let blob = std::str::from_utf8(blob.expose_secret()).unwrap().to_owned();
        let refused = |blob: &str| SessionKeys::from_blob(blob.as_bytes()).unwrap_err();
        assert_eq!(refused(""), BlobError::NotSessionKeys);
        assert_eq!(refused(&blob[..200]), BlobError::NotSessionKeys);
        assert_eq!(
            refused(&blob.replace("\"v\":1", "\"v\":2")),
            BlobError::UnknownVersion(2)
        );
        assert_eq!(refused(&blob.replace("AAEC", "A%EC")), BlobError::NotSessionKeys);
        assert_eq!(
            refused(&blob.replace("AAEC", "")),
            BlobError::Key(AuthKeyError::WrongLength(253))
        );
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert_eq!(AuthKey::parse(&[]).unwrap_err(), AuthKeyError::Empty);
        assert_eq!(
            AuthKey::parse(&[1; 255]).unwrap_err(),
            AuthKeyError::WrongLength(255)
        );
        assert_eq!(AuthKey::parse(&[0; 256]).unwrap_err(), AuthKeyError::Zeros);
    }

    #[test]
    fn only_telegrams_networks_are_telegrams() {
        let foreign = |address: &str| {
            let address = address.parse().unwrap();
            SessionKeys { address, ..keys() }.is_foreign_address()
        };
        assert!(!foreign("149.154.167.92:443"));
        assert!(!foreign("[2001:67c:4e8:f004::a]:443"));
        assert!(foreign("127.0.0.1:443"));
        assert!(foreign("149.154.176.1:443"));
        assert!(foreign("[::1]:443"));
    }
}
