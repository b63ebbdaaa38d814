//! What may stand in the files: names, sizes, and what would open a door to hostile text.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};

use super::Verdict;

/// A source file.
#[derive(Debug)]
struct Source {
    /// From the repository's root, with forward slashes.
    path: String,
    text: String,
}

/// Where sources lie.
const PLACES: &[&str] = &[
    "crates",
    "src-tauri",
    "xtask",
    "e2e",
    "ui/src",
    "migrations",
    "benches",
];
/// Folders in them that hold no sources of ours.
const NOT_OURS: &[&str] = &["node_modules", "target", "build", ".svelte-kit", "results"];

/// Files a law does not hold for, each with its reason.
const EXEMPT: &[(LawName, &str, &str)] = &[(
    LawName::Size,
    "ui/src/lib/api/schema.ts",
    "generated from contract/openapi.json",
)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LawName {
    Names,
    TauriInUi,
    Html,
    StyleAttribute,
    Size,
    Dates,
}

struct Law {
    name: LawName,
    text: &'static str,
    broken: fn(&Source) -> Vec<String>,
}

const LAWS: &[Law] = &[
    Law {
        name: LawName::Names,
        text: "no file or folder has a name that says nothing (core, common, util, helper, manager)",
        broken: empty_name,
    },
    Law {
        name: LawName::TauriInUi,
        text: "@tauri-apps is imported only under ui/src/lib/api and ui/src/lib/host",
        broken: tauri_in_ui,
    },
    Law {
        name: LawName::Html,
        text: "the UI writes text, never HTML",
        broken: raw_html,
    },
    Law {
        name: LawName::StyleAttribute,
        text: "no style attribute in a component: the CSP refuses it",
        broken: style_attribute,
    },
    Law {
        name: LawName::Size,
        text: "no source file is longer than 600 lines",
        broken: too_long,
    },
    Law {
        name: LawName::Dates,
        text: "a migration's name begins with its date",
        broken: undated_migration,
    },
];

/// Judges every law about files.
pub(crate) fn judge() -> Vec<Verdict> {
    let sources = PLACES.iter().try_fold(Vec::new(), |mut sources, place| {
        collect(Path::new(place), &mut sources)?;
        Ok(sources)
    });
    LAWS.iter()
        .map(|law| Verdict {
            law: law.text,
            broken: law.judge(sources.as_deref()),
        })
        .collect()
}

impl Law {
    fn judge(&self, sources: Result<&[Source], &anyhow::Error>) -> Result<Vec<String>> {
        let sources = sources.map_err(|error| anyhow!("{error:#}"))?;
        let held = sources.iter().filter(|source| !self.exempts(source));
        Ok(held.flat_map(|source| (self.broken)(source)).collect())
    }

    fn exempts(&self, source: &Source) -> bool {
        EXEMPT
            .iter()
            .any(|(law, path, _reason)| *law == self.name && *path == source.path)
    }
}

fn collect(place: &Path, into: &mut Vec<Source>) -> Result<()> {
    let Ok(entries) = fs::read_dir(place) else {
        return Ok(());
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !NOT_OURS.contains(&&*name) {
            collect(&path, into)?;
        } else if ["rs", "svelte", "ts", "js", "mjs", "sql", "css"]
            .iter()
            .any(|kind| path.extension() == Some(kind.as_ref()))
        {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            into.push(Source {
                path: path.to_string_lossy().replace('\\', "/"),
                text,
            });
        }
    }
    Ok(())
}

fn empty_name(source: &Source) -> Vec<String> {
    const SAY_NOTHING: &[&str] = &[
        "core", "common", "util", "utils", "helper", "helpers", "manager", "managers", "misc",
    ];
    let says_nothing = |part: &&str| {
        let stem = part.split('.').next().unwrap_or(part).to_lowercase();
        SAY_NOTHING.contains(&stem.as_str())
    };
    source
        .path
        .split('/')
        .find(says_nothing)
        .map(|_| source.path.clone())
        .into_iter()
        .collect()
}

fn tauri_in_ui(source: &Source) -> Vec<String> {
    let allowed = ["ui/src/lib/api/", "ui/src/lib/host/"];
    if !source.path.starts_with("ui/src/") || allowed.iter().any(|place| source.path.starts_with(place)) {
        return vec![];
    }
    lines(source, |line| line.contains("@tauri-apps/"))
}

fn raw_html(source: &Source) -> Vec<String> {
    const DOORS: &[&str] = &[
        "{@html",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
    ];
    if !source.path.starts_with("ui/src/") {
        return vec![];
    }
    lines(source, |line| DOORS.iter().any(|door| line.contains(door)))
}

fn style_attribute(source: &Source) -> Vec<String> {
    if !has_extension(source, &["svelte"]) {
        return vec![];
    }
    // `style:width={…}` goes through the CSSOM, which the CSP lets pass.
    lines(source, |line| {
        ["style=\"", "style='", "style={", "style=`"].iter().any(|form| {
            line.match_indices(form)
                .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "-_.$:".contains(c)))
        })
    })
}

