//! The simulated worlds, seen from outside: over HTTP.

mod control;
mod faults;
mod kinds;
mod s3;
mod site;
mod web;
