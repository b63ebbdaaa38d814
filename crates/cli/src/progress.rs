//! Bars on a terminal, one a run.

use std::sync::Arc;

use gleaner_app::view::RunProgress;
use gleaner_domain::RunCounts;
use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::out::{Out, plain};
use crate::words;

/// What a run tells its progress to.
pub(crate) type Listener = Arc<dyn Fn(RunProgress, RunCounts) + Send + Sync>;

/// The bars of this call; none at all without a terminal.
pub(crate) struct Bars(MultiProgress);

impl Bars {
    pub(crate) fn new(out: Out) -> Self {
        let target = if out.is_lively() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self(MultiProgress::with_draw_target(target))
    }

    /// Prints something with the bars out of the way: they would be drawn over it.
    pub(crate) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }

    /// A bar for one source.
    pub(crate) fn add(&self, name: &str) -> ProgressBar {
        let style = ProgressStyle::with_template("{prefix:20!} {bar:24} {percent:>3}%  {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = self.0.add(ProgressBar::new(1).with_style(style));
        bar.set_prefix(plain(name).replace('\n', " "));
        bar.set_message("waiting");
        bar
    }
}

/// Moves a bar with its run.
pub(crate) fn listener(bar: ProgressBar) -> Listener {
    Arc::new(move |live, counts| {
        bar.set_length(live.ids_planned.max(1));
        bar.set_position(live.ids_planned.saturating_sub(live.ids_left));
        bar.set_message(message(&live, &counts));
    })
}

fn message(live: &RunProgress, counts: &RunCounts) -> String {
    let mut parts = vec![
        live.phase.clone(),
        format!("{} messages", HumanCount(counts.messages)),
    ];
    if counts.files > 0 || live.files_in_flight > 0 {
        parts.push(format!(
            "{} files ({})",
            HumanCount(counts.files),
            words::bytes(counts.file_bytes)
        ));
    }
    if live.bytes_per_s >= 1.0 {
        parts.push(format!("{}/s", words::bytes(live.bytes_per_s as u64)));
    }
    if let Some(left) = live.eta_s {
        parts.push(format!("{} left", span(left)));
    }
    parts.join(", ")
}

fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(5, "5 s")]
    #[case(61, "2 min")]
    #[case(3_700, "1 h 1 min")]
    fn time_left_is_said_roughly(#[case] seconds: u64, #[case] text: &str) {
        assert_eq!(span(seconds), text);
    }

    #[test]
    fn a_bar_says_only_what_is_known() {
        let live = RunProgress {
            phase: "backfill".to_owned(),
            ids_left: 5,
            ids_planned: 10,
            files_in_flight: 0,
            messages_per_s: 0.0,
            bytes_per_s: 0.0,
            eta_s: None,
        };
        let counts = RunCounts {
            messages: 1_234,
            ..RunCounts::default()
        };
        assert_eq!(message(&live, &counts), "backfill, 1,234 messages");
    }
}
