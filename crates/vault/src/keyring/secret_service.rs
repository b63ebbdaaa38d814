//! What the Secret Service's errors mean, and what its store does not ask.
//!
//! The store calls "no service" and "a defect" by one name, so the D-Bus error's name decides.

use std::error::Error as StdError;

use secret_service::blocking::SecretService;
use secret_service::{EncryptionType, Error};

use super::KeyringError;

/// Whether the collection that new entries go to is locked; a keyring without one is not.
///
/// gnome-keyring finds entries of a locked collection, others show nothing of it.
pub(super) fn is_locked() -> Result<bool, Error> {
    let service = SecretService::connect(EncryptionType::Dh)?;
    match service.get_default_collection() {
        Ok(collection) => collection.is_locked(),
        Err(Error::NoResult) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Stores; where no collection was ever made, makes the one that is missing and stores again. The
/// system asks the person for its password.
pub(super) fn with_a_default_collection(
    store: &impl Fn() -> keyring_core::Result<()>,
) -> keyring_core::Result<()> {
    match store() {
        Err(keyring_core::Error::NoStorageAccess(cause))
            if matches!(cause.downcast_ref::<Error>(), Some(Error::NoResult)) =>
        {
            make_default_collection()
                .map_err(|error| keyring_core::Error::NoStorageAccess(Box::new(error)))?;
            store()
        }
        answer => answer,
    }
}

fn make_default_collection() -> Result<(), Error> {
    let service = SecretService::connect(EncryptionType::Dh)?;
    service.create_collection("Default keyring", "default").map(drop)
}

pub(super) fn told_any(cause: &(dyn StdError + 'static)) -> KeyringError {
    cause
        .downcast_ref::<Error>()
        .map_or_else(|| KeyringError::Failed(cause.to_string()), told)
}

pub(super) fn told(error: &Error) -> KeyringError {
    match error {
        Error::Locked | Error::Prompt => KeyringError::Locked,
        Error::NoResult => KeyringError::Absent("it has no place for new entries".to_owned()),
        Error::Unavailable => KeyringError::Absent("there is no session bus".to_owned()),
        Error::Zbus(error) => told_by_bus(error),
        Error::ZbusFdo(error) => told_by_bus(&zbus::Error::from(error.clone())),
        other => KeyringError::Failed(other.to_string()),
    }
}

fn told_by_bus(error: &zbus::Error) -> KeyringError {
    match error {
        zbus::Error::MethodError(name, words, _) => {
            told_by_name(name.as_str(), words.as_deref().unwrap_or_default())
        }
        zbus::Error::FDO(error) => told_by_fdo(error),
        zbus::Error::InputOutput(_)
        | zbus::Error::Connection(..)
        | zbus::Error::Address(_)
        | zbus::Error::Handshake(_)
        | zbus::Error::InterfaceNotFound => KeyringError::Absent(error.to_string()),
        other => KeyringError::Failed(other.to_string()),
    }
}

fn told_by_fdo(error: &zbus::fdo::Error) -> KeyringError {
    use zbus::DBusError;
    match error {
        zbus::fdo::Error::ZBus(error) => told_by_bus(error),
        other => {
            let words = DBusError::description(other).unwrap_or_default();
            told_by_name(other.name().as_str(), words)
        }
    }
}

/// The names are the D-Bus specification's and the Secret Service draft's.
fn told_by_name(name: &str, words: &str) -> KeyringError {
    let said = || {
        if words.is_empty() {
            name.to_owned()
        } else {
            format!("{words} ({name})")
        }
    };
    match name {
        "org.freedesktop.Secret.Error.IsLocked" => KeyringError::Locked,
        "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NameHasNoOwner"
        | "org.freedesktop.DBus.Error.NoServer"
        | "org.freedesktop.DBus.Error.Disconnected" => KeyringError::Absent(said()),
        name if name.starts_with("org.freedesktop.DBus.Error.Spawn.") => KeyringError::Absent(said()),
        _ => KeyringError::Failed(said()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("org.freedesktop.Secret.Error.IsLocked", "Locked")]
    #[case("org.freedesktop.DBus.Error.ServiceUnknown", "Absent")]
    #[case("org.freedesktop.DBus.Error.Spawn.ChildExited", "Absent")]
    #[case("org.freedesktop.Secret.Error.NoSession", "Failed")]
    #[case("org.freedesktop.DBus.Error.NoReply", "Failed")]
    fn the_name_of_the_error_decides(#[case] name: &str, #[case] state: &str) {
        assert!(format!("{:?}", told_by_name(name, "words")).starts_with(state));
    }

    #[test]
    fn without_a_bus_there_is_no_keyring() {
        let io = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        for error in [Error::Unavailable, Error::Zbus(io.into())] {
            assert!(matches!(told_any(&error), KeyringError::Absent(_)), "{error}");
        }
        assert_eq!(told_any(&Error::Prompt), KeyringError::Locked);
    }
}
