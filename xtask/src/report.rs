//! Adding up: every part of a run with its time, what it counted, and what was left out and why.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::process::heading;

/// How many of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

/// What came of a part.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) counts: Counts,
    /// What did not run, each with its reason.
    pub(crate) skips: Vec<String>,
}

impl Outcome {
    /// One check, passed or failed.
    pub(crate) fn one(ok: bool) -> Self {
        Self {
            counts: Counts {
                passed: usize::from(ok),
                failed: usize::from(!ok),
                skipped: 0,
            },
            skips: vec![],
        }
    }

    /// One part that cannot run here.
    pub(crate) fn skipped(why: impl Into<String>) -> Self {
        Self {
            counts: Counts {
                skipped: 1,
                ..Counts::default()
            },
            skips: vec![why.into()],
        }
    }

    /// A part that counted its own tests. A failure it did not count is counted here, and a part
    /// that ran nothing has failed: silence is not success.
    pub(crate) fn counted(ok: bool, mut counts: Counts, skips: Vec<String>) -> Self {
        let silent = counts == Counts::default();
        if (!ok && counts.failed == 0) || (ok && silent) {
            counts.failed += 1;
        }
        Self { counts, skips }
    }
}

struct Part {
    name: String,
    took: Duration,
    outcome: Outcome,
}

impl Part {
    fn word(&self) -> &'static str {
        match self.outcome.counts {
            Counts { failed: 1.., .. } => "failed",
            Counts { passed: 0, .. } => "SKIPPED",
            _ => "passed",
        }
    }
}

/// A run of many parts, in order.
#[derive(Default)]
pub(crate) struct Report {
    parts: Vec<Part>,
}

impl Report {
    /// Runs a part, whatever became of those before it; true if nothing in it failed.
    pub(crate) fn part(&mut self, name: &str, run: impl FnOnce() -> Result<Outcome>) -> bool {
        heading(name);
        let start = Instant::now();
        let outcome = run().unwrap_or_else(|error| {
            println!("{error:#}");
            Outcome::one(false)
        });
        for skip in &outcome.skips {
            println!("SKIPPED {skip}");
        }
        let ok = outcome.counts.failed == 0;
        self.parts.push(Part {
            name: name.to_owned(),
            took: start.elapsed(),
            outcome,
        });
        ok
    }

    /// Prints the table and the closing line; the exit code of the whole.
    pub(crate) fn close(&self) -> ExitCode {
        heading("summary");
        print!("{}", self.table());
        if self.total().failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    fn total(&self) -> Counts {
        self.parts
            .iter()
            .map(|part| part.outcome.counts)
            .fold(Counts::default(), |sum, one| Counts {
                passed: sum.passed + one.passed,
                failed: sum.failed + one.failed,
                skipped: sum.skipped + one.skipped,
            })
    }

    fn table(&self) -> String {
        let mut text = String::new();
        let width = self
            .parts
            .iter()
            .map(|part| part.name.chars().count())
            .max()
            .unwrap_or(0);
        for part in &self.parts {
            let Counts {
                passed,
                failed,
                skipped,
            } = part.outcome.counts;
            let (name, word, seconds) = (&part.name, part.word(), part.took.as_secs_f64());
            writeln!(
                text,
                "{name:<width$}  {word:<7}  {seconds:>7.1} s  {passed:>5} passed {failed:>4} failed {skipped:>4} skipped"
            )
            .expect("a String takes every write");
        }
        for part in &self.parts {
            for skip in &part.outcome.skips {
                writeln!(text, "SKIPPED {}: {skip}", part.name).expect("a String takes every write");
            }
        }
        let Counts {
            passed,
            failed,
            skipped,
        } = self.total();
        writeln!(text, "\n{passed} passed, {failed} failed, {skipped} skipped")
            .expect("a String takes every write");
        text
    }
}

/// The last `N passed, N failed, N skipped` among these lines, and the reasons of what was skipped.
pub(crate) fn read_closing_line(lines: &[String]) -> (Counts, Vec<String>) {
    let counts = lines
        .iter()
        .rev()
        .find_map(|line| parse_counts(line))
        .unwrap_or_default();
    let skips = lines
        .iter()
        .filter_map(|line| line.trim().strip_prefix("SKIPPED"))
        .map(tidy)
        .collect();
    (counts, skips)
}

/// What follows the word SKIPPED, without the punctuation that leads to it.
pub(crate) fn tidy(reason: &str) -> String {
    reason.trim_start_matches([':', ' ', '-', '—']).trim().to_owned()
}

fn parse_counts(line: &str) -> Option<Counts> {
    let words: Vec<_> = line
        .trim()
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .collect();
    match words[..] {
        [passed, "passed", failed, "failed", skipped, "skipped"] => Some(Counts {
            passed: passed.parse().ok()?,
            failed: failed.parse().ok()?,
            skipped: skipped.parse().ok()?,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_last_closing_line_counts() {
        let said = lines("1 passed, 0 failed, 0 skipped\nmore\n12 passed, 1 failed, 2 skipped\nbye");
        assert_eq!(
            read_closing_line(&said).0,
            Counts {
                passed: 12,
                failed: 1,
                skipped: 2
            }
        );
    }

    #[test]
    fn reasons_of_skips_are_kept() {
        let said = lines("SKIPPED: no browser\n  SKIPPED journey — no server");
        assert_eq!(read_closing_line(&said).1, ["no browser", "journey — no server"]);
    }

    #[test]
    fn a_part_that_ran_nothing_has_failed() {
        assert_eq!(Outcome::counted(true, Counts::default(), vec![]).counts.failed, 1);
    }

    #[test]
    fn an_uncounted_failure_is_counted() {
        let passed = Counts {
            passed: 3,
            ..Counts::default()
        };
        assert_eq!(
            Outcome::counted(false, passed, vec![]).counts,
            Counts {
                passed: 3,
                failed: 1,
                skipped: 0
            }
        );
    }

    #[test]
    fn a_part_that_only_skipped_does_not_read_as_passed() {
        let window = Part {
            name: "window".to_owned(),
            took: Duration::ZERO,
            outcome: Outcome::skipped("no display server"),
        };
        let report = Report { parts: vec![window] };
        let table = report.table();
        assert!(table.contains("window  SKIPPED"), "{table}");
        assert!(table.ends_with("0 passed, 0 failed, 1 skipped\n"), "{table}");
    }
}