fn too_long(source: &Source) -> Vec<String> {
    const MOST: usize = 600;
    let count = source.text.lines().count();
    let counts = has_extension(source, &["rs", "svelte", "ts", "mjs"]) && !source.path.ends_with(".d.ts");
    if counts && count > MOST {
        vec![format!("{}: {count} lines", source.path)]
    } else {
        vec![]
    }
}

fn undated_migration(source: &Source) -> Vec<String> {
    let Some(name) = source
        .path
        .strip_prefix("migrations/")
        .and_then(|path| path.rsplit('/').next())
    else {
        return vec![];
    };
    if is_dated(name) {
        vec![]
    } else {
        vec![source.path.clone()]
    }
}

/// `20261122_…` or `20261122170000_…`.
fn is_dated(name: &str) -> bool {
    let digits = name.split('_').next().unwrap_or_default();
    let number = |from: usize, to: usize| {
        digits
            .get(from..to)
            .and_then(|part| part.parse::<u32>().ok())
            .unwrap_or(0)
    };
    matches!(digits.len(), 8 | 14)
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && number(0, 4) >= 2025
        && (1..=12).contains(&number(4, 6))
        && (1..=31).contains(&number(6, 8))
}

fn has_extension(source: &Source, kinds: &[&str]) -> bool {
    Path::new(&source.path)
        .extension()
        .is_some_and(|found| kinds.iter().any(|kind| found == *kind))
}

fn lines(source: &Source, broken: impl Fn(&str) -> bool) -> Vec<String> {
    let found = source.text.lines().enumerate().filter(|(_, line)| broken(line));
    found
        .map(|(at, line)| format!("{}:{}: {}", source.path, at + 1, line.trim()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn names_that_say_nothing_are_found_in_files_and_folders() {
        for path in [
            "crates/app/src/utils.rs",
            "ui/src/lib/common/x.ts",
            "crates/core/src/lib.rs",
            "a/helper.test.ts",
        ] {
            assert_eq!(empty_name(&source(path, "")), [path]);
        }
        assert!(empty_name(&source("crates/app/src/scorecard.rs", "")).is_empty());
    }

    #[test]
    fn tauri_has_two_doors_in_the_ui() {
        let import = "import { invoke } from '@tauri-apps/api/core';";
        assert!(tauri_in_ui(&source("ui/src/lib/api/tauri.ts", import)).is_empty());
        assert_eq!(
            tauri_in_ui(&source("ui/src/routes/+page.svelte", import)).len(),
            1
        );
    }

    #[test]
    fn html_is_found_with_its_line() {
        let page = source("ui/src/routes/+page.svelte", "<p>\n  {@html text}\n</p>");
        assert_eq!(raw_html(&page), ["ui/src/routes/+page.svelte:2: {@html text}"]);
    }

    #[test]
    fn a_style_attribute_is_told_from_a_style_directive() {
        let broken = |line: &str| !style_attribute(&source("ui/src/a.svelte", line)).is_empty();
        assert!(broken(r#"<p style="color: red">"#));
        assert!(broken("<p style={colour}>"));
        assert!(!broken("<p style:width={`${share}%`}>"));
        assert!(!broken(r#"<Chart lineStyle="bold" bar-style="x">"#));
    }

    #[test]
    fn only_sources_have_a_length() {
        let long = "x\n".repeat(601);
        assert_eq!(too_long(&source("a.rs", &long)), ["a.rs: 601 lines"]);
        assert!(too_long(&source("a.sql", &long)).is_empty());
        assert!(too_long(&source("a.d.ts", &long)).is_empty());
    }

    #[test]
    fn a_migration_carries_a_date_that_exists() {
        assert!(is_dated("20261122_sources.sql"));
        assert!(is_dated("20261122170000_sources.sql"));
        for name in [
            "0001_sources.sql",
            "20261322_sources.sql",
            "sources.sql",
            "2026112_sources.sql",
        ] {
            assert!(!is_dated(name), "{name}");
        }
    }

    #[test]
    fn every_exemption_has_a_reason() {
        assert!(
            EXEMPT
                .iter()
                .all(|(_, path, reason)| !path.is_empty() && !reason.is_empty())
        );
    }
}
