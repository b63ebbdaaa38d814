//! What bounds the files of a run: bytes of a day, and the space that stays free.
//!
//! Room is taken before a file is written, by its announced size, and settled afterwards,
//! so that neither many files at once nor many runs at once go beyond a bound.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use chrono::NaiveDate;
use gleaner_domain::Clock;
use tokio_util::sync::CancellationToken;

use crate::files::FileFailure;
use crate::sink::Archive;

/// Bytes of files that may be stored on one UTC day. Shared by every run that draws on it.
#[derive(Debug)]
pub struct DayBudget(Mutex<Spent>);

#[derive(Debug)]
struct Spent {
    cap: u64,
    day: NaiveDate,
    /// Stored, or being stored now.
    bytes: u64,
}

/// Why a budget gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// Not today.
    Today,
    /// Never: one file larger than the cap of a whole day.
    Ever { cap: u64 },
}

impl DayBudget {
    /// A budget of which `stored` bytes are spent on `day` already.
    pub fn new(cap: u64, day: NaiveDate, stored: u64) -> Self {
        let bytes = stored;
        Self(Mutex::new(Spent { cap, day, bytes }))
    }

    /// Takes over a cap that may have changed, and what others are known to have stored on `day`.
    pub fn renew(&self, cap: u64, day: NaiveDate, stored: u64) {
        let mut spent = self.on(day);
        spent.cap = cap;
        spent.bytes = spent.bytes.max(stored);
    }

    fn charge(&self, day: NaiveDate, bytes: u64) -> Result<(), Refused> {
        let mut spent = self.on(day);
        if bytes > spent.cap {
            return Err(Refused::Ever { cap: spent.cap });
        }
        if spent.bytes >= spent.cap || bytes > spent.cap - spent.bytes {
            return Err(Refused::Today);
        }
        spent.bytes += bytes;
        Ok(())
    }

    /// Replaces what was charged on `day` by what it came to.
    fn settle(&self, day: NaiveDate, charged: u64, stored: u64) {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.day == day {
            spent.bytes = spent.bytes.saturating_sub(charged).saturating_add(stored);
        }
    }

    /// The account of `day`; a new day begins with nothing spent.
    fn on(&self, day: NaiveDate) -> MutexGuard<'_, Spent> {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.day < day {
            spent.day = day;
            spent.bytes = 0;
        }
        spent
    }
}

/// Why a run fetches no more files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Closed {
    /// A budget of today is spent.
    DailyCap,
    /// The target has no room for the next file.
    Full(String),
}

/// The room of one run.
pub(crate) struct Room {
    clock: Arc<dyn Clock>,
    budgets: Vec<Arc<DayBudget>>,
    floor: u64,
    /// Announced bytes of the files being written now.
    announced: AtomicU64,
    closed: CancellationToken,
    why: OnceLock<Closed>,
}

/// Room taken for one file; given back unless [`Taken::stored`] says what it came to.
pub(crate) struct Taken {
    room: Arc<Room>,
    day: NaiveDate,
    bytes: u64,
    /// Budgets charged so far.
    charged: usize,
    stored: u64,
}

impl Room {
    pub(crate) fn new(clock: Arc<dyn Clock>, budgets: Vec<Arc<DayBudget>>, floor: u64) -> Arc<Self> {
        Arc::new(Self {
            clock,
            budgets,
            floor,
            announced: AtomicU64::new(0),
            closed: CancellationToken::new(),
            why: OnceLock::new(),
        })
    }

    /// Takes room for a file of this announced size, or closes.
    pub(crate) async fn take(
        self: &Arc<Self>,
        archive: &dyn Archive,
        size: Option<u64>,
    ) -> Result<Taken, FileFailure> {
        let bytes = size.unwrap_or_default();
        let others = self.announced.fetch_add(bytes, Ordering::SeqCst);
        // From here on dropping it gives everything back.
        let mut taken = Taken {
            room: Arc::clone(self),
            day: self.clock.now().date_naive(),
            bytes,
            charged: 0,
            stored: 0,
        };
        for budget in &self.budgets {
            match budget.charge(taken.day, bytes) {
                Ok(()) => taken.charged += 1,
                Err(Refused::Today) => return Err(self.close(Closed::DailyCap)),
                Err(Refused::Ever { cap }) => {
                    let reason = format!("larger than the {} MB that may be stored a day", cap >> 20);
                    return Err(FileFailure::Unwanted { reason });
                }
            }
        }
        let free = archive.free_bytes().await.map_err(FileFailure::Target)?;
        let needed = self.floor.saturating_add(others).saturating_add(bytes);
        match free {
            Some(free) if free < needed => Err(self.close(Closed::Full(too_little(free, self.floor, bytes)))),
            _ => Ok(taken),
        }
    }

    /// Ends once no more files are wanted.
    pub(crate) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Why no more files are wanted.
    pub(crate) fn why_closed(&self) -> Option<&Closed> {
        self.why.get()
    }

    fn close(&self, why: Closed) -> FileFailure {
        let _ = self.why.set(why); // the first reason stays
        self.closed.cancel();
        stopped()
    }
}

impl Taken {
    /// The file is there, with so many bytes.
    pub(crate) fn stored(mut self, bytes: u64) {
        self.stored = bytes;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.announced.fetch_sub(self.bytes, Ordering::SeqCst);
        for budget in &self.room.budgets[..self.charged] {
            budget.settle(self.day, self.bytes, self.stored);
        }
    }
}

/// A file that was not tried, because the run stopped before.
pub(crate) fn stopped() -> FileFailure {
    FileFailure::Stopped {
        reason: "the run was stopped before the file was fetched".to_owned(),
    }
}

/// The sentence of a target whose free space is below the floor, or would be.
pub(crate) fn too_little(free: u64, floor: u64, file: u64) -> String {
    let (free, floor) = (free >> 20, floor >> 20);
    match file >> 20 {
        0 => format!(
            "Only {free} MB are free where this source is kept, too little for the floor of {floor} MB"
        ),
        file => format!(
            "Only {free} MB are free where this source is kept, too little for a file of {file} MB above the floor of \
             {floor} MB"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn a_budget_is_charged_beforehand_settled_afterwards_and_fresh_every_day() {
        let (monday, tuesday) = (day("2026-03-02"), day("2026-03-03"));
        let budget = DayBudget::new(100, monday, 40);
        assert_eq!(budget.charge(monday, 50), Ok(()));
        assert_eq!(
            budget.charge(monday, 20),
            Err(Refused::Today),
            "90 are spoken for"
        );
        budget.settle(monday, 50, 30);
        assert_eq!(budget.charge(monday, 20), Ok(()), "only 30 of the 50 came");
        assert_eq!(budget.charge(tuesday, 100), Ok(()), "a new day");
        budget.settle(monday, 20, 20);
        assert_eq!(
            budget.charge(tuesday, 1),
            Err(Refused::Today),
            "yesterday's file is not today's"
        );
        assert_eq!(budget.charge(tuesday, 101), Err(Refused::Ever { cap: 100 }));
    }

    #[test]
    fn what_others_stored_counts_and_a_changed_cap_holds_at_once() {
        let monday = day("2026-03-02");
        let budget = DayBudget::new(100, monday, 0);
        assert_eq!(budget.charge(monday, 30), Ok(()));
        budget.renew(100, monday, 90);
        assert_eq!(budget.charge(monday, 20), Err(Refused::Today));
        budget.renew(200, monday, 10);
        assert_eq!(budget.charge(monday, 20), Ok(()));
    }
}
