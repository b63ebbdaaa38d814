//! Carries out one run: wires history, files, sink and ledger together and hands them to
//! the engine. Nothing here decides what to read.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use gleaner_domain::{
    AccessLevel, Clock, Code, RunCounts, RunOutcome, RunState, RunUid, Source, SourceId, Trigger,
};
use gleaner_preview::{PreviewClient, PreviewConfig, PreviewFiles, PreviewHistory};
use gleaner_scrape::{
    Archive, ArchiveIdentity, DayBudget, Engine, History, HistoryError, Ledger, Limits, NoteLevel, Opening,
    Pacer, Phase, Progress, Sink, SinkError, SinkErrorKind, Unpaced, pause_until, same_channel,
};
use gleaner_store::{NewRun, RunQuery, RunStored, Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::due::{self, Ended};
use crate::lease::Lease;
use crate::runs::interrupted;
use crate::targets::OpenSinkError;
use crate::view::{RunProgress, RunRow, Tag};
use crate::{ApiError, ApiResult, App, Config, rows};

/// Folders tried beside one that belongs to a deleted source.
const FOLDERS_BESIDE: u32 = 9;

/// Hears of a foreground run's progress.
pub type OnProgress = Arc<dyn Fn(RunProgress, RunCounts) + Send + Sync>;

/// Speeds are measured over this long.
const SPEED_OVER: Duration = Duration::from_secs(5);

impl App {
    /// Runs a source in this process and waits for the end. A queued run of it is taken over.
    pub async fn run_here(
        &self,
        id: SourceId,
        cancel: CancellationToken,
        on_progress: OnProgress,
    ) -> ApiResult<RunRow> {
        self.open_for_writing()?;
        let (source, lease) = self.take_source_lease(id).await?;
        let run = match self.begin_here(&source).await {
            Ok(run) => run,
            Err(error) => {
                self.release_lease(lease).await;
                return Err(error);
            }
        };
        let seat = self.0.board.seat(run.uid, &cancel);
        self.carry_out(source, lease, &run, Some(on_progress)).await;
        drop(seat);
        Ok(rows::run(self.0.store.run(run.uid).await?, &self.0.board))
    }

    /// Begins a run of a source whose lease is held: what still counts as running has no process.
    async fn begin_here(&self, source: &Source) -> ApiResult<RunStored> {
        let left = RunQuery {
            source_id: Some(source.id),
            state: Some(RunState::Running),
            limit: 1,
            ..RunQuery::default()
        };
        for orphan in self.0.store.runs(&left).await? {
            self.end_run(&orphan, &interrupted(), orphan.counts).await;
        }
        let new = NewRun {
            uid: RunUid::new(),
            source_id: source.id,
            trigger: Trigger::Manual,
            created_at: self.0.clock.now(),
        };
        Ok(self.0.store.begin_run(&new).await?)
    }

    /// Runs to the end and lets go of the lease. The run has begun and has a seat on the board.
    pub(crate) async fn carry_out(
        &self,
        source: Source,
        lease: Lease,
        run: &RunStored,
        on_progress: Option<OnProgress>,
    ) {
        let uid = run.uid;
        self.changed(Tag::Runs, Some(source.id), Some(uid)).await;

        let in_foreground = on_progress.is_some();
        // A panic in a run is that run's failure, not the app's.
        let work = tokio::spawn(self.clone().scrape(source.clone(), uid, lease.fence, on_progress));
        let (outcome, counts) = work.await.unwrap_or_else(|error| {
            tracing::error!(run = %uid, %error, "a run panicked");
            let detail = "This run met a defect of Gleaner; its checkpoint is kept".to_owned();
            (
                RunOutcome::Failed {
                    code: Code::Internal,
                    detail,
                },
                RunCounts::default(),
            )
        });
        // Only a person cancels. What quitting stopped goes on at the next start.
        let quit = !in_foreground && !self.0.board.was_asked_to_stop(uid);
        let outcome = if outcome == RunOutcome::Cancelled && quit {
            interrupted()
        } else {
            outcome
        };
        tracing::info!(run = %uid, source = %source.uid, messages = counts.messages, outcome = ?outcome, "a run ended");
        self.end_run(run, &outcome, counts).await;
        self.release_lease(lease).await;
        self.changed(Tag::Runs, Some(source.id), Some(uid)).await;
        if counts.messages + counts.edited + counts.gone > 0 {
            self.changed(Tag::Messages, Some(source.id), None).await;
        }
    }

    /// Stores how a run ended and, with it, when its source is due next.
    pub(crate) async fn end_run(&self, run: &RunStored, outcome: &RunOutcome, counts: RunCounts) {
        let ended = Ended {
            trigger: run.trigger,
            outcome,
            counts,
            newest: self.newest_if_quiet(run.source_id, outcome, counts).await,
            at: self.0.clock.now(),
        };
        let stored = self
            .0
            .store
            .finish_run_and_plan(run.uid, outcome, counts, ended.at, |source| {
                due::after_run(source, &ended)
            })
            .await;
        match stored {
            // Ended by somebody else, or gone with its source.
            Ok(()) | Err(StoreError::RunNotFound | StoreError::SourceNotFound) => {}
            Err(error) => {
                tracing::error!(run = %run.uid, %error, "the end of a run was not stored; it is mended later");
            }
        }
    }

    async fn newest_if_quiet(
        &self,
        source: SourceId,
        outcome: &RunOutcome,
        counts: RunCounts,
    ) -> Option<DateTime<Utc>> {
        if *outcome != RunOutcome::Completed || counts.has_news() {
            return None;
        }
        // Without it the plain interval is kept.
        self.0.store.newest_message_at(source).await.ok().flatten()
    }

    async fn scrape(
        self,
        source: Source,
        run: RunUid,
        fence: i64,
        on_progress: Option<OnProgress>,
    ) -> (RunOutcome, RunCounts) {
        match self.prepare(&source, run, fence, on_progress).await {
            Ok((engine, opening, archive)) => engine.run(opening, archive).await,
            Err(refusal) => {
                let ledger = self
                    .0
                    .store
                    .ledger(source.id, run, fence, Arc::clone(&self.0.clock));
                let (outcome, text) = refusal.outcome(&*self.0.clock);
                let level = if outcome == RunOutcome::Completed {
                    NoteLevel::Info
                } else {
                    NoteLevel::Error
                };
                if ledger.note(level, text).await.is_err() {
                    tracing::warn!(%run, "the reason of a failed run was not logged");
                }
                (outcome, RunCounts::default())
            }
        }
    }

    async fn prepare(
        &self,
        source: &Source,
        run: RunUid,
        fence: i64,
        on_progress: Option<OnProgress>,
    ) -> Result<(Engine, Opening, Box<dyn Archive>), Refusal> {
        if source.access_level == AccessLevel::Private {
            return Err(Refusal::App(ApiError::new(
                Code::NotAvailable,
                "Channels cannot be read with a session yet; nothing was scraped",
            )));
        }
        let name = source
            .identifier
            .name()
            .ok_or_else(|| Refusal::needs_session(source))?;
        let history: Arc<dyn History> = Arc::new(PreviewHistory::new(self.0.preview.clone(), name));
        let opening = tokio::select! {
            () = self.0.board.cancelled(run) => return Err(Refusal::Cancelled),
            opening = history.open() => opening?,
        };
        same_channel(source.channel_id, &opening.channel)?;
        let (folder, archive) = self.open_archive(source, &opening).await?;
        let source = self.fix_identity(source, &opening, folder).await?;
        self.mend_index(&source, run, fence, &*archive).await?;

        let caps = self.caps().await.map_err(Refusal::App)?;
        let ledger = Arc::new(
            self.0
                .store
                .ledger(source.id, run, fence, Arc::clone(&self.0.clock)),
        );
        let limits = Limits {
            free_space_floor: caps.free_space_floor,
            budgets: self.budgets(&source, &*ledger, caps.daily_bytes).await?,
            ..Limits::default()
        };
        let engine = Engine {
            history,
            files: Arc::new(PreviewFiles::new(self.0.preview.clone())),
            ledger,
            clock: Arc::clone(&self.0.clock),
            listener: Arc::new(self.clone().listener(source.id, run, on_progress)),
            cancel: self.0.board.token(run),
            policy: source.policy.clone(),
            limits,
        };
        Ok((engine, opening, archive))
    }

    /// Opens the source's archive. A database that knows of kept messages expects them there: a disk that
    /// is not mounted must not become a second, empty archive. At the first run its folder may hold the
    /// archive of a source that was deleted (its files stay): then this one goes beside it.
    async fn open_archive(
        &self,
        source: &Source,
        opening: &Opening,
    ) -> Result<(String, Box<dyn Archive>), Refusal> {
        let channel = &opening.channel;
        let target = self.0.store.target(source.target).await?;
        let kept = self.expects_archive(source).await?;
        let sink = self.open_sink(&target, kept).await?;
        let first = source.folder.clone().unwrap_or_else(|| {
            gleaner_sinks::layout::folder_name(channel.username.as_deref(), &channel.title, channel.id)
        });
        let mut beside = 1;
        loop {
            let folder = if beside == 1 {
                first.clone()
            } else {
                format!("{first}-{beside}")
            };
            let identity = ArchiveIdentity {
                source: source.uid,
                channel: channel.id,
                folder,
                kept,
            };
            match sink.open(&identity).await {
                Ok(archive) => return Ok((identity.folder, archive)),
                Err(error) if may_go_beside(&error, source) && beside < FOLDERS_BESIDE => beside += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// At the first run, the channel's id and the folder's name are fixed for good.
    async fn fix_identity(
        &self,
        source: &Source,
        opening: &Opening,
        folder: String,
    ) -> Result<Source, Refusal> {
        let channel = &opening.channel;
        let mut fixed = source.clone();
        fixed.channel_id = Some(channel.id);
        fixed.folder = Some(folder.clone());
        // A title nobody typed follows the channel.
        if source.channel_title == source.identifier.to_string() {
            fixed.channel_title.clone_from(&channel.title);
        }
        if fixed != *source {
            self.0
                .store
                .fix_identity(source, channel.id, &folder, &channel.title)
                .await?;
            self.changed(Tag::Sources, Some(source.id), None).await;
        }
        Ok(fixed)
    }

    /// What the files of a run draw on; the counters are this process's, so runs at once share them.
    async fn budgets(
        &self,
        source: &Source,
        ledger: &dyn Ledger,
        of_all: Option<u64>,
    ) -> Result<Vec<Arc<DayBudget>>, Refusal> {
        let today = self.0.clock.now().date_naive();
        let mut budgets = Vec::new();
        if let Some(cap) = source.policy.daily_bytes {
            let stored = ledger.file_bytes_today().await;
            let stored = stored.map_err(|e| Refusal::App(internal(&e)))?;
            budgets.push(self.0.board.budget(Some(source.id), cap, today, stored));
        }
        if let Some(cap) = of_all {
            let stored = self.0.store.all_file_bytes_on(today).await?;
            budgets.push(self.0.board.budget(None, cap, today, stored));
        }
        Ok(budgets)
    }

    fn listener(
        self,
        source: SourceId,
        run: RunUid,
        on_progress: Option<OnProgress>,
    ) -> impl Fn(&Progress) + Send + Sync {
        let meter = Mutex::new(Meter::default());
        move |progress| {
            let live = meter.lock().expect("no panic while held").read(progress);
            if let Some(tell) = &on_progress {
                tell(live.clone(), progress.counts);
            }
            self.0.board.post(run, live, progress.counts);
            self.tell_progress(source, run);
        }
    }
}

/// A client for the public pages, polite over all processes on this data folder.
pub(crate) fn preview_client(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
) -> ApiResult<PreviewClient> {
    let pacer: Arc<dyn Pacer> = match config.preview_rate {
        0 => Arc::new(Unpaced),
        rate => Arc::new(store.pacer(rate, Arc::clone(clock))),
    };
    let preview = PreviewConfig {
        base: config.preview_url.clone(),
        ..PreviewConfig::default()
    };
    PreviewClient::new(preview, pacer, Arc::clone(clock))
        .map_err(|e| ApiError::new(Code::Internal, format!("No connections can be made: {e}")))
}

/// A folder of a source that was deleted stays as it is; only a first run may choose another.
fn may_go_beside(error: &SinkError, source: &Source) -> bool {
    error.kind == SinkErrorKind::Foreign && source.folder.is_none()
}

/// Why a run could not even begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("cancelled")]
    Cancelled,
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error(transparent)]
    OpenSink(#[from] OpenSinkError),
    #[error(transparent)]
    Store(#[from] gleaner_store::StoreError),
    #[error(transparent)]
    App(ApiError),
}

impl Refusal {
    fn needs_session(source: &Source) -> Self {
        Self::App(ApiError::new(
            Code::SessionRequired,
            format!("{} has no public name: it needs a session", source.name),
        ))
    }

    fn outcome(self, clock: &dyn Clock) -> (RunOutcome, String) {
        let detail = self.to_string();
        let code = match &self {
            Self::Cancelled => return (RunOutcome::Cancelled, detail),
            // Nothing to read yet is no failure, and no session would change it.
            Self::History(error) if error.is_no_posts_yet() => return (RunOutcome::Completed, detail),
            Self::History(error) => {
                if let (Code::FloodWait, gleaner_domain::Retry::After(wait)) = (error.code, error.retry) {
                    let until = pause_until(clock.now(), wait);
                    let paused = RunOutcome::Paused {
                        until,
                        code: Code::FloodWait,
                        detail: detail.clone(),
                    };
                    return (paused, detail);
                }
                error.code
            }
            Self::Sink(error) => error.code(),
            Self::OpenSink(error) => error.code(),
            Self::Store(_) => Code::Database,
            Self::App(error) => error.code,
        };
        (
            RunOutcome::Failed {
                code,
                detail: detail.clone(),
            },
            detail,
        )
    }
}

fn internal(error: &dyn std::fmt::Display) -> ApiError {
    ApiError::new(Code::Database, error.to_string())
}

/// Turns totals into speeds.
#[derive(Default)]
struct Meter {
    readings: VecDeque<(Instant, u64, u64, u64)>,
}

impl Meter {
    fn read(&mut self, progress: &Progress) -> RunProgress {
        let now = Instant::now();
        let bytes = progress.counts.page_bytes + progress.counts.file_bytes;
        self.readings
            .push_back((now, progress.counts.messages, bytes, progress.ids_left));
        while self.readings.len() > 2 && self.readings.front().is_some_and(|r| now - r.0 > SPEED_OVER) {
            self.readings.pop_front();
        }
        let &(then, messages, old_bytes, ids) = self.readings.front().unwrap_or(&(now, 0, 0, 0));
        let seconds = (now - then).as_secs_f64();
        let per_s = |new: u64, old: u64| {
            if seconds > 0.2 {
                new.saturating_sub(old) as f64 / seconds
            } else {
                0.0
            }
        };
        let ids_per_s = per_s(ids, progress.ids_left);
        RunProgress {
            phase: phase_name(progress.phase).to_owned(),
            ids_left: progress.ids_left,
            ids_planned: progress.ids_planned,
            files_in_flight: progress.files_in_flight,
            messages_per_s: per_s(progress.counts.messages, messages),
            bytes_per_s: per_s(bytes, old_bytes),
            eta_s: (ids_per_s > 0.0 && progress.ids_left > 0)
                .then(|| (progress.ids_left as f64 / ids_per_s).ceil() as u64),
        }
    }
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Opening => "opening",
        Phase::Forward => "forward",
        Phase::Recent => "recent",
        Phase::Backfill => "backfill",
        Phase::Finishing => "finishing",
    }
}
