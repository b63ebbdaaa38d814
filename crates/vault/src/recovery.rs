//! The recovery file: the keys under a passphrase, for a new computer or a lost keyring.
//!
//! JSON that a person may look at. `argon2id(passphrase, salt)` gives 32 bytes; in padded url-safe
//! base64 they are a Fernet key, and the plaintext of `token` is the keys, comma-separated, the
//! primary first. So Python reads it too:
//!
//! ```python
//! import base64, json
//! from cryptography.fernet import Fernet
//! from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
//!
//! file = json.load(open("gleaner-recovery.json"))
//! kdf = file["kdf"]
//! key = Argon2id(salt=base64.urlsafe_b64decode(kdf["salt"]), length=32, iterations=kdf["passes"],
//!                lanes=kdf["lanes"], memory_cost=kdf["memory_kib"]).derive(passphrase.encode())
//! keys = Fernet(base64.urlsafe_b64encode(key)).decrypt(file["token"]).decode().split(",")
//! ```
//!
//! `sum` is a checksum over the rest, so that a damaged file is not taken for a wrong passphrase.

use argon2::{Algorithm, Argon2, Params, Version};
use chrono::{DateTime, SecondsFormat, Utc};
use rand::TryRng as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::codec;
use crate::key::{Key, Kid};
use crate::keys::Keys;
use crate::seal;

/// The shortest passphrase, in characters.
pub const SHORTEST_PASSPHRASE: usize = 12;

const FORMAT: &str = "gleaner-recovery/1";
const OURS: Cost = Cost {
    memory_kib: 64 * 1024,
    passes: 3,
    lanes: 1,
};
/// The longest file that is looked at, in bytes.
const LONGEST: usize = 64 * 1024;

/// Why there are no keys from a recovery file, or none into one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecoveryError {
    /// Too easy to guess.
    #[error("a passphrase has at least {SHORTEST_PASSPHRASE} characters")]
    PassphraseTooShort,
    /// Not one of our files.
    #[error("this is not a Gleaner recovery file")]
    NotARecoveryFile,
    /// A later version made it.
    #[error("this recovery file has the format {0}, which this version does not know")]
    UnknownFormat(String),
    /// It asks for more memory or time than any file of ours does.
    #[error("this recovery file asks for {what} of {asked}; at most {most} is allowed")]
    TooCostly {
        /// Which cost.
        what: &'static str,
        /// What the file says.
        asked: u32,
        /// What is allowed.
        most: u32,
    },
    /// It has changed since it was written.
    #[error("this recovery file is damaged: {0}")]
    Damaged(&'static str),
    /// The file is whole, and this is not its passphrase.
    #[error("wrong passphrase")]
    WrongPassphrase,
}

