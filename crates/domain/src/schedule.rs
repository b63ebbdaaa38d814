//! When a source is due.

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What quiet channels stretch an interval to at most.
const LONGEST_STRETCH: Duration = Duration::hours(6);

/// A source's schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Schedule {
    /// Every so many minutes, counted from the end of the last run's due time.
    Interval {
        /// 1 minute to 31 days.
        #[schema(minimum = 1, maximum = 44640)]
        minutes: u32,
    },
    /// A cron pattern in a time zone: `0 8 * * 1-5`.
    Cron {
        /// Five fields: minute, hour, day, month, weekday.
        pattern: String,
        /// IANA name: `Europe/Berlin`.
        zone: String,
    },
    /// Only when asked.
    Manual,
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Interval { minutes: 15 }
    }
}

/// Why a schedule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Out of bounds.
    #[error("the interval must be 1 minute to 31 days")]
    Interval,
    /// The pattern is no cron pattern.
    #[error("not a cron pattern (minute hour day month weekday): {0}")]
    Pattern(String),
    /// The pattern never comes true (30 February).
    #[error("this cron pattern never comes true")]
    Never,
    /// No such time zone.
    #[error("unknown time zone {0:?}: use an IANA name such as Europe/Berlin")]
    Zone(String),
}

impl Schedule {
    /// Parses and checks; the only way in from outside.
    pub fn validated(self, now: DateTime<Utc>) -> Result<Self, ScheduleError> {
        match &self {
            Self::Interval { minutes } if !(1..=44_640).contains(minutes) => Err(ScheduleError::Interval),
            Self::Cron { .. } => self.next_after(now)?.ok_or(ScheduleError::Never).map(|_| self),
            Self::Interval { .. } | Self::Manual => Ok(self),
        }
    }

