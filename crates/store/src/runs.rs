//! Runs: queue, start, list. How they end is in `finish`.

use chrono::{DateTime, Utc};
use gleaner_domain::{RunCounts, RunState, RunUid, SourceId};
use gleaner_scrape::NoteLevel;
use sqlx::error::ErrorKind;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::column::{self, Columns, Words};
use crate::error::broken_rule;
use crate::{LogStored, NewRun, RunQuery, RunStored, Store, StoreError};

/// What [`run_of`] reads.
macro_rules! run_columns {
    () => {
        "concat_ws(' ', r.uid, r.trigger, r.state, ifnull(r.code, '-'), ifnull(r.paused_until, '-'), r.created_at,
                   ifnull(r.started_at, '-'), ifnull(r.finished_at, '-'), r.folded, r.messages, r.edited,
                   r.gone, r.samples, r.files, r.file_bytes, r.files_skipped, r.files_failed, r.pages,
                   r.page_bytes, r.retries),
         r.detail"
    };
}
pub(crate) use run_columns;

macro_rules! run_select {
    () => {
        concat!(
            "SELECT s.id, s.name, ",
            run_columns!(),
            " FROM runs r JOIN sources s ON s.id = r.source_id"
        )
    };
}

impl Store {
    /// Queues a run, unless one of this source is queued or under way.
    pub async fn insert_run(&self, run: &NewRun) -> Result<RunStored, StoreError> {
        let mut tx = self.write().await?;
        let open: Option<i64> =
            sqlx::query_scalar("SELECT id FROM runs WHERE source_id = ?1 AND state IN ('queued', 'running')")
                .bind(run.source_id.0)
                .fetch_optional(&mut *tx)
                .await?;
        if open.is_some() {
            return Err(StoreError::AlreadyRunning);
        }
        sqlx::query(
            "INSERT INTO runs (uid, source_id, trigger, state, created_at) VALUES (?1, ?2, ?3, 'queued', ?4)",
        )
        .bind(run.uid.to_string())
        .bind(run.source_id.0)
        .bind(column::word("trigger", run.trigger)?)
        .bind(column::ms(run.created_at))
        .execute(&mut *tx)
        .await
        .map_err(|error| match broken_rule(&error) {
            Some(ErrorKind::ForeignKeyViolation) => StoreError::SourceNotFound,
            _ => error.into(),
        })?;
        let stored = read(&mut tx, run.uid).await?;
        tx.commit().await?;
        Ok(stored)
    }

    /// A queued run begins. Of several that ask, one succeeds.
    pub async fn start_run(&self, uid: RunUid, at: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        match read(&mut tx, uid).await?.state {
            RunState::Queued => {}
            RunState::Running => return Err(StoreError::AlreadyRunning),
            RunState::Completed | RunState::Paused | RunState::Cancelled | RunState::Failed => {
                return Err(StoreError::RunNotFound);
            }
        }
        sqlx::query("UPDATE runs SET state = 'running', started_at = ?2 WHERE uid = ?1")
            .bind(uid.to_string())
            .bind(column::ms(at))
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// One run.
    pub async fn run(&self, uid: RunUid) -> Result<RunStored, StoreError> {
        let mut reader = self.readers.acquire().await?;
        read(&mut reader, uid).await
    }

    /// The last lines of a run's log, oldest first.
    pub async fn run_log(&self, uid: RunUid, limit: u32) -> Result<Vec<LogStored>, StoreError> {
        let run: i64 = sqlx::query_scalar("SELECT id FROM runs WHERE uid = ?1")
            .bind(uid.to_string())
            .fetch_optional(&self.readers)
            .await?
            .ok_or(StoreError::RunNotFound)?;
        let rows =
            sqlx::query("SELECT at, level, text FROM run_log WHERE run_id = ?1 ORDER BY id DESC LIMIT ?2")
                .bind(run)
                .bind(limit)
                .fetch_all(&self.readers)
                .await?;
        rows.iter().rev().map(log_line).collect()
    }

    /// Runs under way and queued first, then the others; each group with the newest first.
    pub async fn runs(&self, query: &RunQuery) -> Result<Vec<RunStored>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        let before = match query.before {
            Some(uid) => place_in_list(&mut reader, uid).await?,
            None => Place::Top,
        };
        let mut runs = match before {
            Place::Top => list(&mut reader, query, true, i64::MAX, query.limit).await?,
            Place::Open(id) => list(&mut reader, query, true, id, query.limit).await?,
            Place::Over(_) => Vec::new(),
        };
        let below = if let Place::Over(id) = before {
            id
        } else {
            i64::MAX
        };
        let room = query.limit.saturating_sub(runs.len() as u32);
        runs.extend(list(&mut reader, query, false, below, room).await?);
        Ok(runs)
    }

    /// Runs that are queued or running, the oldest first: after a start, some of them may be nobody's.
    pub async fn orphaned_runs(&self) -> Result<Vec<RunStored>, StoreError> {
        let rows = sqlx::query(concat!(
            run_select!(),
            " WHERE r.state IN ('queued', 'running') ORDER BY r.id"
        ))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(run).collect()
    }

