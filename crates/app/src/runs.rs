//! Runs: ask for one, list, show, cancel, mend what a crash left.

use gleaner_domain::{Code, RunOutcome, RunState, RunUid, Source, SourceId, Trigger};
use gleaner_store::{NewRun, RunQuery, RunStored};

use crate::view::{RunDetail, RunFilter, RunRow, Tag};
use crate::{ApiError, ApiResult, App, events, rows};

/// Lines of a run's log that are shown.
const LOG_LINES: u32 = 1_000;

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
        match run.state {
            RunState::Running => {
                self.0.board.cancel(uid);
                // It may go on in another process on this data folder.
                self.append(events::CANCEL, Some(run.source_id), Some(uid)).await;
            }
            RunState::Queued => {
                let now = self.0.clock.now();
                self.0
                    .store
                    .finish_run(uid, &RunOutcome::Cancelled, run.counts, now)
                    .await?;
                self.changed(Tag::Runs, Some(run.source_id), Some(uid)).await;
            }
            RunState::Completed | RunState::Paused | RunState::Cancelled | RunState::Failed => {}
        }
        Ok(rows::run(self.0.store.run(uid).await?, &self.0.board))
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
        for run in self.0.store.orphaned_runs().await? {
            let source = self.0.store.source(run.source_id).await?;
            if run.state != RunState::Running || !self.source_is_idle(&source)? {
                continue;
            }
            let outcome = RunOutcome::Failed {
                code: Code::Interrupted,
                detail: "Gleaner was stopped while this run went on".to_owned(),
            };
            let now = self.0.clock.now();
            self.0
                .store
                .finish_run(run.uid, &outcome, run.counts, now)
                .await?;
            if source.next_run_at.is_some() && source.paused_at.is_none() {
                self.0.store.set_next_run(source.id, Some(now)).await?;
            }
            self.changed(Tag::Runs, Some(source.id), Some(run.uid)).await;
        }
        Ok(())
    }

    /// Ends the runs of a source that is about to go.
    pub(crate) async fn stop_runs_of(&self, source: &Source) -> ApiResult<()> {
        for state in [RunState::Queued, RunState::Running] {
            let query = RunQuery {
                source_id: Some(source.id),
                state: Some(state),
                limit: 10,
                ..RunQuery::default()
            };
            for run in self.0.store.runs(&query).await? {
                self.cancel_run(run.uid).await?;
            }
        }
        // A run ends within its batch; the request's own patience is longer.
        for _ in 0..100 {
            if self.source_is_idle(source)? {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Err(ApiError::new(
            Code::InUse,
            format!("{} is still being scraped: try again in a moment", source.name),
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
