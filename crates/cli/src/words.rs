//! What happened, in words.

use chrono::{DateTime, Utc};
use gleaner_app::view::{CodeDelivery, RunRow};
use gleaner_domain::{HistoryStart, RunCounts, RunState, Schedule, TargetSettings};
use indicatif::HumanCount;

const NOTHING: &str = "nothing new";

/// `3 new messages, 1 edited, 2 files (1.2 MB)` or `nothing new`.
pub(crate) fn news(counts: &RunCounts) -> String {
    let mut parts = Vec::new();
    let mut say = |count: u64, text: String| {
        if count > 0 {
            parts.push(text);
        }
    };
    let c = counts;
    say(
        c.messages,
        format!("{} new {}", HumanCount(c.messages), plural(c.messages, "message")),
    );
    say(c.edited, format!("{} edited", HumanCount(c.edited)));
    say(c.gone, format!("{} deleted by the channel", HumanCount(c.gone)));
    say(
        c.files,
        format!(
            "{} {} ({})",
            HumanCount(c.files),
            plural(c.files, "file"),
            bytes(c.file_bytes)
        ),
    );
    say(
        c.files_failed,
        format!(
            "{} {} failed",
            HumanCount(c.files_failed),
            plural(c.files_failed, "file")
        ),
    );
    if parts.is_empty() {
        NOTHING.to_owned()
    } else {
        parts.join(", ")
    }
}

/// Where a code was sent, to be put behind a sentence.
pub(crate) fn delivery(delivery: Option<CodeDelivery>) -> &'static str {
    match delivery {
        Some(CodeDelivery::App) => ", to the Telegram app of another device",
        Some(CodeDelivery::Sms) => ", as a text message",
        Some(CodeDelivery::Call) => ", in a call",
        Some(CodeDelivery::MissedCall) => ", as the number of a missed call",
        Some(CodeDelivery::Email) => ", by mail",
        Some(CodeDelivery::Fragment) => ", on fragment.com",
        Some(CodeDelivery::Other) | None => "",
    }
}

/// How a run ended, and what it brought.
pub(crate) fn outcome(run: &RunRow) -> String {
    let news = match news(&run.counts) {
        some if some == NOTHING => String::new(),
        some => format!(" ({some})"),
    };
    let detail = run.detail.as_deref().unwrap_or("no reason was given");
    match run.state {
        RunState::Completed => self::news(&run.counts),
        RunState::Paused => match run.paused_until {
            Some(until) => format!("paused until {}: {detail}{news}", time(until)),
            None => format!("paused: {detail}{news}"),
        },
        RunState::Cancelled => format!("cancelled{news}"),
        RunState::Failed => format!("failed: {detail}{news}"),
        RunState::Queued => "queued".to_owned(),
        RunState::Running => "running".to_owned(),
    }
}

/// `1.2 MB`, in steps of a thousand as disks are sold.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1_000.0;
    let mut unit = 0;
    // 999.95 would print as 1000.0.
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A time without what nobody reads.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

pub(crate) fn schedule(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Interval { minutes } if minutes % 1_440 == 0 => format!("every {} d", minutes / 1_440),
        Schedule::Interval { minutes } if minutes % 60 == 0 => format!("every {} h", minutes / 60),
        Schedule::Interval { minutes } => format!("every {minutes} min"),
        Schedule::Cron { pattern, zone } => format!("{pattern} ({zone})"),
        Schedule::Manual => "manual".to_owned(),
    }
}

pub(crate) fn history(start: HistoryStart) -> String {
    match start {
        HistoryStart::All => "all".to_owned(),
        HistoryStart::Now => "from when it was added".to_owned(),
        HistoryStart::Since { date } => format!("since {date}"),
    }
}

pub(crate) fn place(settings: &TargetSettings) -> String {
    match settings {
        TargetSettings::Local { path } | TargetSettings::Nas { path } => path.display().to_string(),
        TargetSettings::S3 {
            bucket,
            prefix,
            endpoint,
            ..
        } => {
            let key = if prefix.is_empty() {
                String::new()
            } else {
                format!("/{prefix}")
            };
            let at = endpoint
                .as_ref()
                .map(|endpoint| format!(" at {endpoint}"))
                .unwrap_or_default();
            format!("s3://{bucket}{key}{at}")
        }
    }
}

fn plural(count: u64, word: &str) -> String {
    if count == 1 {
        word.to_owned()
    } else {
        format!("{word}s")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn news_are_said_as_a_person_would() {
        let some = RunCounts {
            messages: 3,
            edited: 1,
            files: 2,
            file_bytes: 1_200_000,
            ..RunCounts::default()
        };
        assert_eq!(news(&some), "3 new messages, 1 edited, 2 files (1.2 MB)");
        let one = RunCounts {
            messages: 1,
            files: 1,
            file_bytes: 5,
            ..RunCounts::default()
        };
        assert_eq!(news(&one), "1 new message, 1 file (5 B)");
        let many = RunCounts {
            messages: 12_345,
            ..RunCounts::default()
        };
        assert_eq!(news(&many), "12,345 new messages");
    }

    #[test]
    fn pages_and_samples_are_no_news() {
        let quiet = RunCounts {
            pages: 7,
            samples: 90,
            page_bytes: 1_000,
            ..RunCounts::default()
        };
        assert_eq!(news(&quiet), "nothing new");
    }

    #[rstest]
    #[case(0, "0 B")]
    #[case(999, "999 B")]
    #[case(1_000, "1.0 kB")]
    #[case(999_949, "999.9 kB")]
    #[case(999_960, "1.0 MB")]
    #[case(12_500_000_000, "12.5 GB")]
    fn sizes_fit_a_line(#[case] size: u64, #[case] text: &str) {
        assert_eq!(bytes(size), text);
    }
}
