//! The crate against pages: real samples, broken ones, and a simulated t.me.

mod blocked;
mod canned;
mod faults;
mod files;
mod mutations;
mod reading;
mod samples;
mod site;
