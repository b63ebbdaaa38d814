//! Telegram through grammers: login, session files, the account behind a session.

mod account;
mod attempt;
mod check;
mod code_sent;
mod connect;
pub mod data_centres;
#[cfg(feature = "demo")]
pub mod demo;
pub mod export;
mod failure;
mod imported;
mod keys;
mod link;
mod login;
mod login_error;
mod password;
mod patience;
mod phone;
mod probe;
mod proxy;
mod qr;
mod session;
pub mod session_file;
pub mod session_string;

pub use account::Account;
pub use attempt::Step;
pub use check::{CheckError, check, log_out};
pub use code_sent::{CodeSent, Delivery, NextDelivery};
pub use connect::{Api, Centre, Connector, DataCentres, Device, Production};
pub use failure::{Dead, Failure, Health, Refusal, Unreachable};
pub use imported::{FieldError, Imported, Origin};
pub use keys::{AuthKey, AuthKeyError, AuthKeyId, BlobError, SessionKeys};
pub use link::Link;
pub use login::Login;
pub use login_error::{LoginError, NotSupported};
pub use patience::Patience;
pub use proxy::{Proxy, ProxyError};
pub use qr::{QrLogin, QrStep};
