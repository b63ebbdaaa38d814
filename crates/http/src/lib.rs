//! The contract's paths, and everything else a browser or a script may ask, over [`gleaner_app::App`].
//!
//! One handler per use case, some five lines each: parse, call, answer. What a request must
//! pass before it reaches a handler is in [`guard`] (Host and Origin) and [`auth`] (who asks).
//! Absent on purpose: use cases (`app`), and anything that knows storage or Telegram.

pub mod auth;
pub mod guard;
pub mod openapi;
pub mod server;
pub mod token;

mod connections;
mod contract;
mod contract_sessions;
mod data;
mod error;
mod events;
mod json;
mod pages;
mod router;
mod runs;
mod sessions;
mod settings;
mod sources;
mod targets;

pub use auth::Access;
pub use guard::Hosts;
pub use openapi::document;
pub use router::router;
pub use server::{ServeConfig, ServeError, Server};
pub use token::Token;
