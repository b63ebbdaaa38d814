//! How a run ends: its outcome, folding of runs without news, pruning of history.

use chrono::{DateTime, Utc};
use gleaner_domain::{Code, RunCounts, RunOutcome, RunState, RunUid, Source, SourceId, Trigger};
use sqlx::SqliteConnection;

use crate::column::{self, Columns};
use crate::{Store, StoreError, sources};

/// Runs kept of one source.
const KEPT_RUNS: i64 = 50;
/// Days a run is kept.
const KEPT_DAYS: i64 = 90;
/// Runs removed in one transaction.
const PER_PRUNING: i64 = 5_000;

impl Store {
    /// Ends a queued or running run with its totals; its source stays due when it was.
    ///
    /// A completed scheduled run without news takes the row of such a run directly before it into its
    /// own: `folded` and the figures add up, uid and times are the newest. Runs beyond the newest 50 of
    /// the source, and those that ended more than 90 days before, go.
    pub async fn finish_run(
        &self,
        uid: RunUid,
        outcome: &RunOutcome,
        counts: RunCounts,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.finish_run_and_plan(uid, outcome, counts, at, |source| source.next_run_at)
            .await
    }

    /// As [`Store::finish_run`]; in the same transaction `next` says when the source is due next.
    pub async fn finish_run_and_plan(
        &self,
        uid: RunUid,
        outcome: &RunOutcome,
        counts: RunCounts,
        at: DateTime<Utc>,
        next: impl FnOnce(&Source) -> Option<DateTime<Utc>> + Send,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let run = Ending::read(&mut tx, uid).await?;
        if run.state.is_over() {
            return Err(StoreError::RunNotFound);
        }
        finish(&mut tx, &run, outcome, counts, at, next).await?;
        Ok(tx.commit().await?)
    }

