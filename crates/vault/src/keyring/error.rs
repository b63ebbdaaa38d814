//! What can be wrong with a keyring.

use std::time::Duration;

use thiserror::Error;

/// Why the keyring gives or takes no key. Texts never hold what an entry holds.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyringError {
    /// It is locked, and the prompt was dismissed or could not be shown.
    #[error("the keyring is locked")]
    Locked,
    /// Nothing came back in time; a prompt may be waiting behind other windows.
    #[error("the keyring did not answer within {} seconds: it may be waiting for its password", patience.as_secs())]
    NoAnswer {
        /// How long it had.
        patience: Duration,
    },
    /// No keyring runs here.
    #[error("no keyring runs here: {0}")]
    Absent(String),
    /// The entry is no key, or there are two of them.
    #[error("the key in the keyring cannot be read: {0}")]
    Damaged(String),
    /// Something else; the system's own words.
    #[error("the keyring failed: {0}")]
    Failed(String),
}

impl KeyringError {
    /// Whether a new connection may help. Not where a person said no, and not where the answer
    /// would be the same.
    pub(crate) fn is_worth_another_try(&self) -> bool {
        matches!(self, Self::Absent(_) | Self::Failed(_))
    }
}
