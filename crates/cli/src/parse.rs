//! Words of the command line, parsed once into what they mean.

use gleaner_domain::{HistoryStart, TargetKind};

use crate::args::day;

/// A cap of bytes; `None` lifts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cap(pub(crate) Option<u64>);

/// `LOCAL`, `NAS`, `S3`, in any case.
pub(crate) fn target_kind(text: &str) -> Result<TargetKind, &'static str> {
    text.to_uppercase()
        .parse()
        .map_err(|()| "must be LOCAL, NAS or S3")
}

/// `15m`, `2h`, `1d`, or minutes alone.
pub(crate) fn minutes(text: &str) -> Result<u32, &'static str> {
    const WRONG: &str = "must be a time such as 15m, 2h or 1d, at most 31 days";
    let (number, unit) = split_unit(text);
    let each = match unit {
        "" | "m" | "min" => 1,
        "h" => 60,
        "d" => 24 * 60,
        _ => return Err(WRONG),
    };
    let minutes = number
        .parse::<u32>()
        .ok()
        .and_then(|n| n.checked_mul(each))
        .ok_or(WRONG)?;
    if (1..=31 * 24 * 60).contains(&minutes) {
        Ok(minutes)
    } else {
        Err(WRONG)
    }
}

/// `all`, `now` or a day.
pub(crate) fn history(text: &str) -> Result<HistoryStart, &'static str> {
    match text {
        "all" => Ok(HistoryStart::All),
        "now" => Ok(HistoryStart::Now),
        other => day(other)
            .map(|date| HistoryStart::Since { date })
            .ok_or("must be all, now or a day such as 2025-01-31"),
    }
}

/// `500MB`, `2GB`, `none`.
pub(crate) fn cap(text: &str) -> Result<Cap, &'static str> {
    const WRONG: &str = "must be a size such as 500MB or 2GB, or none";
    if text == "none" {
        return Ok(Cap(None));
    }
    let (number, unit) = split_unit(text);
    let each: u64 = match unit.to_uppercase().as_str() {
        "" | "B" => 1,
        "KB" | "K" => 1_000,
        "MB" | "M" => 1_000_000,
        "GB" | "G" => 1_000_000_000,
        "TB" | "T" => 1_000_000_000_000,
        _ => return Err(WRONG),
    };
    let bytes = number.parse::<u64>().ok().and_then(|n| n.checked_mul(each));
    bytes
        .filter(|bytes| *bytes > 0)
        .map(|bytes| Cap(Some(bytes)))
        .ok_or(WRONG)
}

fn split_unit(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("15m", Some(15))]
    #[case("15", Some(15))]
    #[case("2h", Some(120))]
    #[case("31d", Some(44_640))]
    #[case("32d", None)]
    #[case("0m", None)]
    #[case("m", None)]
    #[case("-5m", None)]
    #[case("1w", None)]
    #[case("99999999999d", None)]
    fn times_are_minutes(#[case] text: &str, #[case] expected: Option<u32>) {
        assert_eq!(minutes(text).ok(), expected);
    }

    #[rstest]
    #[case("none", Some(Cap(None)))]
    #[case("500MB", Some(Cap(Some(500_000_000))))]
    #[case("2 gb", Some(Cap(Some(2_000_000_000))))]
    #[case("1000", Some(Cap(Some(1_000))))]
    #[case("0", None)]
    #[case("many", None)]
    #[case("99999999999999TB", None)]
    fn caps_are_bytes(#[case] text: &str, #[case] expected: Option<Cap>) {
        assert_eq!(cap(text).ok(), expected);
    }

    #[rstest]
    #[case("all", true)]
    #[case("now", true)]
    #[case("2025-01-31", true)]
    #[case("2025-02-30", false)]
    #[case("yesterday", false)]
    fn history_starts_at_a_day(#[case] text: &str, #[case] good: bool) {
        assert_eq!(history(text).is_ok(), good);
    }
}
