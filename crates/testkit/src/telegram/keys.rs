//! Auth keys: who holds one, on which data centre, and what Telegram says about it.
//!
//! There is no key exchange here. A key is handed out beforehand, as if it had been agreed on, and
//! is good for one data centre, as real ones are.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

use super::answer::{RpcError, refuse};

/// A pre-shared auth key and where it is good.
#[derive(Clone)]
pub struct LoginKey {
    /// Number of the data centre.
    pub dc_id: i32,
    /// Where it listens.
    pub address: SocketAddr,
    /// The 256 bytes both sides know.
    pub auth_key: [u8; 256],
}

impl LoginKey {
    /// The key's name on the wire: the lower half of its SHA-1.
    pub fn id(&self) -> i64 {
        key_id(&self.auth_key)
    }
}

impl fmt::Debug for LoginKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginKey")
            .field("dc_id", &self.dc_id)
            .field("address", &self.address)
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

/// What Telegram says about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStanding {
    /// Nothing is wrong with it.
    #[default]
    Good,
    /// 401 AUTH_KEY_UNREGISTERED: logged out, by itself or from another device.
    Unregistered,
    /// 401 SESSION_REVOKED: all other sessions were ended.
    Revoked,
    /// 406 AUTH_KEY_DUPLICATED: used from two addresses at once.
    Duplicated,
    /// 401 USER_DEACTIVATED_BAN: the account was banned after the login.
    AccountBanned,
    /// Transport error 404: the server has never heard of it.
    Unknown,
}

impl KeyStanding {
    fn error(self) -> Option<RpcError> {
        match self {
            Self::Good | Self::Unknown => None,
            Self::Unregistered => Some(refuse(401, "AUTH_KEY_UNREGISTERED")),
            Self::Revoked => Some(refuse(401, "SESSION_REVOKED")),
            Self::Duplicated => Some(refuse(406, "AUTH_KEY_DUPLICATED")),
            Self::AccountBanned => Some(refuse(401, "USER_DEACTIVATED_BAN")),
        }
    }
}

/// One key as the server knows it.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) bytes: [u8; 256],
    pub(super) dc_id: i32,
    pub(super) standing: KeyStanding,
    /// Salt that messages must carry.
    pub(super) salt: i64,
    pub(super) login: Login,
}

/// How far a key's login is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    Nobody,
    /// Code or QR accepted; the password is still owed.
    PasswordOwed(i64),
    User(i64),
}

impl Key {
    /// The account behind the key, or why there is none.
    pub(super) fn user(&self) -> Result<i64, RpcError> {
        if let Some(error) = self.standing.error() {
            return Err(error);
        }
        match self.login {
            Login::User(user) => Ok(user),
            Login::Nobody | Login::PasswordOwed(_) => Err(refuse(401, "AUTH_KEY_UNREGISTERED")),
        }
    }

    /// What stands in the way of a login with this key.
    pub(super) fn may_log_in(&self) -> Result<(), RpcError> {
        match self.standing {
            // Such keys are nobody's any more, and may become somebody's again.
            KeyStanding::Unregistered | KeyStanding::Revoked => Ok(()),
            standing => standing.error().map_or(Ok(()), Err),
        }
    }

    pub(super) fn log_in(&mut self, user: i64) {
        self.login = Login::User(user);
        self.standing = KeyStanding::Good;
    }
}

/// All keys by their id.
#[derive(Default)]
pub(super) struct Keys(HashMap<i64, Key>);

impl Keys {
    pub(super) fn mint(&mut self, dc_id: i32, login: Login) -> [u8; 256] {
        let bytes: [u8; 256] = rand::random();
        let key = Key {
            bytes,
            dc_id,
            standing: KeyStanding::Good,
            salt: rand::random(),
            login,
        };
        self.0.insert(key_id(&bytes), key);
        bytes
    }

    /// A key as a data centre sees it: those of other data centres are unknown there.
    pub(super) fn at(&self, dc_id: i32, id: i64) -> Option<&Key> {
        self.0
            .get(&id)
            .filter(|key| key.dc_id == dc_id && key.standing != KeyStanding::Unknown)
    }

    pub(super) fn set_standing(&mut self, id: i64, standing: KeyStanding) -> bool {
        let key = self.0.get_mut(&id);
        key.map(|key| key.standing = standing).is_some()
    }

    pub(super) fn change_salt(&mut self, id: i64) -> bool {
        let key = self.0.get_mut(&id);
        key.map(|key| key.salt = rand::random()).is_some()
    }

    /// Sets it for every key that is logged in to an account; how many there are.
    pub(super) fn set_standing_of(&mut self, user: i64, standing: KeyStanding) -> usize {
        let theirs = self.0.values_mut().filter(|key| key.login == Login::User(user));
        theirs.map(|key| key.standing = standing).count()
    }

    pub(super) fn get_mut(&mut self, id: i64) -> Option<&mut Key> {
        self.0.get_mut(&id)
    }

    pub(super) fn get(&self, id: i64) -> Option<&Key> {
        self.0.get(&id)
    }
}

/// The lower half of the key's SHA-1, as on the wire.
pub(super) fn key_id(key: &[u8; 256]) -> i64 {
    let digest = Sha1::digest(key);
    i64::from_le_bytes(digest[12..20].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_id_clients_give_it() {
        let key = std::array::from_fn(|index| index as u8);
        let id = key_id(&key).cast_unsigned();
        let theirs = format!("{:?}", grammers_crypto::AuthKey::from_bytes(key));
        assert!(theirs.contains(&id.to_string()), "{theirs}");
    }
}
