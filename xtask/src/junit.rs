//! Reads the JUnit file nextest leaves, to tell a test that passed from one that only said SKIPPED.
//!
//! No XML parser: the text between two `<testcase ` is one test, since nextest escapes every `<` of
//! what tests print.

use std::path::PathBuf;

use crate::report::{Counts, tidy};

/// Where nextest leaves its account of a run with this profile, as .config/nextest.toml says.
pub(crate) fn account(profile: &str) -> PathBuf {
    PathBuf::from(format!("target/nextest/{profile}/junit.xml"))
}

/// Counts the tests of a JUnit file, and names those that skipped themselves, with their reasons.
pub(crate) fn read(xml: &str) -> (Counts, Vec<String>) {
    let mut counts = Counts::default();
    let mut skips = Vec::new();
    for case in xml.split("<testcase ").skip(1) {
        let case = case.split("</testcase>").next().unwrap_or(case);
        if case.contains("<failure") || case.contains("<error") {
            counts.failed += 1;
        } else if let Some(reason) = said_skipped(case) {
            counts.skipped += 1;
            skips.push(format!("{}: {reason}", name(case)));
        } else {
            counts.passed += 1;
        }
    }
    (counts, skips)
}

fn said_skipped(case: &str) -> Option<String> {
    let printed = case.split_once("<system-")?.1;
    let lines = printed
        .lines()
        .map(|line| line.trim_start_matches("out>").trim_start_matches("err>"));
    let reason = lines
        .map(str::trim)
        .find_map(|line| line.strip_prefix("SKIPPED"))?;
    Some(plain(&tidy(reason.split("</system-").next().unwrap_or(reason))))
}

fn name(case: &str) -> &str {
    case.split_once("name=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("?", |(name, _)| name)
}

fn plain(escaped: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(escaped.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"<testsuites name="nextest-run"><testsuite name="a::it">
        <testcase name="adds_up" classname="a::it" time="0.1"></testcase>
        <testcase name="breaks" classname="a::it"><failure message="x">SKIPPED is not said here</failure></testcase>
        <testcase name="needs_a_thing" classname="a::it">
            <system-out>
running 1 test
SKIPPED: no &lt;thing&gt; here
test needs_a_thing ... ok
</system-out></testcase>
        <testcase name="mentions" classname="a::it"><system-out>it was not SKIPPED</system-out></testcase>
    </testsuite></testsuites>"#;

    #[test]
    fn a_test_that_says_skipped_is_not_counted_as_passed() {
        let (counts, skips) = read(FILE);
        assert_eq!(
            counts,
            Counts {
                passed: 2,
                failed: 1,
                skipped: 1
            }
        );
        assert_eq!(skips, ["needs_a_thing: no <thing> here"]);
    }

    #[test]
    fn an_empty_file_counts_nothing() {
        assert_eq!(read("<testsuites></testsuites>").0, Counts::default());
    }
}
