//! The HTTP surface, asked from outside.

mod contract;
mod doors;
mod events;
mod forms;
mod openapi;
mod pages;
mod schemathesis;
mod server;
mod sessions;
mod signing_in;
