//! Where a machine without a desk finds the key: a credential of the service, a file, a variable.
//!
//! The first place that is given wins, and one that is given but bad is an error: going on to the
//! next would hide it. Only the place is logged, never what it holds.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::key::KeyParseError;
use crate::keys::Keys;

/// The name of the systemd credential (`LoadCredentialEncrypted=gleaner-pool-key:...`).
pub const CREDENTIAL: &str = "gleaner-pool-key";

/// What the environment says about places of the key, best first.
#[derive(Debug, Clone, Default)]
pub struct KeyPlaces {
    /// `CREDENTIALS_DIRECTORY`, as systemd sets it; it counts only when [`CREDENTIAL`] is in it.
    pub credentials_directory: Option<PathBuf>,
    /// A file that only its owner can read, also a mounted secret.
    pub key_file: Option<PathBuf>,
    /// The keys themselves, for development: other programs can read a process's environment.
    pub key_value: Option<SecretString>,
}

/// Where a key came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A credential that systemd handed to the service.
    Credential(PathBuf),
    /// A file.
    File(PathBuf),
    /// The environment.
    Environment,
    /// The keyring of the operating system.
    Keyring,
}

impl fmt::Display for KeySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential(path) => write!(formatter, "the credential {}", path.display()),
            Self::File(path) => write!(formatter, "the file {}", path.display()),
            Self::Environment => formatter.write_str("the environment"),
            Self::Keyring => formatter.write_str("the keyring"),
        }
    }
}

/// Why a place that should hold the key does not give it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SourceError {
    /// It cannot be read.
    #[error("{place} cannot be read: {reason}")]
    Unreadable {
        /// Which place.
        place: KeySource,
        /// What the system said.
        reason: String,
    },
    /// Others could read it.
    #[error("{} can be read by others (mode {mode:03o}): run chmod 600 on it", path.display())]
    NotOwnerOnly {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What it holds is no key.
    #[error("{place} holds no key: {reason}")]
    NotAKey {
        /// Which place.
        place: KeySource,
        /// Why not.
        reason: KeyParseError,
    },
}

/// The keys of the first place that is given; `None` when none is.
pub fn read(places: &KeyPlaces) -> Result<Option<(Keys, KeySource)>, SourceError> {
    let Some((text, place)) = first(places)? else {
        return Ok(None);
    };
    let keys = Keys::parse(text.expose_secret()).map_err(|reason| SourceError::NotAKey {
        place: place.clone(),
        reason,
    })?;
    tracing::info!(%place, kid = %keys.primary().kid(), "found the key");
    Ok(Some((keys, place)))
}

fn first(places: &KeyPlaces) -> Result<Option<(SecretString, KeySource)>, SourceError> {
    if let Some(folder) = &places.credentials_directory {
        let path = folder.join(CREDENTIAL);
        let place = KeySource::Credential(path.clone());
        // The kernel guards this folder; the modes in it are systemd's own.
        match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            opened => return Ok(Some((text_of(opened, &place)?, place))),
        }
    }
    if let Some(path) = &places.key_file {
        let place = KeySource::File(path.clone());
        let opened = File::open(path);
        if let Ok(file) = &opened {
            only_the_owner_reads(file, path)?;
        }
        return Ok(Some((text_of(opened, &place)?, place)));
    }
    let value = places.key_value.clone();
    Ok(value.map(|value| {
        tracing::warn!(
            "the key comes from the environment, where other programs may read it: use a credential or a file"
        );
        (value, KeySource::Environment)
    }))
}

/// Far more than any number of keys in use.
const LONGEST: u64 = 16 * 1024;

fn text_of(opened: io::Result<File>, place: &KeySource) -> Result<SecretString, SourceError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
    let unreadable = |error: io::Error| SourceError::Unreadable {
        place: place.clone(),
        reason: error.to_string(),
    };
    let file = opened.map_err(unreadable)?;
    file.take(LONGEST).read_to_end(&mut bytes).map_err(unreadable)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| SourceError::NotAKey {
        place: place.clone(),
        reason: KeyParseError::NotBase64,
    })?;
    Ok(SecretString::from(Box::<str>::from(text)))
}

