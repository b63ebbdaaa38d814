//! Why the workspace's secrets cannot be used, and which screen says so.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::key::Kid;
use crate::keyring::KeyringError;
use crate::source::{KeySource, SourceError};

/// Why there is no [`Vault`](crate::Vault).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The keyring itself: locked, absent, an entry that is no key.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A file or variable that should hold the key.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No key, and nothing sealed: one may be made.
    #[error("no key has been made yet")]
    FirstRun,
    /// No key where it should be, while the database has secrets sealed with it.
    #[error("the key {expected} is gone from where it was kept")]
    Gone {
        /// The key the secrets need.
        expected: Kid,
    },
    /// Another key than the workspace's.
    #[error("this is a different key (id {found}, expected {expected})")]
    Wrong {
        /// The key that was found or given.
        found: Kid,
        /// The key the secrets need.
        expected: Kid,
    },
    /// The right key, checked against another workspace's row.
    #[error("the key {kid} is checked for another workspace")]
    OtherWorkspace {
        /// The key.
        kid: Kid,
    },
    /// The row of the key is not what the key wrote.
    #[error("the check row of the key {kid} is damaged")]
    CheckDamaged {
        /// The key.
        kid: Kid,
    },
    /// Secrets are there, but no row says which key is theirs.
    #[error("secrets are stored, but no row says which key is theirs")]
    Unchecked,
    /// A key would be made although one exists, or something is sealed.
    #[error("a key exists already: a new one would make what it sealed unreadable")]
    NotFirst,
    /// The key comes from a place that this program only reads.
    #[error("the key comes from {0}; change it there")]
    ReadOnly(KeySource),
    /// A key that is asked for is not among ours.
    #[error("the key {kid} is not here")]
    UnknownKey {
        /// The key.
        kid: Kid,
    },
}

/// What the keys look like from outside: one screen each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// The key is here and is the right one.
    Ready,
    /// None is needed yet.
    FirstRun,
    /// The keyring waits to be unlocked.
    Locked,
    /// No keyring runs here.
    Absent,
    /// The key is not in the keyring any more.
    Gone,
    /// There is a key, another one.
    Wrong,
    /// What is stored is not a key, or not a check row.
    Damaged,
    /// Something else went wrong; the error says what.
    Failed,
}

impl KeyError {
    /// The screen that fits.
    pub fn state(&self) -> KeyState {
        match self {
            Self::Keyring(KeyringError::Locked | KeyringError::NoAnswer { .. }) => KeyState::Locked,
            Self::Keyring(KeyringError::Absent(_)) => KeyState::Absent,
            Self::Keyring(KeyringError::Damaged(_))
            | Self::Source(SourceError::NotAKey { .. })
            | Self::CheckDamaged { .. }
            | Self::Unchecked => KeyState::Damaged,
            Self::FirstRun => KeyState::FirstRun,
            Self::Gone { .. } => KeyState::Gone,
            Self::Wrong { .. } | Self::OtherWorkspace { .. } => KeyState::Wrong,
            Self::Keyring(KeyringError::Failed(_))
            | Self::Source(_)
            | Self::NotFirst
            | Self::ReadOnly(_)
            | Self::UnknownKey { .. } => KeyState::Failed,
        }
    }
}
