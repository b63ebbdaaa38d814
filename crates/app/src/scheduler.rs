//! Runs what is due and what is queued, in the one process that holds `scheduler.lock`.
//!
//! Due times live in the database, so nothing is lost when the holder changes; a night
//! of missed runs collapses into one (`Schedule::next_due`).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gleaner_domain::{Code, RunOutcome, RunUid, Source, Trigger};
use gleaner_store::{NewRun, RunStored, StoreError};

use crate::view::Tag;
use crate::{ApiError, ApiResult, App, lease, places};

/// Runs at once. Preview runs mostly wait for their turn at the host, so more would only queue there.
const AT_ONCE: usize = 4;
/// How long due times and other processes' wishes may go unnoticed.
const TICK: Duration = Duration::from_secs(1);
/// How long the end of another process may go unnoticed that died at work.
const MEND_EVERY: TimeDelta = TimeDelta::minutes(1);
/// How often old runs of sources that have no new ones are looked for.
const PRUNE_EVERY: TimeDelta = TimeDelta::days(1);

/// How often sessions are looked for that nobody asked about for a day.
const LOOK_AT_SESSIONS_EVERY: TimeDelta = TimeDelta::hours(1);

/// When this process, since it runs what is due, last did what is not of every beat.
#[derive(Default)]
struct Chores {
    mended: Option<DateTime<Utc>>,
    pruned: Option<DateTime<Utc>>,
    looked_at_sessions: Option<DateTime<Utc>>,
}

impl App {
    /// Runs what is due from now on, as soon as no other process on this data folder does.
    pub fn start_scheduler(&self) {
        let app = self.clone();
        self.0.tasks.spawn(async move {
            let mut chores = Chores::default();
            while !app.0.stop.is_cancelled() {
                if let Err(error) = app.tick(&mut chores).await {
                    tracing::error!(code = %error.code, "the scheduler skipped a beat: {}", error.detail);
                }
                tokio::select! {
                    biased;
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

    async fn tick(&self, chores: &mut Chores) -> ApiResult<()> {
        if !self.become_scheduler()? {
            return Ok(());
        }
        let now = self.0.clock.now();
        // The holder before this one may have died at work: so the first beat begins here, too.
        if passed(chores.mended, now, MEND_EVERY) {
            self.mend_interrupted_runs().await?;
            chores.mended = Some(now);
        }
        if passed(chores.pruned, now, PRUNE_EVERY) {
            self.0.store.prune_runs(now).await?;
            chores.pruned = Some(now);
        }
        if passed(chores.looked_at_sessions, now, LOOK_AT_SESSIONS_EVERY) {
            chores.looked_at_sessions = Some(now);
            let app = self.clone();
            self.0
                .tasks
                .spawn(async move { app.check_sessions_of_yesterday().await });
        }
        if self.caps().await?.scheduler {
            let room = AT_ONCE.saturating_sub(self.0.board.running()) as u32;
            for source in self.0.store.due_sources(now, room).await? {
                self.queue_due(&source).await?;
            }
        }
        let room = AT_ONCE.saturating_sub(self.0.board.running()) as u32;
        for run in self.0.store.queued_runs(room).await? {
            self.spawn_run(run);
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
        let new = NewRun {
            uid: RunUid::new(),
            source_id: source.id,
            trigger: Trigger::Schedule,
            created_at: now,
        };
        match self
            .0
            .store
            .queue_due_run(&new, |source| planned(source, now))
            .await
        {
            Ok(Some(run)) => self.changed(Tag::Runs, Some(source.id), Some(run.uid)).await,
            // Edited, started by hand or deleted in the meantime.
            Ok(None) | Err(StoreError::SourceNotFound) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn spawn_run(&self, run: RunStored) {
        let Some(seat) = self.0.board.admit(run.uid, &self.0.stop) else {
            return;
        };
        let app = self.clone();
        self.0.tasks.spawn(async move {
            let began = app.run_queued(&run).await;
            drop(seat);
            match began {
                Ok(true) => app.0.board.wake_scheduler(),
                // It waits for the next beat, or somebody else has it.
                Ok(false) => {}
                Err(error) => app.fail_start(&run, error).await,
            }
        });
    }

    /// Runs what waits, to the end; false when it cannot begin now.
    async fn run_queued(&self, run: &RunStored) -> ApiResult<bool> {
        let (source, lease) = match self.take_source_lease(run.source_id).await {
            Ok(taken) => taken,
            // Whoever has the lease is about to end, takes this run over, or removes its source.
            Err(error) if error.code == Code::AlreadyRunning => return Ok(false),
            Err(error) => return Err(error),
        };
        let begun = if self.0.stop.is_cancelled() {
            Ok(false)
        } else {
            match self.0.store.start_run(run.uid, self.0.clock.now()).await {
                Ok(()) => Ok(true),
                Err(StoreError::AlreadyRunning | StoreError::RunNotFound) => Ok(false),
                Err(error) => Err(error.into()),
            }
        };
        if let Ok(true) = begun {
            self.carry_out(source, lease, run, None).await;
        } else {
            self.release_lease(lease).await;
        }
        begun
    }

    /// Ends a run that cannot begin, if it still waits.
    async fn fail_start(&self, run: &RunStored, error: ApiError) {
        tracing::warn!(run = %run.uid, code = %error.code, "a run did not start: {}", error.detail);
        let outcome = RunOutcome::Failed {
            code: error.code,
            detail: error.detail,
        };
        let now = self.0.clock.now();
        let ended = self
            .0
            .store
            .finish_queued_run(run.uid, &outcome, now, |source| source.next_run_at)
            .await;
        match ended {
            Ok(true) => self.changed(Tag::Runs, Some(run.source_id), Some(run.uid)).await,
            // Gone with its source, or somebody else's by now.
            Ok(false) | Err(StoreError::RunNotFound) => {}
            Err(error) => tracing::error!(run = %run.uid, %error, "the end of a run was not stored"),
        }
    }
}

/// The due time after the one that is queued now.
fn planned(source: &Source, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let due = source.next_run_at.unwrap_or(now);
    // A schedule that no longer parses (a zone that was renamed) stops rather than spins.
    source.schedule.next_due(due, now).unwrap_or_else(|error| {
        tracing::error!(source = %source.uid, %error, "the schedule cannot be kept");
        None
    })
}

/// Whether it is time again; a clock that was set back counts, too.
fn passed(last: Option<DateTime<Utc>>, now: DateTime<Utc>, every: TimeDelta) -> bool {
    last.is_none_or(|last| (now - last).abs() >= every)
}
