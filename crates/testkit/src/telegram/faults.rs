//! What can go wrong on demand: each fault strikes once, in the order they were asked for.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::answer::{RpcError, refuse};

/// A fault that waits for its request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelegramFault {
    /// Calls of this method only, such as `auth.sendCode`; of any method when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// The so-manieth such call from now on.
    #[serde(default = "first")]
    pub nth: u32,
    /// What happens.
    pub mishap: Mishap,
}

fn first() -> u32 {
    1
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mishap {
    /// 420 FLOOD_WAIT of so many seconds.
    FloodS(u32),
    /// Any other error: number and name.
    Error(i32, String),
    /// The connection is closed before anything is done.
    Drop,
    /// The request is lost: nothing is done, no answer comes, the connection stays.
    Swallow,
    /// What was asked is done; the connection is closed instead of an answer.
    LoseAnswer,
}

impl TelegramFault {
    /// The next call of a method.
    pub fn on(method: &str, mishap: Mishap) -> Self {
        Self {
            method: Some(method.to_owned()),
            nth: 1,
            mishap,
        }
    }

    /// The next call of a method must wait so many seconds.
    pub fn flood(method: &str, seconds: u32) -> Self {
        Self::on(method, Mishap::FloodS(seconds))
    }

    /// The connection of the nth call from now on is closed.
    pub fn drop_at(nth: u32) -> Self {
        Self {
            method: None,
            nth,
            mishap: Mishap::Drop,
        }
    }

    /// The next call of a method is never answered.
    pub fn swallow(method: &str) -> Self {
        Self::on(method, Mishap::Swallow)
    }

    /// Not the next such call but the nth.
    #[must_use]
    pub fn nth(mut self, nth: u32) -> Self {
        self.nth = nth;
        self
    }
}

/// What the server does with a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    Refused(RpcError),
    Dropped,
    Swallowed,
    AnswerLost,
}

/// Faults of a running server.
#[derive(Debug, Default)]
pub struct TelegramFaults(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    faults: Vec<TelegramFault>,
    latency: Duration,
    struck: usize,
}

impl TelegramFaults {
    /// Adds a fault.
    pub fn add(&self, fault: TelegramFault) {
        self.waiting().faults.push(fault);
    }

    /// Every answer waits so long; answers may overtake each other no more than on a real line.
    pub fn set_latency(&self, latency: Duration) {
        self.waiting().latency = latency;
    }

    /// Forgets faults that did not strike yet, and the latency.
    pub fn clear(&self) {
        let mut waiting = self.waiting();
        waiting.faults.clear();
        waiting.latency = Duration::ZERO;
    }

    /// How many struck.
    pub fn struck(&self) -> usize {
        self.waiting().struck
    }

    pub(super) fn latency(&self) -> Duration {
        self.waiting().latency
    }

    /// Counts a call towards every fault it may meet; the first that is due strikes.
    pub(super) fn fate(&self, method: &str) -> Fate {
        let mut waiting = self.waiting();
        let mut due = None;
        for (index, fault) in waiting.faults.iter_mut().enumerate() {
            if fault.method.as_deref().is_some_and(|wanted| wanted != method) {
                continue;
            }
            if fault.nth > 1 {
                fault.nth -= 1;
            } else if due.is_none() {
                due = Some(index);
            }
        }
        let Some(index) = due else {
            return Fate::Answered;
        };
        waiting.struck += 1;
        match waiting.faults.remove(index).mishap {
            Mishap::FloodS(seconds) => Fate::Refused(refuse(420, format!("FLOOD_WAIT_{seconds}"))),
            Mishap::Error(code, name) => Fate::Refused(refuse(code, name)),
            Mishap::Drop => Fate::Dropped,
            Mishap::Swallow => Fate::Swallowed,
            Mishap::LoseAnswer => Fate::AnswerLost,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_once_at_its_call() {
        let faults = TelegramFaults::default();
        faults.add(TelegramFault::flood("auth.signIn", 31).nth(2));
        faults.add(TelegramFault::drop_at(4));
        let calls = [
            "auth.signIn",
            "help.getConfig",
            "auth.signIn",
            "auth.signIn",
            "auth.signIn",
        ];
        let fates = calls.map(|method| faults.fate(method));
        assert_eq!(fates[2], Fate::Refused(refuse(420, "FLOOD_WAIT_31")));
        assert_eq!(fates[3], Fate::Dropped);
        assert_eq!([&fates[0], &fates[1], &fates[4]], [&Fate::Answered; 3]);
        assert_eq!(faults.struck(), 2);
    }

    #[test]
    fn faults_are_written_in_json() {
        let flood: TelegramFault =
            serde_json::from_str(r#"{"method": "auth.signIn", "mishap": {"flood_s": 31}}"#).unwrap();
        assert_eq!(flood, TelegramFault::flood("auth.signIn", 31));
        let dropped: TelegramFault = serde_json::from_str(r#"{"nth": 3, "mishap": "drop"}"#).unwrap();
        assert_eq!(dropped, TelegramFault::drop_at(3));
    }
}
