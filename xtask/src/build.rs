//! Building: always the same selection of packages, so that nothing is compiled twice.
//!
//! Cargo unites the features of what it is asked for together; every other selection would build
//! shared dependencies again. xtask stays out: it is running, and may not be replaced everywhere.

use std::process::Command;

use anyhow::Result;

use crate::process::{cargo, must};

/// The house without the task runner.
const HOUSE: [&str; 5] = [
    "--workspace",
    "--exclude",
    "xtask",
    // Tests log in to the simulated Telegram. What is shipped is built without.
    "--features",
    DEMO,
];

/// Lets the programs be pointed at the simulated Telegram.
const DEMO: &str = "gleaner-cli/demo,gleaner-desktop/demo";

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

/// The programs of the demo, which may be pointed at the simulated Telegram.
pub(crate) fn demo_programs() -> Result<()> {
    must(cargo(["build", "--locked"]).args([
        "--package",
        "gleaner-desktop",
        "--package",
        "gleaner-cli",
        "--package",
        "gleaner-testkit",
        "--bins",
        "--features",
        DEMO,
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
