//! Telegram, from the outside.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod bad_files;
mod export;
mod formats;
mod hostile;
mod journals;
mod made;
mod mutations;
mod peers;
mod strings;
