//! The engine over worlds of its own: a scripted history, an archive in memory.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod engine;
mod reader;
mod world;
