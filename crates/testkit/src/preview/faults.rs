//! What can go wrong on demand: a description, a switch, and counts of what really happened.
//!
//! `every: 5` means requests 5, 10, 15 … of the scope since the fault was set, so a test knows in
//! advance which ones. When several are due at once the first of [`Faults::due`]'s order wins.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Faults of one scope (pages or files). The default is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Waits before every answer. In JSON: milliseconds.
    #[serde(with = "millis")]
    pub latency: Duration,
    /// Waits up to this much longer, drawn per request. In JSON: milliseconds.
    #[serde(with = "millis")]
    pub jitter: Duration,
    /// Every nth connection is reset in the middle of the answer's headers.
    pub reset_every: Option<u32>,
    /// Every nth request gets this status and no content.
    pub status_every: Option<(u32, u16)>,
    /// `Retry-After` of that answer, in seconds.
    pub retry_after_s: Option<u64>,
    /// Every nth request is sent elsewhere with a 302.
    pub redirect_every: Option<u32>,
    /// Where to; unless said, a page's landing page or the same file once more.
    pub redirect_to: Option<String>,
    /// Every nth answer is closed half-way, short of its Content-Length.
    pub cut_body_every: Option<u32>,
    /// Every nth page comes damaged; files are left alone.
    pub malformed_every: Option<u32>,
    /// How it is damaged; unless said, all ways in turn.
    pub malformed_as: Option<Malformed>,
    /// Every nth request is never answered.
    pub stall_every: Option<u32>,
    /// Answers come in pieces of so many bytes with a pause (milliseconds in JSON) after each.
    pub slow_drip: Option<Drip>,
}

/// A slow answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drip {
    /// Bytes of a piece.
    pub bytes: usize,
    /// Wait after each piece. In JSON: milliseconds.
    #[serde(with = "millis")]
    pub pause: Duration,
}

/// Ways to damage a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Malformed {
    /// Ends inside a tag; the Content-Length agrees, so nothing but the missing end tells.
    Truncated,
    /// One message's `data-post` lacks its closing quote.
    UnclosedQuote,
    /// Stray tags, a null byte and half an entity between messages.
    Garbage,
    /// Two thousand open tags before the first message.
    Deep,
    /// 200 with nothing in it.
    Empty,
    /// 200 with a page that is not Telegram's.
    Foreign,
}

impl Malformed {
    /// All ways, in the order they take turns.
    pub const ALL: [Self; 6] = [
        Self::Truncated,
        Self::UnclosedQuote,
        Self::Garbage,
        Self::Deep,
        Self::Empty,
        Self::Foreign,
    ];
}

/// What happened to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    Stall,
    Reset,
    Status(u16, Option<u64>),
    Redirect(Option<String>),
    Cut,
    Malformed(Malformed),
}

impl Faults {
    /// The fault of request number `number` (from 1): stall, reset, status, redirect, cut, malformed.
    pub(crate) fn due(&self, number: u32) -> Option<Fault> {
        let due = |every: Option<u32>| every.is_some_and(|every| every > 0 && number.is_multiple_of(every));
        if due(self.stall_every) {
            return Some(Fault::Stall);
        }
        if due(self.reset_every) {
            return Some(Fault::Reset);
        }
        if let Some((every, status)) = self.status_every
            && due(Some(every))
        {
            return Some(Fault::Status(status, self.retry_after_s));
        }
        if due(self.redirect_every) {
            return Some(Fault::Redirect(self.redirect_to.clone()));
        }
        if due(self.cut_body_every) {
            return Some(Fault::Cut);
        }
        let every = self.malformed_every.filter(|_| due(self.malformed_every))?;
        let turn = (number / every - 1) as usize % Malformed::ALL.len();
        Some(Fault::Malformed(
            self.malformed_as.unwrap_or(Malformed::ALL[turn]),
        ))
    }
}

/// How many faults of each kind really happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FaultCounts {
    /// Answers that waited.
    pub delayed: usize,
    /// Connections reset.
    pub resets: usize,
    /// Error statuses sent.
    pub statuses: usize,
    /// Redirects sent.
    pub redirects: usize,
    /// Bodies cut.
    pub cuts: usize,
    /// Pages damaged.
    pub malformed: usize,
    /// Requests left unanswered.
    pub stalls: usize,
    /// Answers dripped.
    pub drips: usize,
}

/// Turns faults on and off while the site runs.
#[derive(Debug, Default)]
pub struct FaultSwitch(Mutex<Switches>);

#[derive(Debug, Default)]
struct Switches {
    pages: Scope,
    files: Scope,
    counts: FaultCounts,
}

#[derive(Debug, Default)]
struct Scope {
    faults: Faults,
    seen: u32,
}

impl FaultSwitch {
    /// Pages and files alike.
    pub fn set(&self, faults: Faults) {
        self.pages(faults.clone());
        self.files(faults);
    }

    /// Pages and landing pages; counting starts again.
    pub fn pages(&self, faults: Faults) {
        self.switches().pages = Scope { faults, seen: 0 };
    }

    /// Files; counting starts again.
    pub fn files(&self, faults: Faults) {
        self.switches().files = Scope { faults, seen: 0 };
    }

    /// No faults any more; the counts stay.
    pub fn clear(&self) {
        self.set(Faults::default());
    }

    /// What really happened since the start.
    pub fn counts(&self) -> FaultCounts {
        self.switches().counts
    }

    /// The faults of the next request: its number, the settings and what is due.
    pub(crate) fn next(&self, of_file: bool) -> (u32, Faults, Option<Fault>) {
        let mut switches = self.switches();
        let scope = if of_file {
            &mut switches.files
        } else {
            &mut switches.pages
        };
        scope.seen += 1;
        let due = scope
            .faults
            .due(scope.seen)
            .filter(|fault| !(of_file && matches!(fault, Fault::Malformed(_))));
        (scope.seen, scope.faults.clone(), due)
    }

    pub(crate) fn count(&self, which: impl FnOnce(&mut FaultCounts) -> &mut usize) {
        *which(&mut self.switches().counts) += 1;
    }

    fn switches(&self) -> MutexGuard<'_, Switches> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(duration.as_millis() as u64)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_third_request_is_the_third_sixth_and_ninth() {
        let faults = Faults {
            status_every: Some((3, 503)),
            ..Faults::default()
        };
        let hit: Vec<u32> = (1..=10).filter(|number| faults.due(*number).is_some()).collect();
        assert_eq!(hit, [3, 6, 9]);
    }

    #[test]
    fn ways_to_damage_a_page_take_turns_unless_one_is_named() {
        let faults = Faults {
            malformed_every: Some(2),
            ..Faults::default()
        };
        let ways: Vec<_> = (1..=12).filter_map(|number| faults.due(number)).collect();
        assert_eq!(ways, Malformed::ALL.map(Fault::Malformed));
        let named = Faults {
            malformed_as: Some(Malformed::Deep),
            ..faults
        };
        assert_eq!(named.due(4), Some(Fault::Malformed(Malformed::Deep)));
    }

    #[test]
    fn json_says_milliseconds() {
        let faults: Faults = serde_json::from_str(r#"{"latency": 250, "status_every": [4, 429]}"#).unwrap();
        assert_eq!(faults.latency, Duration::from_millis(250));
        assert_eq!(faults.status_every, Some((4, 429)));
    }
}
