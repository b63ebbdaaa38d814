//! The crate from the outside: against a simulated Telegram.

mod checks;
mod desk;
mod links;
mod login;
mod qr;
mod secrets;
