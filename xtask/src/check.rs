//! `cargo xtask check`: everything that judges the text of the project without running it.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::build::over_the_house;
use crate::process::{cargo, succeeds};
use crate::report::{Counts, Outcome, Report};
use crate::tools::{self, Need};
use crate::{laws, ui};

/// Runs every check and adds them up.
pub(crate) fn check() -> Result<ExitCode> {
    tools::ensure(Need::Build)?;
    let mut report = Report::default();
    parts(&mut report);
    Ok(report.close())
}

/// The checks, cheapest first.
pub(crate) fn parts(report: &mut Report) {
    report.part("rustfmt", || one(&mut cargo(["fmt", "--all", "--check"])));
    report.part("laws", || Ok(judge()));
    let ui_installed = report.part("ui packages", || ui::install().map(|()| Outcome::one(true)));
    if ui_installed {
        report.part("svelte-check", || one(&mut ui::npm(["run", "--silent", "check"])));
        report.part("eslint, prettier", || {
            one(&mut ui::npm(["run", "--silent", "lint"]))
        });
    }
    report.part("clippy", || {
        let house = succeeds(over_the_house(["clippy"]).args(["--all-targets", "--", "-D", "warnings"]))?;
        let runner = succeeds(&mut cargo([
            "clippy",
            "--locked",
            "--package",
            "xtask",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))?;
        Ok(Outcome::one(house && runner))
    });
}

fn one(command: &mut Command) -> Result<Outcome> {
    succeeds(command).map(Outcome::one)
}

fn judge() -> Outcome {
    let verdicts = laws::judge();
    let mut counts = Counts::default();
    for verdict in &verdicts {
        match &verdict.broken {
            Ok(broken) if broken.is_empty() => counts.passed += 1,
            Ok(broken) => {
                counts.failed += 1;
                println!("broken: {}", verdict.law);
                for line in broken {
                    println!("    {line}");
                }
            }
            Err(error) => {
                counts.failed += 1;
                println!("cannot judge: {}: {error:#}", verdict.law);
            }
        }
    }
    println!("{} laws judged", verdicts.len());
    Outcome::counted(counts.failed == 0, counts, vec![])
}
