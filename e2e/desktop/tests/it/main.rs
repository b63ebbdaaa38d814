//! The real program in a real window: what only that can show.
//!
//! [`stage`] gives each test a display, a bus, a home and a simulated Telegram of its own;
//! [`page`] finds things by what a person reads, [`portal`] answers the dialogs of the desktop. What the pages do in detail is tested in
//! Chromium (`e2e/ui`), what the app does in its own crates.

#![expect(clippy::print_stdout, reason = "a test that cannot run here says so")]

mod journey;
mod page;
mod portal;
mod process;
mod session_files;
mod sessions;
mod stage;
mod walls;
