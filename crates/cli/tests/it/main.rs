//! The real binary against a simulated t.me.

mod archive;
mod everyday;
mod exits;
mod gleaner;
mod journey;
mod kills;
mod memory;
mod rotation;
mod serving;
#[cfg(feature = "demo")]
mod sessions;
#[cfg(target_os = "linux")]
mod terminal;
