//! The three stores that are trusted, through `keyring-core`, and their errors in our words.
//!
//! Never the kernel's keyutils, which forget at a reboot, and never a file.

use std::collections::HashMap;
use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};
use secrecy::SecretSlice;

use super::{Entries, KeyringError, SERVICE};
use crate::codec;

pub(super) fn connect() -> Result<Arc<dyn Entries>, KeyringError> {
    let store: Arc<CredentialStore> = store().map_err(|error| told(&error))?;
    Ok(Arc::new(Native(store)))
}

#[cfg(target_os = "linux")]
fn store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn store() -> keyring_core::Result<Arc<CredentialStore>> {
    Err(Error::NoDefaultStore)
}

struct Native(Arc<CredentialStore>);

impl Native {
    fn entry(&self, user: &str) -> Result<Entry, KeyringError> {
        // What the system's own keyring window shows.
        let label = HashMap::from([("label", "Gleaner workspace key")]);
        let label = cfg!(target_os = "linux").then_some(&label);
        self.0.build(SERVICE, user, label).map_err(|error| told(&error))
    }
}

impl Entries for Native {
    fn get(&self, user: &str) -> Result<Option<SecretSlice<u8>>, KeyringError> {
        match self.entry(user)?.get_secret() {
            Ok(value) => Ok(Some(codec::into_secret(value))),
            Err(Error::NoEntry) => nothing_there(),
            Err(error) => Err(told(&error)),
        }
    }

    fn set(&self, user: &str, value: &[u8]) -> Result<(), KeyringError> {
        let entry = self.entry(user)?;
        let set = || entry.set_secret(value);
        #[cfg(target_os = "linux")]
        let set = || super::secret_service::with_a_default_collection(&set);
        set().map_err(|error| told(&error))
    }

    fn remove(&self, user: &str) -> Result<(), KeyringError> {
        match self.entry(user)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(told(&error)),
        }
    }
}

/// A locked wallet may look like an empty one; a key that seems gone must be gone.
#[cfg_attr(
    not(target_os = "linux"),
    expect(clippy::unnecessary_wraps, reason = "only the Secret Service has to be asked")
)]
fn nothing_there() -> Result<Option<SecretSlice<u8>>, KeyringError> {
    #[cfg(target_os = "linux")]
    if super::secret_service::is_locked().map_err(|error| super::secret_service::told(&error))? {
        return Err(KeyringError::Locked);
    }
    Ok(None)
}

fn told(error: &Error) -> KeyringError {
    match error {
        Error::NoStorageAccess(cause) => platform(cause.as_ref(), KeyringError::Locked),
        Error::PlatformFailure(cause) => platform(cause.as_ref(), KeyringError::Failed(cause.to_string())),
        Error::NoDefaultStore => KeyringError::Absent("this system has none we know".to_owned()),
        Error::Ambiguous(entries) => {
            KeyringError::Damaged(format!("there are {} entries for it", entries.len()))
        }
        // Their texts would be safe, their payloads are what the entry holds.
        Error::BadEncoding(_) | Error::BadDataFormat(_, _) | Error::BadStoreFormat(_) => {
            KeyringError::Damaged("its form is not the keyring's own".to_owned())
        }
        other => KeyringError::Failed(other.to_string()),
    }
}

#[cfg(target_os = "linux")]
fn platform(cause: &(dyn std::error::Error + 'static), _: KeyringError) -> KeyringError {
    super::secret_service::told_any(cause)
}

/// Windows has no lock of its own: without a logon session there is no Credential Manager.
#[cfg(windows)]
fn platform(cause: &(dyn std::error::Error + 'static), otherwise: KeyringError) -> KeyringError {
    match otherwise {
        KeyringError::Locked => KeyringError::Absent(cause.to_string()),
        other => other,
    }
}

#[cfg(not(any(target_os = "linux", windows)))]
fn platform(_: &(dyn std::error::Error + 'static), otherwise: KeyringError) -> KeyringError {
    otherwise
}
