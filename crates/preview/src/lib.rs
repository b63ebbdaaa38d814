//! Public channels through their t.me/s pages, behind [`gleaner_scrape::History`] and
//! [`gleaner_scrape::MediaFetcher`].
//!
//! [`parse_page`] turns one page into records and does no IO; [`PreviewClient`] fetches
//! politely and patiently; [`PreviewHistory`] and [`PreviewFiles`] are what a run sees.
//! Absent on purpose: which pages to read when (the engine's), where records go (the
//! sinks'), and everything that needs a login.

mod channel;
mod client;
mod dom;
mod files;
mod hosts;
mod landing;
mod parse;
mod patience;

pub use channel::PreviewHistory;
pub use client::{PreviewClient, PreviewConfig, PreviewSetupError};
pub use files::PreviewFiles;
pub use parse::{Header, PageError, PreviewPage, Skipped, parse_page};
