//! The one thing that seals.

use chrono::{DateTime, Utc};
use secrecy::SecretSlice;
use uuid::Uuid;

use crate::check::{KeyRow, KeyRowState, Ledger};
use crate::error::KeyError;
use crate::key::{Key, Kid};
use crate::keys::Keys;
use crate::seal::{self, OpenError, Sealed};

/// The workspace's keys, checked: a `Vault` cannot be had with a wrong key, so nothing is ever
/// sealed with one. Clones share the keys.
#[derive(Debug, Clone)]
pub struct Vault {
    keys: Keys,
    workspace: Uuid,
    missing: Vec<Kid>,
}

impl Vault {
    /// Checks the keys against the database's rows.
    ///
    /// The primary is the one the rows name, wherever it stands among the keys: after a rotation
    /// that was cut short the two may disagree, and the database is what every process reads.
    pub fn unlock(keys: &Keys, ledger: &Ledger<'_>) -> Result<Self, KeyError> {
        let Some(row) = ledger.primary() else {
            return Err(if ledger.is_empty() {
                KeyError::FirstRun
            } else {
                KeyError::Unchecked
            });
        };
        let found = keys.primary().kid();
        let keys = keys.led_by(row.kid).ok_or(KeyError::Wrong {
            found,
            expected: row.kid,
        })?;
        row.check(keys.primary(), ledger.workspace)?;
        Ok(Self {
            missing: missing(&keys, ledger.rows),
            keys,
            workspace: ledger.workspace,
        })
    }

    /// Takes the first keys of a workspace, with the rows that must be stored before anything is
    /// sealed. Refused once there is a row, or anything sealed.
    pub fn found(
        keys: Keys,
        ledger: &Ledger<'_>,
        now: DateTime<Utc>,
    ) -> Result<(Self, Vec<KeyRow>), KeyError> {
        if !ledger.is_empty() {
            return Err(KeyError::NotFirst);
        }
        let primary = keys.primary().kid();
        let state = |kid| {
            if kid == primary {
                KeyRowState::Primary
            } else {
                KeyRowState::Decrypt
            }
        };
        let rows = keys
            .iter()
            .map(|key| KeyRow::of(key, state(key.kid()), ledger.workspace, now))
            .collect();
        let vault = Self {
            keys,
            workspace: ledger.workspace,
            missing: Vec::new(),
        };
        Ok((vault, rows))
    }

    /// Seals with the primary key. `binding` names the row and column, such as
    /// `sessions/<uid>/secret`, without a NUL; only the same one opens it.
    pub fn seal(&self, binding: &str, plaintext: &[u8], now: DateTime<Utc>) -> Sealed {
        seal::seal(&self.keys, binding, plaintext, now)
    }

    /// Opens what was sealed for this binding.
    pub fn open(&self, binding: &str, sealed: &Sealed) -> Result<SecretSlice<u8>, OpenError> {
        seal::open(&self.keys, binding, sealed)
    }

    /// Seals again with the primary key, keeping the token's date; `None` when that key sealed it
    /// already.
    pub fn reseal(&self, binding: &str, sealed: &Sealed) -> Result<Option<Sealed>, OpenError> {
        seal::reseal(&self.keys, binding, sealed)
    }

    /// The key that seals.
    pub fn kid(&self) -> Kid {
        self.keys.primary().kid()
    }

    /// Every key, for a recovery file.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The workspace the keys were checked for.
    pub fn workspace(&self) -> Uuid {
        self.workspace
    }

    /// Keys in the rows that may still be needed and are not here.
    pub fn missing(&self) -> &[Kid] {
        &self.missing
    }

    /// The row of a further key, which opens and does not seal yet: the first step of a rotation
    /// (see [`rotation`](crate::rotation)).
    pub fn row_of(&self, key: &Key, now: DateTime<Utc>) -> KeyRow {
        KeyRow::of(key, KeyRowState::Decrypt, self.workspace, now)
    }
}

fn missing(keys: &Keys, rows: &[KeyRow]) -> Vec<Kid> {
    rows.iter()
        .filter(|row| row.state != KeyRowState::Retired && keys.get(row.kid).is_none())
        .map(|row| row.kid)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_760_000_000, 0).unwrap()
    }

    fn nothing(workspace: Uuid) -> Ledger<'static> {
        Ledger {
            workspace,
            rows: &[],
            sealed: false,
        }
    }

    #[test]
    fn the_founded_key_unlocks() {
        let workspace = Uuid::now_v7();
        let key = Key::generate();
        let (vault, rows) = Vault::found(key.clone().into(), &nothing(workspace), now()).unwrap();
        let sealed = vault.seal("a", b"x", now());
        let ledger = Ledger {
            workspace,
            rows: &rows,
            sealed: true,
        };
        let again = Vault::unlock(&key.into(), &ledger).unwrap();
        assert_eq!(again.open("a", &sealed).unwrap().expose_secret(), b"x");
    }

    #[test]
    fn a_wrong_key_says_both_ids() {
        let workspace = Uuid::now_v7();
        let (right, wrong) = (Key::generate(), Key::generate());
        let (_, rows) = Vault::found(right.clone().into(), &nothing(workspace), now()).unwrap();
        let ledger = Ledger {
            workspace,
            rows: &rows,
            sealed: true,
        };
        let error = Vault::unlock(&wrong.clone().into(), &ledger).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "this is a different key (id {}, expected {})",
                wrong.kid(),
                right.kid()
            )
        );
    }

    #[test]
    fn no_key_is_founded_beside_another_or_beside_ciphertext() {
        let workspace = Uuid::now_v7();
        let (_, rows) = Vault::found(Key::generate().into(), &nothing(workspace), now()).unwrap();
        for (rows, sealed) in [(rows.as_slice(), false), (&[], true), (&rows, true)] {
            let ledger = Ledger {
                workspace,
                rows,
                sealed,
            };
            let refused = Vault::found(Key::generate().into(), &ledger, now()).unwrap_err();
            assert_eq!(refused, KeyError::NotFirst);
        }
    }

    #[test]
    fn ciphertext_without_a_row_unlocks_for_nobody() {
        let mut ledger = nothing(Uuid::now_v7());
        let keys = Keys::from(Key::generate());
        assert_eq!(Vault::unlock(&keys, &ledger).unwrap_err(), KeyError::FirstRun);
        ledger.sealed = true;
        assert_eq!(Vault::unlock(&keys, &ledger).unwrap_err(), KeyError::Unchecked);
    }
}
