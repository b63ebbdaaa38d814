//! A keyring in memory, for tests: it can be locked, absent or hold nonsense.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretSlice;

use crate::keyring::{Entries, Keyring, KeyringError};

/// Entries in memory. Clones share them, as processes share a keyring.
#[derive(Clone, Default)]
pub struct MemoryKeyring(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    entries: HashMap<String, Vec<u8>>,
    fails: Option<KeyringError>,
}

impl MemoryKeyring {
    /// An empty keyring.
    pub fn new() -> Self {
        Self::default()
    }

    /// The keyring for the code under test.
    pub fn keyring(&self) -> Keyring {
        let entries = self.clone();
        Keyring::over(move || entries.entries())
    }

    /// Lets every call fail so from now on, or no longer.
    pub fn fail(&self, error: impl Into<Option<KeyringError>>) {
        self.inside().fails = error.into();
    }

    /// Puts a value there, whatever it is.
    pub fn put(&self, user: &str, value: &[u8]) {
        self.inside().entries.insert(user.to_owned(), value.to_vec());
    }

    /// Takes an entry away, as a person might.
    pub fn delete(&self, user: &str) {
        self.inside().entries.remove(user);
    }

    pub(crate) fn entries(&self) -> Result<Arc<dyn Entries>, KeyringError> {
        self.working().map(|_| Arc::new(self.clone()) as Arc<dyn Entries>)
    }

    fn inside(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn working(&self) -> Result<std::sync::MutexGuard<'_, Inside>, KeyringError> {
        let inside = self.inside();
        inside.fails.clone().map_or(Ok(inside), Err)
    }
}

impl Entries for MemoryKeyring {
    fn get(&self, user: &str) -> Result<Option<SecretSlice<u8>>, KeyringError> {
        let value = self.working()?.entries.get(user).cloned();
        Ok(value.map(SecretSlice::from))
    }

    fn set(&self, user: &str, value: &[u8]) -> Result<(), KeyringError> {
        self.working()?.entries.insert(user.to_owned(), value.to_vec());
        Ok(())
    }

    fn remove(&self, user: &str) -> Result<(), KeyringError> {
        self.working()?.entries.remove(user);
        Ok(())
    }
}
