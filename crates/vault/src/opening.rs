//! From wherever the key lives to the vault, and what to do when it is not there.

use chrono::{DateTime, Utc};

use crate::check::{KeyRow, Ledger};
use crate::error::KeyError;
use crate::key::Key;
use crate::keyring::{Keyring, KeyringError};
use crate::keys::Keys;
use crate::source::{self, KeyPlaces, KeySource};
use crate::vault::Vault;

/// Where the workspace's key lives: a place on a machine without a desk when one is given, else the
/// keyring.
#[derive(Debug, Clone)]
pub struct KeyHome {
    places: KeyPlaces,
    keyring: Keyring,
    user: String,
}

/// A vault, and where its key came from.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What seals and opens.
    pub vault: Vault,
    /// Where the key came from.
    pub source: KeySource,
}

impl KeyHome {
    /// `user` names the entry in the keyring: the workspace's uuid, or `default`.
    pub fn new(places: KeyPlaces, keyring: Keyring, user: impl Into<String>) -> Self {
        Self {
            places,
            keyring,
            user: user.into(),
        }
    }

    /// Finds the key and checks it. [`KeyError::FirstRun`] when there is none and none is needed.
    pub async fn open(&self, ledger: &Ledger<'_>) -> Result<Opened, KeyError> {
        let Some((keys, source)) = self.find().await? else {
            return Err(match ledger.primary() {
                Some(row) => KeyError::Gone { expected: row.kid },
                None if ledger.is_empty() => KeyError::FirstRun,
                None => KeyError::Unchecked,
            });
        };
        let vault = Vault::unlock(&keys, ledger)?;
        Ok(Opened { vault, source })
    }

    /// The first run: makes and stores a key, or takes the one that is there already (a file that
    /// was laid out, or a first run that was cut short). The rows are to be stored before anything
    /// is sealed.
    ///
    /// Of two processes in here at once one would overwrite the other's key: hold the database's
    /// write lock from reading the ledger until the rows are stored.
    pub async fn found(
        &self,
        ledger: &Ledger<'_>,
        now: DateTime<Utc>,
    ) -> Result<(Opened, Vec<KeyRow>), KeyError> {
        if !ledger.is_empty() {
            return Err(KeyError::NotFirst);
        }
        let (keys, source) = match self.find().await? {
            Some(found) => found,
            None => (self.make().await?, KeySource::Keyring),
        };
        let (vault, rows) = Vault::found(keys, ledger, now)?;
        Ok((Opened { vault, source }, rows))
    }

    /// Stores keys from a recovery file once they pass the check. Keys that the keyring holds
    /// besides are kept behind them. The rows are new only where the database had none.
    pub async fn restore(
        &self,
        keys: Keys,
        ledger: &Ledger<'_>,
        now: DateTime<Utc>,
    ) -> Result<(Opened, Vec<KeyRow>), KeyError> {
        let (vault, rows) = if ledger.is_empty() {
            Vault::found(keys, ledger, now)?
        } else {
            (Vault::unlock(&keys, ledger)?, Vec::new())
        };
        let held = match self.find().await {
            Ok(held) => held,
            // What is in there is no key, so nothing is lost with it.
            Err(KeyError::Keyring(KeyringError::Damaged(_))) => None,
            Err(error) => return Err(error),
        };
        let held = held.map_or_else(Vec::new, |(held, _)| held.iter().cloned().collect());
        let merged = held.into_iter().fold(vault.keys().clone(), Keys::with);
        self.store(&merged).await?;
        let source = KeySource::Keyring;
        Ok((Opened { vault, source }, rows))
    }

    /// Replaces the keys in the keyring, for a rotation. Refused when the key comes from a place
    /// that is only read.
    pub async fn store(&self, keys: &Keys) -> Result<(), KeyError> {
        if let Some((_, source)) = self.laid_out().await? {
            return Err(KeyError::ReadOnly(source));
        }
        Ok(self.keyring.write(&self.user, keys).await?)
    }

    async fn find(&self) -> Result<Option<(Keys, KeySource)>, KeyError> {
        if let Some(found) = self.laid_out().await? {
            return Ok(Some(found));
        }
        let keys = self.keyring.read(&self.user).await?;
        Ok(keys.map(|keys| (keys, KeySource::Keyring)))
    }

    async fn laid_out(&self) -> Result<Option<(Keys, KeySource)>, KeyError> {
        let places = self.places.clone();
        let read = tokio::task::spawn_blocking(move || source::read(&places)).await;
        Ok(read.map_err(|_| KeyringError::Failed("reading the key file stopped".to_owned()))??)
    }

