//! One run, from the newest page to the last commit.
//!
//! New posts first, then the recent window, then files that failed before, then history
//! from newest to oldest. Everything read goes into an open batch; a batch becomes durable
//! in the order files, segments, manifest, database. Trouble ends the run as a value
//! ([`RunOutcome`]); what was committed stays.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveTime, Utc};
use gleaner_domain::{
    Channel, Checkpoint, Clock, Code, HistoryStart, MessageId, Retry, RunCounts, RunOutcome, ScrapePolicy,
};
use tokio_util::sync::CancellationToken;

use crate::history::{History, HistoryError, MediaFetcher, Opening};
use crate::ledger::{Ledger, LedgerError, NoteLevel};
use crate::plan::{Plan, plan};
use crate::progress::{Phase, ProgressListener};
use crate::reader::{Block, Direction, Reader};
use crate::room::DayBudget;
use crate::run_state::RunState;
use crate::sink::{Archive, SinkError};

/// Bounds of a run.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Pages in flight at first.
    pub pages_in_flight: usize,
    /// Pages in flight at most, reached step by step while the server answers without trouble.
    pub most_pages_in_flight: usize,
    /// Files in flight at most.
    pub files_in_flight: usize,
    /// Messages that close a batch.
    pub batch_messages: usize,
    /// Bytes that close a batch.
    pub batch_bytes: usize,
    /// Age that closes a batch.
    pub batch_age: Duration,
    /// Bytes that stay free on the target.
    pub free_space_floor: u64,
    /// What files draw on, if they are capped: the source's bytes of a day, and those of all sources.
    pub budgets: Vec<Arc<DayBudget>>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pages_in_flight: 4,
            most_pages_in_flight: 8,
            files_in_flight: 6,
            batch_messages: 1_000,
            batch_bytes: 16 << 20,
            batch_age: Duration::from_secs(5),
            free_space_floor: 0,
            budgets: Vec::new(),
        }
    }
}

/// Everything a run works with.
pub struct Engine {
    /// Where messages come from.
    pub history: Arc<dyn History>,
    /// Where files come from.
    pub files: Arc<dyn MediaFetcher>,
    /// Where state is kept.
    pub ledger: Arc<dyn Ledger>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Hears of progress.
    pub listener: Arc<dyn ProgressListener>,
    /// Stops the run with its checkpoint.
    pub cancel: CancellationToken,
    /// What of the channel is wanted.
    pub policy: ScrapePolicy,
    /// Bounds.
    pub limits: Limits,
}

/// Why a run stopped before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    #[error("cancelled")]
    Cancelled,
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("{0}")]
    Replaced(String),
    #[error("{0}")]
    Full(String),
    #[error("The cap of bytes a day is reached")]
    DailyCap,
}

impl Engine {
    /// Runs to the end. `opening` was just read and `archive` just opened; the caller holds the
    /// source's lease. Always leaves a durable checkpoint and says how it ended.
    pub async fn run(self, opening: Opening, archive: Box<dyn Archive>) -> (RunOutcome, RunCounts) {
        let now = self.clock.now();
        let channel = opening.channel;
        let checkpoint = archive.checkpoint().clone();
        let newest = opening.newest.highest();
        let plan = plan(&checkpoint, newest, &self.policy, now);
        let reader = Reader::new(
            Arc::clone(&self.history),
            (newest, opening.newest),
            self.limits.pages_in_flight,
            self.limits.most_pages_in_flight,
        );
        let mut state = RunState::new(&self, channel, checkpoint, archive, &plan);
        let result = self.carry_out(&plan, newest, reader, &mut state).await;
        let result = match result {
            // What was read before the stop is worth keeping, unless the place to keep it is the trouble.
            Err(stop @ (Stop::Cancelled | Stop::History(_) | Stop::DailyCap | Stop::Replaced(_))) => {
                state.commit(false).await.and(Err(stop))
            }
            other => other,
        };
        let counts = state.counts();
        (self.outcome(result).await, counts)
    }

    async fn carry_out(
        &self,
        plan: &Plan,
        newest: u32,
        mut reader: Reader,
        state: &mut RunState<'_>,
    ) -> Result<(), Stop> {
        state.begin(plan, newest);
        state.refuse_full_target().await?;
        state.phase(Phase::Forward);
        reader.aim(plan.forward.clone(), Direction::Up);
        while let Some(block) = self.next(&mut reader, state).await? {
            state.keep(block).await?;
        }
        if let Some(range) = plan.recent.clone() {
            state.phase(Phase::Recent);
            reader.aim([range], Direction::Down);
            while let Some(block) = self.next(&mut reader, state).await? {
                state.compare(block).await?;
            }
            state.recent_was_read();
        }
        if !plan.retry.is_empty() {
            reader.aim(plan.retry.iter().map(|id| id.0..=id.0), Direction::Up);
            while let Some(block) = self.next(&mut reader, state).await? {
                state.retry_files(block).await?;
            }
        }
        state.phase(Phase::Backfill);
        reader.aim(plan.backfill.clone(), Direction::Down);
        while let Some(block) = self.next(&mut reader, state).await? {
            let before_start = reaches_before(&block, self.policy.history);
            let lowest = *block.range.start();
            state.keep(block).await?;
            if before_start {
                state.floor_found(lowest);
                break;
            }
        }
        state.phase(Phase::Finishing);
        state.commit(true).await
    }

