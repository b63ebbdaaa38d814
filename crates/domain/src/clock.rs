//! The only teller of time. Algorithms take a [`Clock`], so "due at midnight" is a
//! test of a microsecond.

use chrono::{DateTime, Utc};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// This instant, in UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock; shells hand it in at the front door.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that may ask the machine for the time"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
