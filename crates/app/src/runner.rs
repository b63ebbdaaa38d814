//! Carries out one run: wires history, files, sink and ledger together and hands them to
//! the engine. Nothing here decides what to read.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt;
use gleaner_domain::{
    Checkpoint, Clock, Code, MessageId, RunCounts, RunOutcome, RunUid, Source, SourceId, Trigger,
};
use gleaner_preview::{PreviewClient, PreviewConfig, PreviewFiles, PreviewHistory};
use gleaner_scrape::{
    Archive, ArchiveIdentity, Engine, History, HistoryError, Ledger, Limits, NoteLevel, Opening, Pacer,
    Phase, Progress, Sink, SinkError, SinkErrorKind, Unpaced, same_channel,
};
use gleaner_store::{RunStored, Store};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::targets::OpenSinkError;
use crate::view::{RunProgress, RunRow, Tag};
use crate::{ApiError, ApiResult, App, Config, rows};

/// Folders tried beside one that belongs to a deleted source.
const FOLDERS_BESIDE: u32 = 9;
/// Ids an index may lag behind its archive before it is made anew as a whole.
const IDS_BEHIND: usize = 20_000;

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
        let source = self.0.store.source(id).await?;
        if !self.source_is_idle(&source)? {
            return Err(ApiError::new(
                Code::AlreadyRunning,
                format!("{} is being scraped already", source.name),
            ));
        }
        self.mend_interrupted_runs().await?;
        let run = self.queue(&source, Trigger::Manual).await?;
        let uid = run.uid;
        if !self.0.board.admit(uid, &cancel) {
            return Err(ApiError::new(
                Code::AlreadyRunning,
                format!("{} is being scraped already", source.name),
            ));
        }
        let done = self.carry_out(source, run, Some(on_progress)).await;
        self.0.board.dismiss(uid);
        done?;
        Ok(rows::run(self.0.store.run(uid).await?, &self.0.board))
    }

    /// Runs to the end. The run must be admitted to the board.
    pub(crate) async fn carry_out(
        &self,
        source: Source,
        run: RunStored,
        on_progress: Option<OnProgress>,
    ) -> ApiResult<()> {
        let lease = self.take_source_lease(&source).await?;
        let uid = run.uid;
        self.0.store.start_run(uid, self.0.clock.now()).await?;
        self.changed(Tag::Runs, Some(source.id), Some(uid)).await;

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
        tracing::info!(run = %uid, source = %source.uid, messages = counts.messages, outcome = ?outcome, "a run ended");
        self.end_run(uid, &outcome, counts).await;
        if let RunOutcome::Paused { until, .. } = &outcome {
            self.0.store.set_next_run(source.id, Some(*until)).await?;
        }
        self.release_source_lease(lease).await;
        self.changed(Tag::Runs, Some(source.id), Some(uid)).await;
        if counts.messages + counts.edited + counts.gone > 0 {
            self.changed(Tag::Messages, Some(source.id), None).await;
        }
        Ok(())
    }

    pub(crate) async fn end_run(&self, uid: RunUid, outcome: &RunOutcome, counts: RunCounts) {
        if let Err(error) = self
            .0
            .store
            .finish_run(uid, outcome, counts, self.0.clock.now())
            .await
        {
            tracing::error!(run = %uid, %error, "the end of a run was not stored; it is mended at the next start");
        }
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
            file_bytes_left: self.file_bytes_left(&source, &*ledger, caps.daily_bytes).await?,
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

    /// Opens the source's archive. At the first run its folder may hold the archive of a source that
    /// was deleted (its files stay): then this one goes beside it.
    async fn open_archive(
        &self,
        source: &Source,
        opening: &Opening,
    ) -> Result<(String, Box<dyn Archive>), Refusal> {
        let channel = &opening.channel;
        let target = self.0.store.target(source.target).await?;
        let sink = self.open_sink(&target).await?;
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
        fixed.folder = Some(folder);
        // A title nobody typed follows the channel.
        if source.channel_title == source.identifier.to_string() {
            fixed.channel_title.clone_from(&channel.title);
        }
        if fixed != *source {
            // Read again: the user may have edited the source while the channel was being opened.
            let mut latest = self.0.store.source(source.id).await?;
            latest.channel_id = fixed.channel_id;
            latest.folder.clone_from(&fixed.folder);
            if latest.channel_title == latest.identifier.to_string() {
                latest.channel_title.clone_from(&fixed.channel_title);
            }
            self.0.store.update_source(&latest).await?;
            self.changed(Tag::Sources, Some(source.id), None).await;
        }
        Ok(fixed)
    }

    /// The target's files are the truth; an index that differs is made anew from them.
    async fn mend_index(
        &self,
        source: &Source,
        run: RunUid,
        fence: i64,
        archive: &dyn Archive,
    ) -> Result<(), Refusal> {
        let copy = self.0.store.checkpoint(source.id).await?.unwrap_or_default();
        let truth = archive.checkpoint();
        let whole = async || -> Result<bool, Refusal> {
            Ok(self.0.store.indexed_messages(source.id).await? == archive.messages())
        };
        if copy == *truth && whole().await? {
            return Ok(());
        }
        // A kill between manifest and database leaves one batch behind: read just that.
        let behind = behind(&copy, truth);
        if behind.len() <= IDS_BEHIND {
            let records = archive.read_latest(&behind).await?;
            self.0.store.put_records(source.id, &records).await?;
            if whole().await? {
                return Ok(self.0.store.set_checkpoint(source.id, truth).await?);
            }
        }
        if archive.messages() > 0 {
            let ledger = self
                .0
                .store
                .ledger(source.id, run, fence, Arc::clone(&self.0.clock));
            let text = format!("The index is made anew from {} kept messages", archive.messages());
            let _ = ledger.note(NoteLevel::Info, text).await;
        }
        self.0.store.clear_index(source.id).await?;
        let mut segments = archive.read_all().await?;
        while let Some(records) = segments.next().await {
            self.0.store.put_records(source.id, &records?).await?;
        }
        self.0
            .store
            .set_checkpoint(source.id, archive.checkpoint())
            .await?;
        Ok(())
    }

    async fn file_bytes_left(
        &self,
        source: &Source,
        ledger: &dyn Ledger,
        of_all: Option<u64>,
    ) -> Result<Option<u64>, Refusal> {
        let mine = match source.policy.daily_bytes {
            Some(cap) => {
                let spent = ledger
                    .file_bytes_today()
                    .await
                    .map_err(|e| Refusal::App(internal(&e)))?;
                Some(cap.saturating_sub(spent))
            }
            None => None,
        };
        let all = match of_all {
            Some(cap) => {
                let today = self.0.clock.now().date_naive();
                Some(cap.saturating_sub(self.0.store.all_file_bytes_on(today).await?))
            }
            None => None,
        };
        Ok(mine.into_iter().chain(all).min())
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

/// Ids that the archive has answered for and the database's copy does not know of.
fn behind(copy: &Checkpoint, truth: &Checkpoint) -> Vec<MessageId> {
    let unknown = truth
        .seen
        .iter()
        .flat_map(|range| copy.seen.missing(range).iter().collect::<Vec<_>>());
    unknown.flatten().take(IDS_BEHIND + 1).map(MessageId).collect()
}

/// Why a run could not even begin.
#[derive(Debug, thiserror::Error)]
enum Refusal {
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
                    let until = clock.now() + wait;
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

/// Runs of this process: how to stop them and how they fare.
#[derive(Default)]
pub(crate) struct Board {
    runs: Mutex<HashMap<RunUid, Entry>>,
    wake: Notify,
}

struct Entry {
    cancel: CancellationToken,
    live: Option<(RunProgress, RunCounts)>,
}

impl Board {
    /// False when this run is on the board already.
    pub(crate) fn admit(&self, run: RunUid, stop: &CancellationToken) -> bool {
        let mut runs = self.runs.lock().expect("no panic while held");
        if runs.contains_key(&run) {
            return false;
        }
        runs.insert(
            run,
            Entry {
                cancel: stop.child_token(),
                live: None,
            },
        );
        true
    }

    pub(crate) fn dismiss(&self, run: RunUid) {
        self.runs.lock().expect("no panic while held").remove(&run);
    }

    pub(crate) fn running(&self) -> usize {
        self.runs.lock().expect("no panic while held").len()
    }

    pub(crate) fn cancel(&self, run: RunUid) {
        if let Some(entry) = self.runs.lock().expect("no panic while held").get(&run) {
            entry.cancel.cancel();
        }
    }

    /// The run's own stop; already cancelled for a run that is not on the board.
    fn token(&self, run: RunUid) -> CancellationToken {
        let found = self
            .runs
            .lock()
            .expect("no panic while held")
            .get(&run)
            .map(|e| e.cancel.clone());
        found.unwrap_or_else(|| {
            let gone = CancellationToken::new();
            gone.cancel();
            gone
        })
    }

    async fn cancelled(&self, run: RunUid) {
        self.token(run).cancelled().await;
    }

    fn post(&self, run: RunUid, live: RunProgress, counts: RunCounts) {
        if let Some(entry) = self.runs.lock().expect("no panic while held").get_mut(&run) {
            entry.live = Some((live, counts));
        }
    }

    pub(crate) fn progress(&self, run: RunUid) -> Option<(RunProgress, RunCounts)> {
        self.runs
            .lock()
            .expect("no panic while held")
            .get(&run)
            .and_then(|e| e.live.clone())
    }

    pub(crate) fn wake_scheduler(&self) {
        self.wake.notify_one();
    }

    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }
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
