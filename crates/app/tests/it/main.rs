//! Stories: the whole house over a simulated Telegram, no shell.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod backfill;
mod by_the_clock;
mod data;
mod keys;
mod mending;
mod peers;
mod scheduler;
mod sessions;
mod sources;
mod story;
mod telegram_app;
mod test_app;