#[derive(Serialize, Deserialize)]
struct File {
    format: String,
    /// For the person who finds it.
    #[serde(default)]
    about: String,
    created_at: String,
    /// Ids of the keys inside, the primary's first.
    kids: Vec<Kid>,
    kdf: Kdf,
    token: String,
    sum: String,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    version: u32,
    #[serde(flatten)]
    cost: Cost,
    salt: String,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Only the beginning of a file of ours, to tell a later format from something else.
#[derive(Deserialize)]
struct Beginning {
    format: String,
}

/// Writes a recovery file's text. Takes a fraction of a second and 64 MiB: not for an async thread.
///
/// # Panics
/// When the operating system gives no random numbers.
pub fn export(keys: &Keys, passphrase: &SecretString, now: DateTime<Utc>) -> Result<String, RecoveryError> {
    if passphrase.expose_secret().chars().count() < SHORTEST_PASSPHRASE {
        return Err(RecoveryError::PassphraseTooShort);
    }
    let mut salt = [0; 16];
    rand::rngs::SysRng
        .try_fill_bytes(&mut salt)
        .expect("the operating system gives random numbers");
    let derived = derive(passphrase, &salt, OURS)?;
    let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
    let mut file = File {
        format: FORMAT.to_owned(),
        about: "The keys of a Gleaner workspace, sealed with a passphrase. Keep this file and the passphrase apart."
            .to_owned(),
        created_at: now.to_rfc3339_opts(SecondsFormat::Secs, true),
        kids: keys.kids(),
        kdf: Kdf {
            name: "argon2id".to_owned(),
            version: 0x13,
            cost: OURS,
            salt: codec::encode(&salt),
        },
        token: derived
            .fernet()
            .encrypt_at_time(keys.to_line().expose_secret().as_bytes(), seconds),
        sum: String::new(),
    };
    file.sum = sum(&file);
    let mut text = serde_json::to_string_pretty(&file).expect("plain fields are JSON");
    text.push('\n');
    Ok(text)
}

/// Reads the keys back. As costly as [`export`].
pub fn import(text: &str, passphrase: &SecretString) -> Result<Keys, RecoveryError> {
    let file = parse(text)?;
    let salt = codec::decode(&file.kdf.salt).filter(|salt| salt.len() >= argon2::MIN_SALT_LEN);
    let salt = salt.ok_or(RecoveryError::Damaged("its salt is not one"))?;
    let derived = derive(passphrase, &salt, file.kdf.cost)?;
    let line = seal::decrypt(derived.fernet(), &file.token).ok_or(RecoveryError::WrongPassphrase)?;
    let line = std::str::from_utf8(line.expose_secret());
    let keys = line.ok().and_then(|line| Keys::parse(line).ok());
    keys.filter(|keys| keys.kids() == file.kids)
        .ok_or(RecoveryError::Damaged("its keys are not the ones it names"))
}

/// The ids of the keys in a recovery file, the primary's first; no passphrase needed.
pub fn kids(text: &str) -> Result<Vec<Kid>, RecoveryError> {
    parse(text).map(|file| file.kids)
}

/// Everything about a file that can be judged without the passphrase.
fn parse(text: &str) -> Result<File, RecoveryError> {
    // Some editors put a mark there.
    let text = text.trim_start_matches('\u{feff}');
    if text.len() > LONGEST {
        return Err(RecoveryError::NotARecoveryFile);
    }
    let beginning: Beginning = serde_json::from_str(text).map_err(|_| RecoveryError::NotARecoveryFile)?;
    if !beginning.format.starts_with("gleaner-recovery/") {
        return Err(RecoveryError::NotARecoveryFile);
    }
    if beginning.format != FORMAT {
        return Err(RecoveryError::UnknownFormat(
            beginning.format.chars().take(40).collect(),
        ));
    }
    let file: File =
        serde_json::from_str(text).map_err(|_| RecoveryError::Damaged("a field is missing or not one"))?;
    if file.kdf.name != "argon2id" || file.kdf.version != 0x13 {
        return Err(RecoveryError::Damaged(
            "it names another way to use the passphrase",
        ));
    }
    if sum(&file) != file.sum {
        return Err(RecoveryError::Damaged("its checksum does not match"));
    }
    bounded("memory in KiB", file.kdf.cost.memory_kib, 256 * 1024)?;
    bounded("passes", file.kdf.cost.passes, 10)?;
    bounded("lanes", file.kdf.cost.lanes, 4)?;
    Ok(file)
}

fn bounded(what: &'static str, asked: u32, most: u32) -> Result<(), RecoveryError> {
    if asked > most {
        return Err(RecoveryError::TooCostly { what, asked, most });
    }
    Ok(())
}

fn derive(passphrase: &SecretString, salt: &[u8], cost: Cost) -> Result<Key, RecoveryError> {
    let refused = |_| RecoveryError::Damaged("no key can be derived with its parameters");
    let mut derived = Zeroizing::new([0; 32]);
    let params =
        Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(derived.len())).map_err(refused)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(
            passphrase.expose_secret().as_bytes(),
            salt,
            derived.as_mut_slice(),
        )
        .map_err(refused)?;
    Key::from_bytes(derived.as_slice()).map_err(|_| RecoveryError::Damaged("its key is not one"))
}