    /// The next block, or the stop that came first. An open batch is closed in time even
    /// while a slow page is awaited.
    async fn next(&self, reader: &mut Reader, state: &mut RunState<'_>) -> Result<Option<Block>, Stop> {
        loop {
            let deadline = state.deadline();
            let overdue = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(Stop::Cancelled),
                block = reader.next() => return Ok(block.transpose()?),
                () = overdue => state.commit(false).await?,
            }
        }
    }

    async fn outcome(&self, result: Result<(), Stop>) -> RunOutcome {
        let Err(stop) = result else {
            return RunOutcome::Completed;
        };
        let now = self.clock.now();
        let detail = stop.to_string();
        let outcome = match stop {
            Stop::Cancelled => RunOutcome::Cancelled,
            Stop::History(HistoryError {
                code: Code::FloodWait,
                retry: Retry::After(wait),
                ..
            }) => RunOutcome::Paused {
                until: pause_until(now, wait),
                code: Code::FloodWait,
                detail,
            },
            Stop::DailyCap => RunOutcome::Paused {
                until: tomorrow(now),
                code: Code::DailyCapReached,
                detail,
            },
            Stop::History(error) => RunOutcome::Failed {
                code: error.code,
                detail,
            },
            Stop::Sink(error) => RunOutcome::Failed {
                code: error.code(),
                detail,
            },
            Stop::Ledger(error) => RunOutcome::Failed {
                code: error.code(),
                detail,
            },
            Stop::Replaced(_) => RunOutcome::Failed {
                code: Code::ChannelReplaced,
                detail,
            },
            Stop::Full(_) => RunOutcome::Failed {
                code: Code::DiskFull,
                detail,
            },
        };
        if let RunOutcome::Failed { detail, .. } = &outcome {
            // The run row says it too; a ledger that fails here has failed before.
            let _ = self.ledger.note(NoteLevel::Error, detail.clone()).await;
        }
        outcome
    }
}

/// True when everything in the block is older than the wished start: what lies below is, too.
fn reaches_before(block: &Block, start: HistoryStart) -> bool {
    let HistoryStart::Since { date } = start else {
        return false;
    };
    let begin = date.and_time(NaiveTime::MIN).and_utc();
    !block.items.is_empty() && block.items.iter().all(|item| item.record.date < begin)
}

/// When to go on after a wait that a server asked for. No server is believed beyond a day.
pub fn pause_until(now: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    const LONGEST: Duration = Duration::from_hours(24);
    now + wait.min(LONGEST)
}

fn tomorrow(now: DateTime<Utc>) -> DateTime<Utc> {
    (now.date_naive() + Days::new(1))
        .and_time(NaiveTime::MIN)
        .and_utc()
}

/// The folder-independent part of opening a run: checks that the name still means the same channel.
pub fn same_channel(
    expected: Option<gleaner_domain::ChannelId>,
    channel: &Channel,
) -> Result<(), HistoryError> {
    match expected {
        Some(id) if id != channel.id => Err(HistoryError {
            code: Code::ChannelReplaced,
            detail: format!(
                "The name {} now belongs to another channel ({})",
                channel
                    .username
                    .as_deref()
                    .map_or_else(|| channel.title.clone(), |n| format!("@{n}")),
                channel.title
            ),
            retry: Retry::Never,
        }),
        _ => Ok(()),
    }
}

/// The checkpoint's picture of the newest id after a run.
pub(crate) fn newest_of(checkpoint: &Checkpoint, newest: u32) -> Option<MessageId> {
    checkpoint.newest.max((newest > 0).then_some(MessageId(newest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_wait_is_a_day() {
        let now: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().expect("a time");
        assert_eq!(
            pause_until(now, Duration::from_secs(90)),
            now + chrono::Duration::seconds(90)
        );
        for wait in [
            Duration::MAX,
            Duration::from_secs(u64::MAX),
            Duration::from_hours(25),
        ] {
            assert_eq!(pause_until(now, wait), now + chrono::Duration::days(1));
        }
    }
}
