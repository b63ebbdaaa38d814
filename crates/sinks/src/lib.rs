//! LOCAL, NAS and S3 behind [`gleaner_scrape::Sink`], through OpenDAL.
//!
//! [`open_target`] makes a [`DalSink`] of a target's settings; [`test_target`] tries one
//! out and explains. An archive is a folder of immutable segments and one mutable file,
//! `manifest.json`, which is the truth about the rest (`docs/DATA-LAYOUT.md`). Absent on
//! purpose: what a run writes when (`scrape`), where credentials come from (`app`), the
//! wall clock.

mod archive;
mod error;
pub mod layout;
pub mod manifest;
mod merge;
mod place;
mod probe;
mod read;
mod remove;
mod s3;
mod s3_codes;
mod safe_name;
mod segment;
mod sink;
mod swap;
mod target;
mod upload;

pub use archive::DalArchive;
pub use manifest::{Manifest, Segment};
pub use probe::{TargetReport, TestStep, test_target};
pub use s3::S3Credentials;
pub use sink::DalSink;
pub use target::{open_target, reopen_target};
