//! Seals, opens and stores secrets. The only crate that does.
//!
//! [`KeyHome::open`] finds the workspace's [`Keys`] (a file on a machine without a desk, else the
//! keyring of the operating system), holds them against the check rows of the database and gives the
//! [`Vault`], which seals and opens. A first run founds the key; a [`recovery`] file brings it back.
//! Nothing here prints a key, writes one to a disk in clear, or makes a new one while anything
//! sealed exists. Absent on purpose: the database's rows and transactions (`store`), the environment
//! (`app`), the wall clock.
//!
//! # Read by others
//! Every token is a plain Fernet token of a plain Fernet key, so Python reads it:
//!
//! ```python
//! from cryptography.fernet import Fernet
//! Fernet(key).decrypt(token)
//! ```
//!
//! What stands beside a token is made of the same key:
//!
//! ```python
//! raw = base64.urlsafe_b64decode(key)
//! kid = hashlib.sha256(b"gleaner-kid\0" + raw).hexdigest()[:8]
//! mac_key = hmac.digest(raw, b"gleaner-mac:v1", "sha256")
//! mac = hmac.digest(mac_key, binding + b"\0" + plaintext, "sha256").hex()
//! ```

pub mod check;
mod codec;
mod error;
pub mod key;
pub mod keyring;
pub mod keys;
mod opening;
pub mod recovery;
pub mod rotation;
pub mod seal;
pub mod source;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod vault;

pub use check::{KeyRow, KeyRowState, Ledger};
pub use error::{KeyError, KeyState};
pub use key::{Key, KeyParseError, Kid};
pub use keyring::{Keyring, KeyringError};
pub use keys::Keys;
pub use opening::{KeyHome, Opened};
pub use recovery::RecoveryError;
pub use seal::{OpenError, Sealed};
pub use source::{KeyPlaces, KeySource, SourceError};
pub use vault::Vault;
