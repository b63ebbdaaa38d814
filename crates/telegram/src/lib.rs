//! Telegram through grammers: login, session files, the account behind a session.

pub mod data_centres;
pub mod export;
mod imported;
mod keys;
pub mod session_file;
pub mod session_string;

pub use imported::{FieldError, Imported, Origin};
pub use keys::{AuthKey, AuthKeyError, AuthKeyId, BlobError, SessionKeys};
