//! The crate from the outside: session files and strings, and logins against a simulated Telegram.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod bad_files;
mod checks;
mod desk;
mod export;
mod formats;
mod hostile;
mod journals;
mod links;
mod login;
mod made;
mod mutations;
mod peers;
mod qr;
mod secrets;
mod strings;
