//! Runs: ask for one, list, show, cancel, mend what a crash left.

use std::time::Duration;

use gleaner_domain::{Code, RunOutcome, RunState, RunUid, Source, SourceId, Trigger};
use gleaner_store::{NewRun, RunQuery, RunStored};

use crate::lease::Lease;
use crate::view::{RunDetail, RunFilter, RunRow, Tag};
use crate::{ApiError, ApiResult, App, due, events, rows};

/// Lines of a run's log that are shown.
const LOG_LINES: u32 = 1_000;
/// How often the lease of a source that is about to go is tried: some fifteen seconds in all.
const STOP_TRIES: u32 = 100;
const BETWEEN_STOP_TRIES: Duration = Duration::from_millis(100);

impl App {
    /// Asks for a run. Whoever runs what is due takes it at once.
    pub async fn run_source(&self, id: SourceId) -> ApiResult<RunRow> {
        self.open_for_writing()?;
        let source = self.0.store.source(id).await?;
        let run = self.queue(&source, Trigger::Manual).await?;
        Ok(rows::run(run, &self.0.board))
    }

    /// Runs, under way first, then newest first.
    pub async fn list_runs(&self, filter: RunFilter) -> ApiResult<Vec<RunRow>> {
        let query = RunQuery {
            source_id: filter.source_id,
            state: filter.state,
            over: filter.over,
            search: filter.search,
            before: filter.before,
            limit: filter.limit.unwrap_or(100).clamp(1, 500),
        };
        let stored = self.0.store.runs(&query).await?;
        Ok(stored
            .into_iter()
            .map(|run| rows::run(run, &self.0.board))
            .collect())
    }

    /// One run with its log.
    pub async fn get_run(&self, uid: RunUid) -> ApiResult<RunDetail> {
        let run = self.0.store.run(uid).await?;
        let log = self.0.store.run_log(uid, LOG_LINES).await?;
        Ok(RunDetail {
            row: rows::run(run, &self.0.board),
            log: log.into_iter().map(rows::log_line).collect(),
        })
    }

    /// Stops a run, wherever it goes on; its checkpoint is kept.
    pub async fn cancel_run(&self, uid: RunUid) -> ApiResult<RunRow> {
        let run = self.0.store.run(uid).await?;
        let now = self.0.clock.now();
        let waited = run.state == RunState::Queued
            && self
                .0
                .store
                .finish_queued_run(uid, &RunOutcome::Cancelled, now, |s| due::after_cancel(s, now))
                .await?;
        if waited {
            self.changed(Tag::Runs, Some(run.source_id), Some(uid)).await;
        } else if !run.state.is_over() {
            // Also when it began a moment ago.
            self.stop_run(&run).await?;
        }
        Ok(rows::run(self.0.store.run(uid).await?, &self.0.board))
    }

    async fn stop_run(&self, run: &RunStored) -> ApiResult<()> {
        let source = self.0.store.source(run.source_id).await?;
        if let Some(_idle) = self.lock_idle_source(source.uid)? {
            // Its process died: nobody else will end it.
            self.end_run(run, &RunOutcome::Cancelled, run.counts).await;
            self.changed(Tag::Runs, Some(run.source_id), Some(run.uid)).await;
        } else {
            self.0.board.cancel(run.uid);
            // It may go on in another process on this data folder.
            self.append(events::CANCEL, Some(run.source_id), Some(run.uid))
                .await;
        }
        Ok(())
    }

    /// A queued run of this source: the one that waits already, or a new one.
    pub(crate) async fn queue(&self, source: &Source, trigger: Trigger) -> ApiResult<RunStored> {
        if let Some(run) = self.queued_run_of(source.id).await? {
            return Ok(run);
        }
        let new = NewRun {
            uid: RunUid::new(),
            source_id: source.id,
            trigger,
            created_at: self.0.clock.now(),
        };
        let run = self.0.store.insert_run(&new).await?;
        self.changed(Tag::Runs, Some(source.id), Some(run.uid)).await;
        Ok(run)
    }

    /// Ends what a killed process left as running, and lets it go on at once.
    pub(crate) async fn mend_interrupted_runs(&self) -> ApiResult<()> {
        for (run, source) in self.0.store.runs_under_way().await? {
            // One lock file that cannot be used keeps neither the app nor the other runs from starting.
            match self.lock_idle_source(source) {
                Ok(Some(_idle)) => {
                    self.end_run(&run, &interrupted(), run.counts).await;
                    self.changed(Tag::Runs, Some(run.source_id), Some(run.uid)).await;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(run = %run.uid, "not mended: {}", error.detail),
            }
        }
        Ok(())
    }

    /// Ends the runs of a source that is about to go, and keeps others from beginning.
    pub(crate) async fn stop_and_hold(&self, id: SourceId) -> ApiResult<(Source, Lease)> {
        let open = RunQuery {
            source_id: Some(id),
            over: Some(false),
            limit: 1,
            ..RunQuery::default()
        };
        let mut asked = None;
        // A run ends within its batch; the request's own patience is longer.
        for _ in 0..STOP_TRIES {
            for run in self.0.store.runs(&open).await? {
                if asked != Some((run.uid, run.state)) {
                    asked = Some((run.uid, run.state));
                    self.cancel_run(run.uid).await?;
                }
            }
            match self.take_source_lease(id).await {
                Err(error) if error.code == Code::AlreadyRunning => {
                    tokio::time::sleep(BETWEEN_STOP_TRIES).await;
                }
                taken => return taken,
            }
        }
        let name = self.0.store.source(id).await?.name;
        Err(ApiError::new(
            Code::InUse,
            format!("{name} is still being scraped: try again in a moment"),
        ))
    }

    async fn queued_run_of(&self, source: SourceId) -> ApiResult<Option<RunStored>> {
        let query = RunQuery {
            source_id: Some(source),
            state: Some(RunState::Queued),
            limit: 1,
            ..RunQuery::default()
        };
        Ok(self.0.store.runs(&query).await?.into_iter().next())
    }
}

/// How a run ends that nobody stopped: its process quit or died.
pub(crate) fn interrupted() -> RunOutcome {
    RunOutcome::Failed {
        code: Code::Interrupted,
        detail: "Gleaner was stopped while this run went on".to_owned(),
    }
}