    /// Runs that wait, the oldest first.
    pub async fn queued_runs(&self, limit: u32) -> Result<Vec<RunStored>, StoreError> {
        let rows = sqlx::query(concat!(
            run_select!(),
            " WHERE r.state = 'queued' ORDER BY r.id LIMIT ?1"
        ))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(run).collect()
    }
}

/// Where a page of the list begins: below a row of one of its two groups.
enum Place {
    Top,
    Open(i64),
    Over(i64),
}

/// The place of a run, even of one that is pruned or folded by now: uids rise with time.
async fn place_in_list(reader: &mut SqliteConnection, uid: RunUid) -> Result<Place, StoreError> {
    let uid = uid.to_string();
    let row = sqlx::query("SELECT id, uid, state FROM runs WHERE uid <= ?1 ORDER BY uid DESC LIMIT 1")
        .bind(&uid)
        .fetch_optional(reader)
        .await?;
    let Some(row) = row else { return Ok(Place::Over(0)) };
    let mut columns = Columns::of(&row);
    let (id, found, state) = (
        columns.take::<i64>()?,
        columns.take::<&str>()?,
        columns.word::<RunState>("state")?,
    );
    Ok(match (found == uid, state.is_over()) {
        (true, false) => Place::Open(id),
        (true, true) => Place::Over(id),
        // The next older one is the first of the page.
        (false, _) => Place::Over(id + 1),
    })
}

async fn list(
    reader: &mut SqliteConnection,
    query: &RunQuery,
    open: bool,
    below: i64,
    limit: u32,
) -> Result<Vec<RunStored>, StoreError> {
    let elsewhere = query.state.is_some_and(|state| state.is_over() == open) || query.over == Some(open);
    if limit == 0 || elsewhere {
        return Ok(Vec::new());
    }
    let mut sql = QueryBuilder::<Sqlite>::new(run_select!());
    sql.push(" WHERE r.id < ").push_bind(below);
    if let Some(source) = query.source_id {
        sql.push(" AND r.source_id = ").push_bind(source.0);
    }
    if let Some(search) = query
        .search
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        sql.push(" AND instr(lower(s.name || ' ' || s.identifier), lower(")
            .push_bind(search)
            .push(")) > 0");
    }
    match query.state {
        Some(state) => sql
            .push(" AND r.state = ")
            .push_bind(column::word("state", state)?),
        None if open => sql.push(" AND r.state IN ('queued', 'running')"),
        None => sql.push(" AND r.state NOT IN ('queued', 'running')"),
    };
    sql.push(" ORDER BY r.id DESC LIMIT ").push_bind(limit);
    let rows = sql.build().fetch_all(reader).await?;
    rows.iter().map(run).collect()
}

pub(crate) async fn read(reader: &mut SqliteConnection, uid: RunUid) -> Result<RunStored, StoreError> {
    let row = sqlx::query(concat!(run_select!(), " WHERE r.uid = ?1"))
        .bind(uid.to_string())
        .fetch_optional(reader)
        .await?
        .ok_or(StoreError::RunNotFound)?;
    run(&row)
}

/// Reads `run_select!`.
fn run(row: &SqliteRow) -> Result<RunStored, StoreError> {
    let mut columns = Columns::of(row);
    let (source, name) = (SourceId(columns.take()?), columns.take()?);
    let words = columns.words()?;
    run_of(words, columns.take()?, source, name)
}

/// Reads the two columns of [`run_columns!`].
pub(crate) fn run_of(
    mut words: Words<'_>,
    detail: Option<String>,
    source_id: SourceId,
    source_name: String,
) -> Result<RunStored, StoreError> {
    Ok(RunStored {
        uid: words.parsed("run")?,
        source_id,
        source_name,
        trigger: words.word("trigger")?,
        state: words.word("state")?,
        code: words.word_if("code")?,
        detail,
        paused_until: words.time_if()?,
        created_at: words.time()?,
        started_at: words.time_if()?,
        finished_at: words.time_if()?,
        folded: words.count()? as u32,
        counts: RunCounts {
            messages: words.count()?,
            edited: words.count()?,
            gone: words.count()?,
            samples: words.count()?,
            files: words.count()?,
            file_bytes: words.count()?,
            files_skipped: words.count()?,
            files_failed: words.count()?,
            pages: words.count()?,
            page_bytes: words.count()?,
            retries: words.count()?,
        },
    })
}

fn log_line(row: &SqliteRow) -> Result<LogStored, StoreError> {
    let mut columns = Columns::of(row);
    Ok(LogStored {
        at: columns.time()?,
        level: level(columns.take()?),
        text: columns.take()?,
    })
}

fn level(text: &str) -> NoteLevel {
    match text {
        "error" => NoteLevel::Error,
        "warning" => NoteLevel::Warning,
        _ => NoteLevel::Info,
    }
}

pub(crate) fn level_word(level: NoteLevel) -> &'static str {
    match level {
        NoteLevel::Info => "info",
        NoteLevel::Warning => "warning",
        NoteLevel::Error => "error",
    }
}
