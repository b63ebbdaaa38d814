//! Building: always the same selection of packages, so that nothing is compiled twice.
//!
//! Cargo unites the features of what it is asked for together; every other selection would build
//! shared dependencies again. xtask stays out: it is running, and may not be replaced everywhere.

use std::process::Command;

use anyhow::Result;

use crate::process::{cargo, must};

/// The house without the task runner.
const HOUSE: [&str; 3] = ["--workspace", "--exclude", "xtask"];

/// `cargo <command>` over the house.
pub(crate) fn over_the_house<'a>(command: impl IntoIterator<Item = &'a str>) -> Command {
    let mut cargo = cargo(command);
    cargo.arg("--locked").args(HOUSE);
    cargo
}

/// Every program and every test, unoptimised.
pub(crate) fn everything() -> Result<()> {
    must(over_the_house(["build"]).args(["--bins", "--tests"]))
}

/// One package's programs as they are shipped.
pub(crate) fn release(package: &str) -> Result<()> {
    must(&mut cargo([
        "build",
        "--locked",
        "--release",
        "--package",
        package,
    ]))
}

/// Only these packages' programs, as a user of them would build them.
pub(crate) fn programs(packages: &[&str]) -> Result<()> {
    let mut build = cargo(["build", "--locked"]);
    for package in packages {
        build.args(["--package", package]);
    }
    must(&mut build)
}