/// The first 16 hexadecimal digits of SHA-256 over the fields, one a line.
fn sum(file: &File) -> String {
    let kids: Vec<String> = file.kids.iter().map(Kid::to_string).collect();
    let Cost {
        memory_kib,
        passes,
        lanes,
    } = file.kdf.cost;
    let fields = [
        file.format.as_str(),
        file.created_at.as_str(),
        &kids.join(","),
        &format!("{memory_kib} {passes} {lanes}"),
        file.kdf.salt.as_str(),
        file.token.as_str(),
    ];
    codec::hex(&Sha256::digest(fields.join("\n").as_bytes())[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(words: &str) -> SecretString {
        SecretString::from(words)
    }

    fn exported() -> (Keys, String) {
        let keys = Keys::new(Key::generate(), [Key::generate()]);
        let now = DateTime::from_timestamp(1_760_000_000, 0).unwrap();
        let text = export(&keys, &passphrase("correct horse battery"), now).unwrap();
        (keys, text)
    }

    #[test]
    fn keys_come_back_with_their_passphrase_only() {
        let (keys, text) = exported();
        let back = import(&text, &passphrase("correct horse battery")).unwrap();
        assert_eq!(back.kids(), keys.kids());
        assert_eq!(back.to_line().expose_secret(), keys.to_line().expose_secret());
        assert_eq!(kids(&text).unwrap(), keys.kids());
        for wrong in ["correct horse batterz", "Correct horse battery", ""] {
            let error = import(&text, &passphrase(wrong)).unwrap_err();
            assert_eq!(error, RecoveryError::WrongPassphrase, "{wrong:?}");
        }
        for key in keys.iter() {
            assert!(!text.contains(key.to_line().expose_secret()));
        }
    }

    #[test]
    fn a_short_passphrase_is_refused() {
        let keys = Keys::from(Key::generate());
        let now = DateTime::UNIX_EPOCH;
        for short in ["", "elevenchars", "äöüäöüäöüäö"] {
            assert_eq!(
                export(&keys, &passphrase(short), now).unwrap_err(),
                RecoveryError::PassphraseTooShort
            );
        }
    }

    #[test]
    fn any_letter_of_the_sealed_parts_that_changed_is_damage() {
        let (keys, text) = exported();
        let file: File = serde_json::from_str(&text).unwrap();
        for part in [
            &file.token,
            &file.kdf.salt,
            &file.created_at,
            &keys.kids()[1].to_string(),
        ] {
            let mut changed = part.clone();
            let last = changed.pop().unwrap();
            changed.insert(0, last);
            let damaged = text.replace(part.as_str(), &changed);
            if damaged != text {
                let error = import(&damaged, &passphrase("correct horse battery")).unwrap_err();
                assert!(matches!(error, RecoveryError::Damaged(_)), "{part}: {error}");
            }
        }
    }

    #[test]
    fn a_hostile_file_cannot_ask_for_the_whole_memory() {
        let (_, text) = exported();
        for (field, costly) in [("memory_kib", u32::MAX), ("passes", 1_000_000), ("lanes", 17)] {
            let mut file: File = serde_json::from_str(&text).unwrap();
            match field {
                "memory_kib" => file.kdf.cost.memory_kib = costly,
                "passes" => file.kdf.cost.passes = costly,
                _ => file.kdf.cost.lanes = costly,
            }
            file.sum = sum(&file);
            let hostile = serde_json::to_string(&file).unwrap();
            let error = import(&hostile, &passphrase("correct horse battery")).unwrap_err();
            assert!(
                matches!(error, RecoveryError::TooCostly { asked, .. } if asked == costly),
                "{field}"
            );
        }
    }

    #[test]
    fn costs_of_nothing_are_damage() {
        let (_, text) = exported();
        let mut file: File = serde_json::from_str(&text).unwrap();
        file.kdf.cost.memory_kib = 0;
        file.sum = sum(&file);
        let hostile = serde_json::to_string(&file).unwrap();
        let error = import(&hostile, &passphrase("correct horse battery")).unwrap_err();
        assert!(matches!(error, RecoveryError::Damaged(_)));
    }

    #[test]
    fn other_files_say_what_they_are() {
        let any = passphrase("correct horse battery");
        for text in ["", "hello", "{}", r#"{"format": "other/1"}"#, "[1]"] {
            assert_eq!(
                import(text, &any).unwrap_err(),
                RecoveryError::NotARecoveryFile,
                "{text}"
            );
        }
        assert_eq!(
            import(r#"{"format": "gleaner-recovery/2"}"#, &any).unwrap_err(),
            RecoveryError::UnknownFormat("gleaner-recovery/2".to_owned())
        );
        let bare = import(r#"{"format": "gleaner-recovery/1"}"#, &any).unwrap_err();
        assert!(matches!(bare, RecoveryError::Damaged(_)));
    }
}
