//! A clock that stands still until a test moves it.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use gleaner_domain::Clock;

/// Time as the test says; clones share it.
#[derive(Debug, Clone)]
pub struct FixedClock(Arc<Mutex<DateTime<Utc>>>);

impl FixedClock {
    /// Stands at `now`.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Jumps to `now`, backwards too: clocks of real machines do.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.0.lock().expect("nobody panics while holding the time") = now;
    }

    /// Moves on by `step`.
    pub fn advance(&self, step: TimeDelta) {
        *self.0.lock().expect("nobody panics while holding the time") += step;
    }
}

impl Default for FixedClock {
    /// Noon of the first day of 2026.
    fn default() -> Self {
        Self::at(DateTime::from_timestamp(1_767_268_800, 0).expect("a date inside chrono's range"))
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("nobody panics while holding the time")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_still_until_it_is_moved_and_clones_move_together() {
        let clock = FixedClock::default();
        let seen_elsewhere = clock.clone();
        assert_eq!(clock.now(), clock.now());
        clock.advance(TimeDelta::hours(2));
        assert_eq!(seen_elsewhere.now().to_rfc3339(), "2026-01-01T14:00:00+00:00");
        clock.set(DateTime::UNIX_EPOCH);
        assert_eq!(seen_elsewhere.now(), DateTime::UNIX_EPOCH);
    }
}