    async fn make(&self) -> Result<Keys, KeyError> {
        let made = Keys::from(Key::generate());
        self.keyring.write(&self.user, &made).await?;
        tracing::info!(kid = %made.primary().kid(), "made the workspace's key");
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::KeyState;
    use crate::testing::MemoryKeyring;
    use uuid::Uuid;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_760_000_000, 0).unwrap()
    }

    fn ledger(workspace: Uuid, rows: &[KeyRow]) -> Ledger<'_> {
        Ledger {
            workspace,
            rows,
            sealed: !rows.is_empty(),
        }
    }

    fn home(memory: &MemoryKeyring) -> KeyHome {
        KeyHome::new(KeyPlaces::default(), memory.keyring(), "default")
    }

    async fn founded(memory: &MemoryKeyring, workspace: Uuid) -> (Opened, Vec<KeyRow>) {
        let empty = ledger(workspace, &[]);
        home(memory).found(&empty, now()).await.unwrap()
    }

    #[tokio::test]
    async fn a_first_run_makes_one_key_and_the_next_start_finds_it() {
        let (memory, workspace) = (MemoryKeyring::new(), Uuid::now_v7());
        let empty = ledger(workspace, &[]);
        let error = home(&memory).open(&empty).await.unwrap_err();
        assert_eq!(error.state(), KeyState::FirstRun);
        let (opened, rows) = founded(&memory, workspace).await;
        let again = home(&memory).open(&ledger(workspace, &rows)).await.unwrap();
        assert_eq!(again.vault.kid(), opened.vault.kid());
        assert_eq!(again.source, KeySource::Keyring);
        // A first run that was cut short before its rows were stored.
        let (once_more, _) = founded(&memory, workspace).await;
        assert_eq!(once_more.vault.kid(), opened.vault.kid());
    }

    #[tokio::test]
    async fn no_key_is_made_while_rows_or_ciphertext_exist() {
        let (memory, workspace) = (MemoryKeyring::new(), Uuid::now_v7());
        let (opened, rows) = founded(&memory, workspace).await;
        memory.delete("default");
        let full = ledger(workspace, &rows);
        let gone = home(&memory).open(&full).await.unwrap_err();
        assert_eq!(
            gone,
            KeyError::Gone {
                expected: opened.vault.kid()
            }
        );
        let refused = home(&memory).found(&full, now()).await.unwrap_err();
        assert_eq!(refused, KeyError::NotFirst);
        let only_ciphertext = Ledger {
            workspace,
            rows: &[],
            sealed: true,
        };
        let refused = home(&memory).found(&only_ciphertext, now()).await.unwrap_err();
        assert_eq!(refused, KeyError::NotFirst);
        assert_eq!(
            home(&memory).open(&only_ciphertext).await.unwrap_err(),
            KeyError::Unchecked
        );
        assert!(memory.keyring().read("default").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_gone_key_comes_back_from_its_recovery_file_and_a_wrong_one_does_not() {
        let (memory, workspace) = (MemoryKeyring::new(), Uuid::now_v7());
        let (opened, rows) = founded(&memory, workspace).await;
        let full = ledger(workspace, &rows);
        let right = opened.vault.keys().clone();
        let wrong = Keys::from(Key::generate());
        for left in [None, Some(&b"nonsense"[..])] {
            memory.delete("default");
            if let Some(left) = left {
                memory.put("default", left);
            }
            let refused = home(&memory).restore(wrong.clone(), &full, now()).await;
            assert_eq!(refused.unwrap_err().state(), KeyState::Wrong);
            let before = home(&memory).open(&full).await.unwrap_err();
            assert!(matches!(before.state(), KeyState::Gone | KeyState::Damaged));
            home(&memory).restore(right.clone(), &full, now()).await.unwrap();
            assert!(home(&memory).open(&full).await.is_ok());
        }
        // A key of somebody else's that the keyring holds is not lost.
        memory.keyring().write("default", &wrong).await.unwrap();
        let error = home(&memory).open(&full).await.unwrap_err();
        assert_eq!(error.state(), KeyState::Wrong);
        home(&memory).restore(right.clone(), &full, now()).await.unwrap();
        let held = memory.keyring().read("default").await.unwrap().unwrap();
        assert_eq!(held.kids(), [right.primary().kid(), wrong.primary().kid()]);
    }

    #[tokio::test]
    async fn on_a_new_computer_the_recovery_file_brings_its_rows() {
        let (memory, workspace) = (MemoryKeyring::new(), Uuid::now_v7());
        let keys = Keys::from(Key::generate());
        let empty = ledger(workspace, &[]);
        let (opened, rows) = home(&memory).restore(keys.clone(), &empty, now()).await.unwrap();
        assert_eq!(opened.vault.kid(), keys.primary().kid());
        assert!(home(&memory).open(&ledger(workspace, &rows)).await.is_ok());
    }

    #[tokio::test]
    async fn a_key_that_was_laid_out_is_used_and_never_replaced() {
        let (memory, workspace) = (MemoryKeyring::new(), Uuid::now_v7());
        let key = Key::generate();
        let places = KeyPlaces {
            key_value: Some(key.to_line()),
            ..KeyPlaces::default()
        };
        let home = KeyHome::new(places, memory.keyring(), "default");
        let empty = ledger(workspace, &[]);
        let (opened, _) = home.found(&empty, now()).await.unwrap();
        assert_eq!(opened.vault.kid(), key.kid());
        assert_eq!(opened.source, KeySource::Environment);
        let refused = home.store(&Key::generate().into()).await.unwrap_err();
        assert_eq!(refused, KeyError::ReadOnly(KeySource::Environment));
        assert!(memory.keyring().read("default").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn each_state_of_the_keyring_has_its_screen() {
        let (memory, workspace) = (MemoryKeyring::new(), Uuid::now_v7());
        let (_, rows) = founded(&memory, workspace).await;
        let full = ledger(workspace, &rows);
        for (error, state) in [
            (KeyringError::Locked, KeyState::Locked),
            (KeyringError::Absent("none".to_owned()), KeyState::Absent),
            (KeyringError::Damaged("two".to_owned()), KeyState::Damaged),
            (KeyringError::Failed("odd".to_owned()), KeyState::Failed),
        ] {
            memory.fail(error);
            let told = home(&memory).open(&full).await.unwrap_err();
            assert_eq!(told.state(), state);
            // Nor is a key made while the keyring cannot be asked.
            let empty = ledger(workspace, &[]);
            assert!(home(&memory).found(&empty, now()).await.is_err());
            memory.fail(None);
            assert!(home(&memory).open(&full).await.is_ok());
        }
    }
}
