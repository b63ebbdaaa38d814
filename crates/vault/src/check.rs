//! Whether a key is the workspace's key, asked before anything is sealed with it.
//!
//! For each key the database keeps a row with a check value: a known text sealed with it. A key
//! that does not open it is another key, and whatever it sealed would be lost beside the rest.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::error::KeyError;
use crate::key::{Key, Kid};
use crate::seal;

/// What the database knows of one key. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// The key's id.
    pub kid: Kid,
    /// What it is used for.
    pub state: KeyRowState,
    /// When it was made, or first seen here.
    pub created_at: DateTime<Utc>,
    /// `gleaner-kcv:v1:<workspace>:<kid>` as a Fernet token of this key.
    pub kcv: String,
}

/// What a key is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRowState {
    /// Seals; exactly one does.
    Primary,
    /// Opens what it sealed before, or will seal soon.
    Decrypt,
    /// Nothing sealed with it is left.
    Retired,
    /// Known to others: what it sealed must be taken for read.
    Compromised,
}

impl KeyRowState {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Decrypt => "decrypt",
            Self::Retired => "retired",
            Self::Compromised => "compromised",
        }
    }
}

impl fmt::Display for KeyRowState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The word is no state of a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no state of a key")]
pub struct KeyRowStateError(String);

impl FromStr for KeyRowState {
    type Err = KeyRowStateError;

    fn from_str(word: &str) -> Result<Self, KeyRowStateError> {
        [Self::Primary, Self::Decrypt, Self::Retired, Self::Compromised]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| KeyRowStateError(word.to_owned()))
    }
}

/// What the database says about keys at this moment.
#[derive(Debug, Clone, Copy)]
pub struct Ledger<'a> {
    /// Whose keys they are.
    pub workspace: Uuid,
    /// Every key row.
    pub rows: &'a [KeyRow],
    /// Whether any row anywhere holds something sealed.
    pub sealed: bool,
}

impl Ledger<'_> {
    /// Whether a key may be made: nothing would be lost.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && !self.sealed
    }

    /// The row of the key that seals.
    pub fn primary(&self) -> Option<&KeyRow> {
        self.rows.iter().find(|row| row.state == KeyRowState::Primary)
    }
}

impl KeyRow {
    pub(crate) fn of(key: &Key, state: KeyRowState, workspace: Uuid, now: DateTime<Utc>) -> Self {
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        let text = check_text(workspace, key.kid());
        Self {
            kid: key.kid(),
            state,
            created_at: now,
            kcv: key.fernet().encrypt_at_time(text.as_bytes(), seconds),
        }
    }

    /// Whether this key made this row, for this workspace.
    pub(crate) fn check(&self, key: &Key, workspace: Uuid) -> Result<(), KeyError> {
        let kid = self.kid;
        if key.kid() != kid {
            return Err(KeyError::Wrong {
                found: key.kid(),
                expected: kid,
            });
        }
        let text = seal::decrypt(key.fernet(), &self.kcv).ok_or(KeyError::CheckDamaged { kid })?;
        if text.expose_secret() == check_text(workspace, kid).as_bytes() {
            Ok(())
        } else {
            Err(KeyError::OtherWorkspace { kid })
        }
    }
}

fn check_text(workspace: Uuid, kid: Kid) -> String {
    format!("gleaner-kcv:v1:{workspace}:{kid}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_knows_its_key_and_its_workspace() {
        let (key, other) = (Key::generate(), Key::generate());
        let workspace = Uuid::now_v7();
        let now = DateTime::from_timestamp(1_760_000_000, 0).unwrap();
        let row = KeyRow::of(&key, KeyRowState::Primary, workspace, now);
        assert_eq!(row.check(&key, workspace), Ok(()));
        assert_eq!(
            row.check(&other, workspace),
            Err(KeyError::Wrong {
                found: other.kid(),
                expected: key.kid()
            })
        );
        assert_eq!(
            row.check(&key, Uuid::now_v7()),
            Err(KeyError::OtherWorkspace { kid: key.kid() })
        );
        let forged = KeyRow {
            kcv: KeyRow::of(&other, KeyRowState::Primary, workspace, now).kcv,
            ..row
        };
        assert_eq!(
            forged.check(&key, workspace),
            Err(KeyError::CheckDamaged { kid: key.kid() })
        );
    }

    #[test]
    fn states_have_their_words() {
        for state in [
            KeyRowState::Primary,
            KeyRowState::Decrypt,
            KeyRowState::Retired,
            KeyRowState::Compromised,
        ] {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("old".parse::<KeyRowState>().is_err());
    }
}
