//! A simulated Telegram and the other worlds tests need.
//!
//! [`world`] holds the facts (who posted what), [`preview`] shows them as t.me pages, [`telegram`]
//! over MTProto to those who log in; [`s3`] is a real S3-protocol server and [`clock`] a clock that
//! tests own. Absent: sinks in memory (they live beside the port in `sinks`) and anything a shipped
//! program would need.

pub mod clock;
pub mod control;
pub mod preview;
pub mod s3;
mod serve;
pub mod size;
pub mod telegram;
pub mod world;

pub use clock::FixedClock;
pub use control::ControlPort;
pub use preview::{Faults, PreviewSite};
pub use s3::{S3Faults, S3Server};
pub use telegram::TelegramServer;
pub use world::{ChannelSpec, Mix, Standing, World, WorldHandle};