/// Who could read a file with such a mode is its owner, or root, which reads everything.
#[cfg(unix)]
fn only_the_owner_reads(file: &File, path: &Path) -> Result<(), SourceError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata().map_err(|error| SourceError::Unreadable {
        place: KeySource::File(path.to_owned()),
        reason: error.to_string(),
    })?;
    let mode = metadata.permissions().mode() & 0o777;
    let of_others = mode & 0o077;
    if of_others == 0 {
        Ok(())
    } else {
        Err(SourceError::NotOwnerOnly {
            path: path.to_owned(),
            mode,
        })
    }
}

/// Windows has no such mode; who may read is a matter of the folder's list.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the other systems do refuse")]
fn only_the_owner_reads(_: &File, _: &Path) -> Result<(), SourceError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    fn key_in(path: &Path) -> Key {
        let key = Key::generate();
        std::fs::write(path, format!("{}\n", key.to_line().expose_secret())).unwrap();
        #[cfg(unix)]
        chmod(path, 0o600);
        key
    }

    #[cfg(unix)]
    fn chmod(path: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_first_place_wins() {
        let folder = tempfile::tempdir().unwrap();
        let credential = key_in(&folder.path().join(CREDENTIAL));
        let file = key_in(&folder.path().join("key"));
        let value = Key::generate();
        let mut places = KeyPlaces {
            credentials_directory: Some(folder.path().to_owned()),
            key_file: Some(folder.path().join("key")),
            key_value: Some(value.to_line()),
        };
        let found = |places: &KeyPlaces| {
            read(places)
                .unwrap()
                .map(|(keys, place)| (keys.primary().kid(), place))
        };
        let path = folder.path().join(CREDENTIAL);
        assert_eq!(
            found(&places),
            Some((credential.kid(), KeySource::Credential(path.clone())))
        );
        std::fs::remove_file(path).unwrap();
        assert_eq!(
            found(&places),
            Some((file.kid(), KeySource::File(folder.path().join("key"))))
        );
        places.key_file = None;
        assert_eq!(found(&places), Some((value.kid(), KeySource::Environment)));
        places.key_value = None;
        assert_eq!(found(&places), None);
    }

    #[test]
    fn a_place_that_is_given_but_bad_is_not_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let places = |path: PathBuf| KeyPlaces {
            key_file: Some(path),
            key_value: Some(Key::generate().to_line()),
            ..KeyPlaces::default()
        };
        let missing = read(&places(folder.path().join("none"))).unwrap_err();
        assert!(matches!(missing, SourceError::Unreadable { .. }));
        let path = folder.path().join("key");
        key_in(&path);
        std::fs::write(&path, "no key at all").unwrap();
        let bad = read(&places(path)).unwrap_err();
        assert!(matches!(bad, SourceError::NotAKey { .. }));
        assert!(!bad.to_string().contains("no key at all"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        key_in(&path);
        let places = KeyPlaces {
            key_file: Some(path.clone()),
            ..KeyPlaces::default()
        };
        for mode in [0o644, 0o640, 0o604, 0o660] {
            chmod(&path, mode);
            assert_eq!(
                read(&places).unwrap_err(),
                SourceError::NotOwnerOnly {
                    path: path.clone(),
                    mode
                }
            );
        }
        chmod(&path, 0o400);
        assert!(read(&places).unwrap().is_some());
    }

    #[test]
    fn places_do_not_print_the_key() {
        let key = Key::generate();
        let places = KeyPlaces {
            key_value: Some(key.to_line()),
            ..KeyPlaces::default()
        };
        assert!(!format!("{places:?}").contains(key.to_line().expose_secret()));
    }
}
