//! The board: runs of this process, how to stop them and how they fare.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::NaiveDate;
use gleaner_domain::{RunCounts, RunUid, SourceId};
use gleaner_scrape::DayBudget;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::view::RunProgress;

/// Runs of this process, and the bell of its scheduler.
#[derive(Default)]
pub(crate) struct Board {
    seats: Mutex<Seats>,
    /// Bytes of files of a day: of a source, and of all (`None`).
    budgets: Mutex<HashMap<Option<SourceId>, Arc<DayBudget>>>,
    left: Notify,
    wake: Notify,
}

#[derive(Default)]
struct Seats {
    runs: HashMap<RunUid, Entry>,
    tickets: u64,
    /// No run may begin.
    closed: bool,
}

struct Entry {
    /// Tells the one who has the seat from one who had it before.
    ticket: u64,
    cancel: CancellationToken,
    /// A person asked for the stop: quitting stops runs, too.
    asked: bool,
    live: Option<(RunProgress, RunCounts)>,
}

/// A run's place on the board, free again once this is dropped.
pub(crate) struct Seat {
    board: Arc<Board>,
    run: RunUid,
    ticket: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.board.seats();
        if seats.runs.get(&self.run).is_some_and(|e| e.ticket == self.ticket) {
            seats.runs.remove(&self.run);
        }
        drop(seats);
        self.board.left.notify_waiters();
    }
}

impl Board {
    /// A seat, unless this run has one already or none may begin.
    pub(crate) fn admit(self: &Arc<Self>, run: RunUid, stop: &CancellationToken) -> Option<Seat> {
        {
            let seats = self.seats();
            if seats.closed || seats.runs.contains_key(&run) {
                return None;
            }
        }
        Some(self.seat(run, stop))
    }

    /// A seat for whoever holds the source's lease: one that only tries to start this run loses its own.
    /// Where no run may begin, it is stopped before it has.
    pub(crate) fn seat(self: &Arc<Self>, run: RunUid, stop: &CancellationToken) -> Seat {
        let mut seats = self.seats();
        seats.tickets += 1;
        let ticket = seats.tickets;
        let entry = Entry {
            ticket,
            cancel: stop.child_token(),
            asked: false,
            live: None,
        };
        if seats.closed {
            entry.cancel.cancel();
        }
        seats.runs.insert(run, entry);
        Seat {
            board: Arc::clone(self),
            run,
            ticket,
        }
    }

    pub(crate) fn running(&self) -> usize {
        self.seats().runs.len()
    }

    /// Lets no run begin any more, stops those that go on, and waits until the last has ended.
    pub(crate) async fn close(&self) {
        {
            let mut seats = self.seats();
            seats.closed = true;
            seats.runs.values().for_each(|entry| entry.cancel.cancel());
        }
        loop {
            let left = self.left.notified();
            if self.running() == 0 {
                return;
            }
            left.await;
        }
    }

    /// Lets runs begin again.
    pub(crate) fn reopen(&self) {
        self.seats().closed = false;
    }

    /// A person wants this run stopped.
    pub(crate) fn cancel(&self, run: RunUid) {
        if let Some(entry) = self.seats().runs.get_mut(&run) {
            entry.asked = true;
            entry.cancel.cancel();
        }
    }

    /// Whether a person wanted this run stopped.
    pub(crate) fn was_asked_to_stop(&self, run: RunUid) -> bool {
        self.seats().runs.get(&run).is_some_and(|entry| entry.asked)
    }

    /// The run's own stop; already cancelled for a run that is not on the board.
    pub(crate) fn token(&self, run: RunUid) -> CancellationToken {
        let found = self.seats().runs.get(&run).map(|e| e.cancel.clone());
        found.unwrap_or_else(|| {
            let gone = CancellationToken::new();
            gone.cancel();
            gone
        })
    }

    pub(crate) async fn cancelled(&self, run: RunUid) {
        self.token(run).cancelled().await;
    }

    pub(crate) fn post(&self, run: RunUid, live: RunProgress, counts: RunCounts) {
        if let Some(entry) = self.seats().runs.get_mut(&run) {
            entry.live = Some((live, counts));
        }
    }

    pub(crate) fn progress(&self, run: RunUid) -> Option<(RunProgress, RunCounts)> {
        self.seats().runs.get(&run).and_then(|e| e.live.clone())
    }

    /// The budget of a source, or of all, brought up to date with its cap and what the database knows.
    pub(crate) fn budget(
        &self,
        of: Option<SourceId>,
        cap: u64,
        today: NaiveDate,
        stored: u64,
    ) -> Arc<DayBudget> {
        let mut budgets = self.budgets.lock().expect("no panic while held");
        let fresh = || Arc::new(DayBudget::new(cap, today, stored));
        let budget = budgets.entry(of).or_insert_with(fresh);
        budget.renew(cap, today, stored);
        Arc::clone(budget)
    }

    pub(crate) fn wake_scheduler(&self) {
        self.wake.notify_one();
    }

    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().expect("no panic while held")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_free_once_it_is_dropped_and_never_takes_the_next_ones_with_it() {
        let board = Arc::new(Board::default());
        let (run, stop) = (RunUid::new(), CancellationToken::new());
        let tries = board.admit(run, &stop).expect("a seat");
        assert!(board.admit(run, &stop).is_none(), "one seat a run");
        let works = board.seat(run, &stop);
        drop(tries);
        assert_eq!(board.running(), 1, "the seat of the one that works stays");
        drop(works);
        assert_eq!(board.running(), 0);
    }

    #[test]
    fn a_stop_by_a_person_is_told_from_quitting() {
        let board = Arc::new(Board::default());
        let (quits, asked, stop) = (RunUid::new(), RunUid::new(), CancellationToken::new());
        let _seats = (board.admit(quits, &stop), board.admit(asked, &stop));
        board.cancel(asked);
        stop.cancel();
        assert!(board.token(quits).is_cancelled() && board.token(asked).is_cancelled());
        assert!(!board.was_asked_to_stop(quits) && board.was_asked_to_stop(asked));
    }
}
