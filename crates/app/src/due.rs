//! When a source is due after one of its runs ended. Pure: the database asks inside the transaction
//! that ends the run, so that an edit made meanwhile counts.

use chrono::{DateTime, Utc};
use gleaner_domain::{Code, RunCounts, RunOutcome, Schedule, Source, Trigger};

/// A run that ended.
pub(crate) struct Ended<'a> {
    pub(crate) trigger: Trigger,
    pub(crate) outcome: &'a RunOutcome,
    pub(crate) counts: RunCounts,
    /// When the newest kept message was posted; known for quiet runs only.
    pub(crate) newest: Option<DateTime<Utc>>,
    pub(crate) at: DateTime<Utc>,
}

/// The due time after a run. The next one was planned when this one was queued, and mostly stays.
pub(crate) fn after_run(source: &Source, ended: &Ended<'_>) -> Option<DateTime<Utc>> {
    let plan = source.next_run_at;
    match ended.outcome {
        RunOutcome::Paused { until, .. } => Some(*until),
        // A run may outlast its interval; whoever stops it does not want the next one at once.
        RunOutcome::Cancelled => after_cancel(source, ended.at),
        RunOutcome::Failed {
            code: Code::Interrupted,
            ..
        } if goes_on_by_itself(source, ended.trigger) => Some(ended.at),
        RunOutcome::Completed if ended.counts.messages > 0 => {
            // What a quiet time had stretched is over.
            let plain = source.schedule.next_after(ended.at).ok().flatten();
            plan.map(|plan| plain.map_or(plan, |plain| plan.min(plain)))
        }
        RunOutcome::Completed if ended.trigger == Trigger::Schedule && !ended.counts.has_news() => {
            let quiet_for = ended.newest.map(|newest| ended.at - newest);
            plan.map(|plan| quiet_for.map_or(plan, |quiet| source.schedule.stretched(plan, quiet)))
        }
        RunOutcome::Completed | RunOutcome::Failed { .. } => plan,
    }
}

/// The due time after a person stopped a run, or took one back that waited.
pub(crate) fn after_cancel(source: &Source, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    source.schedule.next_after(at).ok().flatten()
}

/// A first run goes on even where later ones wait to be asked for; what a person asked for does not.
fn goes_on_by_itself(source: &Source, trigger: Trigger) -> bool {
    source.paused_at.is_none() && (source.schedule != Schedule::Manual || trigger != Trigger::Manual)
}

#[cfg(test)]
mod tests {
    use chrono::Duration;
    use gleaner_domain::{AccessLevel, ScrapePolicy, SourceId, SourceUid, TargetUid};
    use rstest::rstest;

    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().expect("a time")
    }

    fn minutes(minutes: i64) -> DateTime<Utc> {
        noon() + Duration::minutes(minutes)
    }

    fn source(schedule: Schedule, next_run_at: Option<DateTime<Utc>>) -> Source {
        Source {
            id: SourceId(1),
            uid: SourceUid::new(),
            name: "news".to_owned(),
            identifier: "@news_one".parse().expect("a name"),
            channel_title: "News".to_owned(),
            access_level: AccessLevel::Public,
            target: TargetUid::new(),
            session_ref: None,
            schedule,
            policy: ScrapePolicy::default(),
            paused_at: None,
            next_run_at,
            channel_id: None,
            folder: None,
            created_at: noon(),
        }
    }

    fn failed(code: Code) -> RunOutcome {
        RunOutcome::Failed {
            code,
            detail: String::new(),
        }
    }

    fn every15() -> Schedule {
        Schedule::default()
    }

    const QUIET: RunCounts = RunCounts {
        messages: 0,
        edited: 0,
        gone: 0,
        samples: 3,
        files: 0,
        file_bytes: 0,
        files_skipped: 0,
        files_failed: 0,
        pages: 1,
        page_bytes: 9,
        retries: 0,
    };
    const NEWS: RunCounts = RunCounts { messages: 1, ..QUIET };
    const EDITS: RunCounts = RunCounts { edited: 1, ..QUIET };

    #[rstest]
    #[case::overdue_and_cancelled(every15(), Some(-30), Trigger::Schedule, RunOutcome::Cancelled, QUIET, Some(15))]
    #[case::cancelled_by_hand(Schedule::Manual, None, Trigger::Manual, RunOutcome::Cancelled, QUIET, None)]
    #[case::interrupted(
        every15(),
        Some(10),
        Trigger::Schedule,
        failed(Code::Interrupted),
        QUIET,
        Some(0)
    )]
    #[case::first_run_interrupted(
        Schedule::Manual,
        None,
        Trigger::Created,
        failed(Code::Interrupted),
        QUIET,
        Some(0)
    )]
    #[case::a_wish_interrupted(
        Schedule::Manual,
        None,
        Trigger::Manual,
        failed(Code::Interrupted),
        QUIET,
        None
    )]
    #[case::failed(
        every15(),
        Some(10),
        Trigger::Schedule,
        failed(Code::Unreachable),
        QUIET,
        Some(10)
    )]
    #[case::quiet_for_a_day(
        every15(),
        Some(10),
        Trigger::Schedule,
        RunOutcome::Completed,
        QUIET,
        Some(115)
    )]
    #[case::quiet_but_asked_for(every15(), Some(10), Trigger::Manual, RunOutcome::Completed, QUIET, Some(10))]
    #[case::only_edits(
        every15(),
        Some(10),
        Trigger::Schedule,
        RunOutcome::Completed,
        EDITS,
        Some(10)
    )]
    #[case::news(every15(), Some(10), Trigger::Schedule, RunOutcome::Completed, NEWS, Some(10))]
    #[case::news_after_a_quiet_time(
        every15(),
        Some(115),
        Trigger::Manual,
        RunOutcome::Completed,
        NEWS,
        Some(15)
    )]
    #[case::news_by_hand(Schedule::Manual, None, Trigger::Manual, RunOutcome::Completed, NEWS, None)]
    fn the_end_of_a_run_says_when_the_next_is_due(
        #[case] schedule: Schedule,
        #[case] plan: Option<i64>,
        #[case] trigger: Trigger,
        #[case] outcome: RunOutcome,
        #[case] counts: RunCounts,
        #[case] due: Option<i64>,
    ) {
        let ended = Ended {
            trigger,
            outcome: &outcome,
            counts,
            newest: Some(noon() - Duration::days(1)),
            at: noon(),
        };
        assert_eq!(
            after_run(&source(schedule, plan.map(minutes)), &ended),
            due.map(minutes)
        );
    }

    #[test]
    fn a_paused_run_goes_on_when_it_was_told_to() {
        let outcome = RunOutcome::Paused {
            until: minutes(70),
            code: Code::FloodWait,
            detail: String::new(),
        };
        let ended = Ended {
            trigger: Trigger::Manual,
            outcome: &outcome,
            counts: NEWS,
            newest: None,
            at: noon(),
        };
        assert_eq!(
            after_run(&source(every15(), Some(minutes(5))), &ended),
            Some(minutes(70))
        );
    }

    #[test]
    fn a_paused_source_waits_after_an_interruption() {
        let mut source = source(every15(), Some(minutes(5)));
        source.paused_at = Some(noon());
        let outcome = failed(Code::Interrupted);
        let ended = Ended {
            trigger: Trigger::Schedule,
            outcome: &outcome,
            counts: QUIET,
            newest: None,
            at: noon(),
        };
        assert_eq!(after_run(&source, &ended), Some(minutes(5)));
    }
}
