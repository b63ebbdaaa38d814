//! Telegram through grammers: login, session files, the account behind a session.

pub mod data_centres;
mod keys;

pub use keys::{AuthKey, AuthKeyError, AuthKeyId, BlobError, SessionKeys};
