//! The store against real files in temporary folders.

mod index;
mod ledger;
mod open;
mod planning;
mod runs;
mod shared;
mod sources;
mod targets;
mod world;
