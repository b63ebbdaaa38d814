//! The real binary against a simulated t.me.

mod archive;
#[cfg(all(feature = "demo", target_os = "linux"))]
mod canary;
mod desk;
mod everyday;
mod exits;
mod gleaner;
mod journey;
#[cfg(all(feature = "demo", target_os = "linux"))]
mod keyring;
mod kills;
mod memory;
mod rotation;
mod serving;
#[cfg(feature = "demo")]
mod sessions;
#[cfg(target_os = "linux")]
mod terminal;
