//! `cargo xtask soak`: the same tests at full size, and what they printed kept in docs/proof/.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::process::{Followed, built, command, follow, heading, output, root, target_dir, variable};
use crate::report::{Counts, Outcome, Report, read_closing_line};
use crate::test::{NO_CHROMIUM, forget, rust_tests, ui_end_to_end, window_tests};
use crate::tools::{self, Need};
use crate::{bench, build, bundle, junit, ui};

/// What a soak runs.
enum Kind {
    /// Rust tests by a nextest filter, one at a time where figures are measured, and on the release build of
    /// the command where its work is what is watched.
    Rust {
        filter: &'static str,
        alone: bool,
        shipped: bool,
    },
    /// The pages in Chromium: one chapter on a release build, where figures are measured, or all of them.
    Pages { chapter: Option<&'static str> },
    /// The real window.
    Window,
    /// Ratios and latencies in release builds.
    Bench,
    /// Release build and packages.
    Packages,
}

struct Soak {
    name: &'static str,
    about: &'static str,
    kind: Kind,
}

const SOAKS: &[Soak] = &[
    Soak {
        name: "kills",
        about: "kill -9 at random moments of a scrape: nothing lost, nothing doubled",
        kind: Kind::Rust {
            filter: "test(/kills_cost/)",
            // Counted, not timed: both targets at once.
            alone: false,
            shipped: true,
        },
    },
    Soak {
        name: "memory",
        about: "a long scrape keeps its memory flat",
        kind: Kind::Rust {
            filter: "test(/memory/)",
            alone: true,
            shipped: true,
        },
    },
    Soak {
        name: "sessions",
        about: "hostile session files, sealing both ways with Python, rotations that are killed",
        kind: Kind::Rust {
            filter: "package(gleaner-vault) | test(/mutations::/) | test(/a_rotation_that_is/)",
            alone: false,
            shipped: false,
        },
    },
    Soak {
        name: "rust",
        about: "every other Rust test",
        kind: Kind::Rust {
            filter: "not (test(/kills_cost/) | test(/memory/) | package(gleaner-vault) | test(/mutations::/) | test(/a_rotation_that_is/))",
            alone: false,
            shipped: false,
        },
    },
    Soak {
        name: "ui",
        about: "every journey through the pages, in Chromium",
        kind: Kind::Pages { chapter: None },
    },
    Soak {
        name: "ui-10000",
        about: "ten thousand sources open and filter, in a release build",
        kind: Kind::Pages {
            chapter: Some("many"),
        },
    },
    Soak {
        name: "window",
        about: "the real window",
        kind: Kind::Window,
    },
    Soak {
        name: "bench",
        about: "ratios and latencies",
        kind: Kind::Bench,
    },
    Soak {
        name: "packages",
        about: "release build and packages",
        kind: Kind::Packages,
    },
];

/// Names the soaks.
#[expect(clippy::unnecessary_wraps, reason = "every task returns the same")]
pub(crate) fn list() -> Result<ExitCode> {
    for soak in SOAKS {
        println!("{:<10} {}", soak.name, soak.about);
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the named soaks, or all, and adds them up.
pub(crate) fn soak(names: &[String]) -> Result<ExitCode> {
    let chosen = choose(names)?;
    tools::ensure(Need::Test)?;
    ui::build()?;
    build::everything()?;
    let mut report = Report::default();
    for soak in chosen {
        report.part(soak.name, || soak.run());
    }
    Ok(report.close())
}

fn choose(names: &[String]) -> Result<Vec<&'static Soak>> {
    if names.is_empty() {
        return Ok(SOAKS.iter().collect());
    }
    let find = |name: &String| SOAKS.iter().find(|soak| soak.name == name);
    if let Some(unknown) = names.iter().find(|name| find(name).is_none()) {
        let known: Vec<_> = SOAKS.iter().map(|soak| soak.name).collect();
        bail!("there is no soak named {unknown}; there are {}", known.join(", "));
    }
    Ok(names.iter().filter_map(find).collect())
}

impl Soak {
    fn run(&self) -> Result<Outcome> {
        match self.kind {
            Kind::Rust {
                filter,
                alone,
                shipped,
            } => {
                let mut tests = rust_tests(filter);
                if shipped {
                    build::release("gleaner-cli")?;
                    tests.env("GLEANER_BIN", built("release", "gleaner")?);
                }
                tests.args(alone.then_some("--test-threads=1"));
                self.keep_tests(tests)
            }
            Kind::Window => self.keep_tests(window_tests()),
            Kind::Pages { chapter } => {
                let Some(mut journeys) = ui_end_to_end()? else {
                    return Ok(Outcome::skipped(NO_CHROMIUM));
                };
                if chapter.is_some() {
                    build::release("gleaner-cli")?;
                    journeys.env("GLEANER_BIN", built("release", "gleaner")?);
                }
                let said = self.keep(journeys.args(chapter))?;
                let (counts, skips) = read_closing_line(&said.lines);
                Ok(Outcome::counted(said.ok, counts, skips))
            }
            Kind::Bench => {
                let lines = bench::measure()?;
                self.write(&lines)?;
                Ok(Outcome::one(true))
            }
            Kind::Packages => {
                bundle::packages()?;
                self.write(&bundle::listing()?)?;
                Ok(Outcome::one(true))
            }
        }
    }

    fn keep_tests(&self, mut tests: Command) -> Result<Outcome> {
        let account = junit::account("soak");
        forget(&account)?;
        tests.args([
            "--profile",
            "soak",
            "--color",
            "never",
            "--success-output",
            "immediate",
        ]);
        let said = self.keep(&mut tests)?;
        let (counts, skips) =
            fs::read_to_string(&account).map_or((Counts::default(), vec![]), |xml| junit::read(&xml));
        Ok(Outcome::counted(said.ok, counts, skips))
    }

    fn keep(&self, command: &mut Command) -> Result<Followed> {
        let said = follow(command.env("GLEANER_TEST_SIZE", "soak"))?;
        self.write(&said.lines)?;
        Ok(said)
    }

    fn write(&self, lines: &[String]) -> Result<()> {
        let path = format!("docs/proof/{}.txt", self.name);
        let mut text = format!("{}: {}\n{}\n\n", self.name, self.about, circumstances());
        let places = places()?;
        for line in lines {
            writeln!(text, "{}", without_places(line, &places)).expect("a String takes every write");
        }
        fs::create_dir_all("docs/proof")?;
        fs::write(&path, text).with_context(|| path.clone())?;
        heading(&format!("kept in {path}"));
        Ok(())
    }
}

/// What the figures were measured on.
fn circumstances() -> String {
    let commit = output(command("git").args(["describe", "--always", "--dirty"]))
        .unwrap_or_else(|| "no commit".into());
    let compiler = output(command("rustc").arg("--version")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!(
        "commit {commit}, {compiler}, {cores} cores, {}",
        std::env::consts::OS
    )
}

/// Folders of this machine that must not end up in the repository, longest first.
fn places() -> Result<Vec<(String, &'static str)>> {
    let mut places = vec![
        (target_dir()?.to_string_lossy().into_owned(), "target"),
        (root().to_string_lossy().into_owned(), "."),
    ];
    places.extend(variable("HOME").map(|home| (home, "~")));
    places.sort_by_key(|(place, _)| std::cmp::Reverse(place.len()));
    Ok(places)
}

fn without_places(line: &str, places: &[(String, &str)]) -> String {
    places
        .iter()
        .fold(line.to_owned(), |line, (place, name)| line.replace(place, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_names_all_run() {
        assert_eq!(choose(&[]).unwrap().len(), SOAKS.len());
    }

    #[test]
    fn an_unknown_name_is_refused_with_those_there_are() {
        let error = choose(&["kils".to_owned()]).err().unwrap().to_string();
        assert!(error.contains("kils") && error.contains("kills"), "{error}");
    }

    #[test]
    fn a_proof_names_no_folder_of_this_machine() {
        let places = [
            ("/home/ada/gleaner/target".to_owned(), "target"),
            ("/home/ada/gleaner".to_owned(), "."),
        ];
        let line = "ran /home/ada/gleaner/target/debug/x in /home/ada/gleaner";
        assert_eq!(without_places(line, &places), "ran target/debug/x in .");
    }
}