    /// Ends a run that still waits, as above; false when it began, or is over, in the meantime.
    pub async fn finish_queued_run(
        &self,
        uid: RunUid,
        outcome: &RunOutcome,
        at: DateTime<Utc>,
        next: impl FnOnce(&Source) -> Option<DateTime<Utc>> + Send,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let run = Ending::read(&mut tx, uid).await?;
        if run.state != RunState::Queued {
            return Ok(false);
        }
        finish(&mut tx, &run, outcome, RunCounts::default(), at, next).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Forgets runs that ended more than 90 days ago, of sources that have no new ones, too.
    pub async fn prune_runs(&self, at: DateTime<Utc>) -> Result<(), StoreError> {
        loop {
            // In steps, so that no other process waits for long.
            let removed = sqlx::query(
                "DELETE FROM runs WHERE id IN (SELECT id FROM runs
                                               WHERE state NOT IN ('queued', 'running') AND finished_at < ?1
                                               LIMIT ?2)",
            )
            .bind(column::ms(at - chrono::Duration::days(KEPT_DAYS)))
            .bind(PER_PRUNING)
            .execute(&self.writer)
            .await?
            .rows_affected();
            if removed == 0 {
                break;
            }
        }
        sqlx::query("DELETE FROM day_bytes WHERE day < ?1")
            .bind(column::day(at) - KEPT_DAYS)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

async fn finish(
    tx: &mut SqliteConnection,
    run: &Ending,
    outcome: &RunOutcome,
    counts: RunCounts,
    at: DateTime<Utc>,
    next: impl FnOnce(&Source) -> Option<DateTime<Utc>> + Send,
) -> Result<(), StoreError> {
    write_counts(tx, run.id, run.source, counts, run.file_bytes, at).await?;
    write_outcome(tx, run.id, outcome, at).await?;
    if *outcome == RunOutcome::Completed && run.trigger == Trigger::Schedule && !counts.has_news() {
        fold(tx, run).await?;
    }
    prune(tx, run.source, at).await?;
    let source = sources::read(tx, run.source).await?;
    let due = next(&source);
    if due != source.next_run_at {
        sources::set_next_run(tx, run.source, due).await?;
    }
    Ok(())
}

/// Writes a run's totals, which never fall (a run that broke may not know its own), and counts the bytes of files that are new in them for the day.
pub(crate) async fn write_counts(
    tx: &mut SqliteConnection,
    run: i64,
    source: SourceId,
    counts: RunCounts,
    file_bytes_before: u64,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE runs
         SET messages = max(messages, ?2), edited = max(edited, ?3), gone = max(gone, ?4), samples = max(samples, ?5), files = max(files, ?6), file_bytes = max(file_bytes, ?7),
             files_skipped = max(files_skipped, ?8), files_failed = max(files_failed, ?9), pages = max(pages, ?10), page_bytes = max(page_bytes, ?11), retries = max(retries, ?12)
         WHERE id = ?1",
    )
    .bind(run)
    .bind(column::int(counts.messages))
    .bind(column::int(counts.edited))
    .bind(column::int(counts.gone))
    .bind(column::int(counts.samples))
    .bind(column::int(counts.files))
    .bind(column::int(counts.file_bytes))
    .bind(column::int(counts.files_skipped))
    .bind(column::int(counts.files_failed))
    .bind(column::int(counts.pages))
    .bind(column::int(counts.page_bytes))
    .bind(column::int(counts.retries))
    .execute(&mut *tx)
    .await?;
    let added = counts.file_bytes.saturating_sub(file_bytes_before);
    if added > 0 {
        sqlx::query(
            "INSERT INTO day_bytes (source_id, day, bytes) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
        )
        .bind(source.0)
        .bind(column::day(at))
        .bind(column::int(added))
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// What must be known of a run to end it.
struct Ending {
    id: i64,
    source: SourceId,
    trigger: Trigger,
    file_bytes: u64,
    state: RunState,
}

impl Ending {
    async fn read(tx: &mut SqliteConnection, uid: RunUid) -> Result<Self, StoreError> {
        let row = sqlx::query("SELECT id, source_id, trigger, file_bytes, state FROM runs WHERE uid = ?1")
            .bind(uid.to_string())
            .fetch_optional(tx)
            .await?
            .ok_or(StoreError::RunNotFound)?;
        let mut columns = Columns::of(&row);
        Ok(Self {
            id: columns.take()?,
            source: SourceId(columns.take()?),
            trigger: columns.word("trigger")?,
            file_bytes: columns.count()?,
            state: columns.word("state")?,
        })
    }
}

async fn write_outcome(
    tx: &mut SqliteConnection,
    run: i64,
    outcome: &RunOutcome,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (state, code, detail, until): (RunState, Option<Code>, Option<&str>, Option<DateTime<Utc>>) =
        match outcome {
            RunOutcome::Completed => (RunState::Completed, None, None, None),
            RunOutcome::Paused { until, code, detail } => {
                (RunState::Paused, Some(*code), Some(detail), Some(*until))
            }
            RunOutcome::Cancelled => (RunState::Cancelled, None, None, None),
            RunOutcome::Failed { code, detail } => (RunState::Failed, Some(*code), Some(detail), None),
        };
    sqlx::query(
        "UPDATE runs SET state = ?2, code = ?3, detail = ?4, paused_until = ?5, finished_at = ?6 WHERE id = ?1",
    )
    .bind(run)
    .bind(column::word("state", state)?)
    .bind(code.map(Code::as_str))
    .bind(detail)
    .bind(until.map(column::ms))
    .bind(column::ms(at))
    .execute(tx)
    .await?;
    Ok(())
}

/// Takes the run before into this one, if that one had no news (nor a warning in its log) either.
async fn fold(tx: &mut SqliteConnection, run: &Ending) -> Result<(), StoreError> {
    let before: Option<i64> = sqlx::query_scalar(
        "SELECT r.id FROM runs r
         WHERE r.id = (SELECT max(id) FROM runs WHERE source_id = ?1 AND id < ?2)
           AND r.state = 'completed' AND r.trigger = 'schedule'
           AND r.messages = 0 AND r.edited = 0 AND r.gone = 0 AND r.files = 0 AND r.files_failed = 0
           AND NOT EXISTS (SELECT 1 FROM run_log l WHERE l.run_id = r.id AND l.level <> 'info')",
    )
    .bind(run.source.0)
    .bind(run.id)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(before) = before else { return Ok(()) };
    sqlx::query(
        "UPDATE runs
         SET folded = runs.folded + b.folded, samples = runs.samples + b.samples,
             files_skipped = runs.files_skipped + b.files_skipped, pages = runs.pages + b.pages,
             page_bytes = runs.page_bytes + b.page_bytes, retries = runs.retries + b.retries
         FROM runs b WHERE runs.id = ?1 AND b.id = ?2",
    )
    .bind(run.id)
    .bind(before)
    .execute(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM runs WHERE id = ?1")
        .bind(before)
        .execute(tx)
        .await?;
    Ok(())
}

async fn prune(tx: &mut SqliteConnection, source: SourceId, at: DateTime<Utc>) -> Result<(), StoreError> {
    let oldest_day = column::day(at) - KEPT_DAYS;
    sqlx::query(
        "DELETE FROM runs WHERE source_id = ?1 AND state NOT IN ('queued', 'running')
           AND (finished_at < ?2
                OR id <= (SELECT id FROM runs WHERE source_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?3))",
    )
    .bind(source.0)
    .bind(column::ms(at - chrono::Duration::days(KEPT_DAYS)))
    .bind(KEPT_RUNS)
    .execute(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM day_bytes WHERE source_id = ?1 AND day < ?2")
        .bind(source.0)
        .bind(oldest_day)
        .execute(tx)
        .await?;
    Ok(())
}
