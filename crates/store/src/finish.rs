//! How a run ends: its outcome, folding of runs without news, pruning of history.

use chrono::{DateTime, Utc};
use gleaner_domain::{Code, RunCounts, RunOutcome, RunState, RunUid, SourceId, Trigger};
use sqlx::SqliteConnection;

use crate::column::{self, Columns};
use crate::{Store, StoreError};

/// Runs kept of one source.
const KEPT_RUNS: i64 = 50;
/// Days a run is kept.
const KEPT_DAYS: i64 = 90;

impl Store {
    /// Ends a queued or running run with its totals.
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
        let mut tx = self.write().await?;
        let run = Ending::read(&mut tx, uid).await?;
        write_counts(&mut tx, run.id, run.source, counts, run.file_bytes, at).await?;
        write_outcome(&mut tx, run.id, outcome, at).await?;
        if *outcome == RunOutcome::Completed && run.trigger == Trigger::Schedule && !has_news(counts) {
            fold(&mut tx, &run).await?;
        }
        prune(&mut tx, run.source, at).await?;
        Ok(tx.commit().await?)
    }
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
}

impl Ending {
    async fn read(tx: &mut SqliteConnection, uid: RunUid) -> Result<Self, StoreError> {
        let row = sqlx::query("SELECT id, source_id, trigger, file_bytes, state FROM runs WHERE uid = ?1")
            .bind(uid.to_string())
            .fetch_optional(tx)
            .await?
            .ok_or(StoreError::RunNotFound)?;
        let mut columns = Columns::of(&row);
        let run = Self {
            id: columns.take()?,
            source: SourceId(columns.take()?),
            trigger: columns.word("trigger")?,
            file_bytes: columns.count()?,
        };
        if columns.word::<RunState>("state")?.is_over() {
            Err(StoreError::RunNotFound)
        } else {
            Ok(run)
        }
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

/// Whether a person would want to see this run in a row of its own. Counters read again are no news.
fn has_news(counts: RunCounts) -> bool {
    counts.messages > 0 || counts.edited > 0 || counts.gone > 0 || counts.files > 0 || counts.files_failed > 0
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
