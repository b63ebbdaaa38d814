//! Runs what is due and what is queued, in the one process that holds `scheduler.lock`.
//!
//! Due times live in the database, so nothing is lost when the holder changes; a night
//! of missed runs collapses into one (`Schedule::next_due`).

use std::time::Duration;

use gleaner_domain::{RunOutcome, Source, Trigger};
use gleaner_store::RunStored;

use crate::{ApiResult, App, lease, places};

/// Runs at once. Preview runs mostly wait for their turn at the host, so more would only queue there.
const AT_ONCE: usize = 4;
/// How long due times and other processes' wishes may go unnoticed.
const TICK: Duration = Duration::from_secs(1);

impl App {
    /// Runs what is due from now on, as soon as no other process on this data folder does.
    pub fn start_scheduler(&self) {
        let app = self.clone();
        self.0.tasks.spawn(async move {
            loop {
                if let Err(error) = app.tick().await {
                    tracing::error!(code = %error.code, "the scheduler skipped a beat: {}", error.detail);
                }
                tokio::select! {
                    () = app.0.stop.cancelled() => return,
                    () = app.0.board.woken() => {}
                    () = tokio::time::sleep(TICK) => {}
                }
            }
        });
    }

    /// True while this process runs what is due.
    pub(crate) fn runs_what_is_due(&self) -> bool {
        self.0.scheduler.lock().expect("no panic while held").is_some()
    }

    async fn tick(&self) -> ApiResult<()> {
        if !self.become_scheduler()? {
            return Ok(());
        }
        let caps = self.caps().await?;
        let now = self.0.clock.now();
        if caps.scheduler {
            let room = AT_ONCE.saturating_sub(self.0.board.running()) as u32;
            for source in self.0.store.due_sources(now, room).await? {
                self.queue_due(&source).await?;
            }
        }
        let room = AT_ONCE.saturating_sub(self.0.board.running()) as u32;
        for run in self.0.store.queued_runs(room).await? {
            self.spawn_run(run).await?;
        }
        Ok(())
    }

    fn become_scheduler(&self) -> ApiResult<bool> {
        let mut held = self.0.scheduler.lock().expect("no panic while held");
        if held.is_none() {
            *held = lease::lock(&places::scheduler_lock(&self.0.config))?;
        }
        Ok(held.is_some())
    }

    async fn queue_due(&self, source: &Source) -> ApiResult<()> {
        let now = self.0.clock.now();
        let due = source.next_run_at.unwrap_or(now);
        // A schedule that no longer parses (a zone that was renamed) stops rather than spins.
        let next = source.schedule.next_due(due, now).unwrap_or_else(|error| {
            tracing::error!(source = %source.uid, %error, "the schedule cannot be kept");
            None
        });
        self.0.store.set_next_run(source.id, next).await?;
        self.queue(source, Trigger::Schedule).await.map(|_| ())
    }

    async fn spawn_run(&self, run: RunStored) -> ApiResult<()> {
        if !self.0.board.admit(run.uid, &self.0.stop) {
            return Ok(());
        }
        let source = self.0.store.source(run.source_id).await?;
        let app = self.clone();
        self.0.tasks.spawn(async move {
            let uid = run.uid;
            if let Err(error) = app.carry_out(source, run, None).await {
                tracing::warn!(run = %uid, code = %error.code, "a run did not start: {}", error.detail);
                let outcome = RunOutcome::Failed {
                    code: error.code,
                    detail: error.detail,
                };
                app.end_run(uid, &outcome, gleaner_domain::RunCounts::default())
                    .await;
            }
            app.0.board.dismiss(uid);
            app.0.board.wake_scheduler();
        });
        Ok(())
    }
}