    /// The first due time strictly after `after`; `None` when it is never due.
    pub fn next_after(&self, after: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, ScheduleError> {
        match self {
            Self::Manual => Ok(None),
            Self::Interval { minutes } => Ok(Some(after + Duration::minutes(i64::from(*minutes)))),
            Self::Cron { pattern, zone } => {
                let zone: Tz = zone.parse().map_err(|_| ScheduleError::Zone(zone.clone()))?;
                let cron = five_fields(pattern)?;
                let next = cron.find_next_occurrence(&after.with_timezone(&zone), false);
                Ok(next.ok().map(|at| at.with_timezone(&Utc)))
            }
        }
    }

    /// The next due time of a source that was due at `due` and is looked at `now`.
    ///
    /// Missed times collapse into one: after a night switched off there is one run, not fifty.
    pub fn next_due(
        &self,
        due: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, ScheduleError> {
        match self {
            Self::Interval { minutes } => {
                let step = Duration::minutes(i64::from(*minutes));
                let next = due + step;
                Ok(Some(if next > now { next } else { now + step }))
            }
            Self::Cron { .. } | Self::Manual => self.next_after(due.max(now)),
        }
    }

    /// The due time after a run that found nothing new, for a run planned next at `plan`.
    ///
    /// Intervals stretch for quiet channels: to a tenth of the time since the newest message, to at
    /// most eight intervals or six hours, and never below the interval itself.
    pub fn stretched(&self, plan: DateTime<Utc>, quiet_for: Duration) -> DateTime<Utc> {
        match self {
            Self::Interval { minutes } => {
                let interval = Duration::minutes(i64::from(*minutes));
                let most = (interval * 8).min(LONGEST_STRETCH).max(interval);
                plan + (quiet_for / 10).clamp(interval, most) - interval
            }
            Self::Cron { .. } | Self::Manual => plan,
        }
    }
}

/// Minutes are the finest step there is: croner by itself takes seconds and years, too.
fn five_fields(pattern: &str) -> Result<Cron, ScheduleError> {
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(pattern)
        .map_err(|e| ScheduleError::Pattern(e.to_string()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect(text)
    }

    #[test]
    fn a_night_of_missed_runs_becomes_one() {
        let every15 = Schedule::default();
        let next = every15.next_due(at("2026-01-01T22:00:00Z"), at("2026-01-02T08:03:00Z"));
        assert_eq!(next, Ok(Some(at("2026-01-02T08:18:00Z"))));
        let on_time = every15.next_due(at("2026-01-01T22:00:00Z"), at("2026-01-01T22:00:02Z"));
        assert_eq!(
            on_time,
            Ok(Some(at("2026-01-01T22:15:00Z"))),
            "due times do not creep"
        );
    }

    #[rstest]
    // Berlin springs forward on 2026-03-29: 08:00 is 07:00 UTC before and 06:00 UTC after.
    #[case("0 8 * * *", "2026-03-28T06:59:00Z", "2026-03-28T07:00:00Z")]
    #[case("0 8 * * *", "2026-03-28T07:00:00Z", "2026-03-29T06:00:00Z")]
    #[case("*/20 * * * *", "2026-03-28T07:00:00Z", "2026-03-28T07:20:00Z")]
    // 02:30 does not exist that night; what was planned for it happens when the clock jumps.
    #[case("30 2 * * *", "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z")]
    // Berlin falls back on 2026-10-25 at 03:00: 02:30 comes twice and counts once, at 00:30 UTC.
    #[case("30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z")]
    #[case("30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z")]
    #[case("0 8 * * *", "2026-10-24T06:00:00Z", "2026-10-25T07:00:00Z")]
    fn cron_follows_the_clock_on_the_wall(#[case] pattern: &str, #[case] after: &str, #[case] next: &str) {
        let cron = Schedule::Cron {
            pattern: pattern.into(),
            zone: "Europe/Berlin".into(),
        };
        assert_eq!(cron.next_after(at(after)), Ok(Some(at(next))));
    }

    #[rstest]
    #[case::news_of_today(15, Duration::hours(1), 15)]
    #[case::a_quiet_morning(15, Duration::hours(5), 30)]
    #[case::a_quiet_week(15, Duration::days(7), 120)]
    #[case::at_most_six_hours(60, Duration::days(7), 360)]
    #[case::never_below_the_interval(1_440, Duration::days(7), 1_440)]
    #[case::a_message_of_the_future(15, Duration::hours(-3), 15)]
    fn intervals_stretch_for_quiet_channels(
        #[case] minutes: u32,
        #[case] quiet_for: Duration,
        #[case] stretched: i64,
    ) {
        let due = at("2026-01-01T12:00:00Z");
        let schedule = Schedule::Interval { minutes };
        let plan = due + Duration::minutes(i64::from(minutes));
        assert_eq!(
            schedule.stretched(plan, quiet_for),
            due + Duration::minutes(stretched)
        );
    }

    #[test]
    fn the_clock_on_the_wall_does_not_stretch() {
        let plan = at("2026-01-01T12:00:00Z");
        let cron = Schedule::Cron {
            pattern: "0 8 * * *".into(),
            zone: "UTC".into(),
        };
        assert_eq!(cron.stretched(plan, Duration::days(900)), plan);
        assert_eq!(Schedule::Manual.stretched(plan, Duration::days(900)), plan);
    }

    #[rstest]
    #[case(Schedule::Interval { minutes: 0 })]
    #[case(Schedule::Interval { minutes: 44_641 })]
    #[case(Schedule::Cron { pattern: "every day".into(), zone: "UTC".into() })]
    #[case(Schedule::Cron { pattern: "*/10 * * * * *".into(), zone: "UTC".into() })]
    #[case(Schedule::Cron { pattern: "0 0 8 * * * 2027".into(), zone: "UTC".into() })]
    #[case(Schedule::Cron { pattern: "0 0 30 2 *".into(), zone: "UTC".into() })]
    #[case(Schedule::Cron { pattern: "0 8 * * *".into(), zone: "Mars/Olympus".into() })]
    fn a_schedule_that_cannot_be_kept_is_refused(#[case] schedule: Schedule) {
        assert!(schedule.validated(at("2026-01-01T00:00:00Z")).is_err());
    }
}
