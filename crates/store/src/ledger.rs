//! A run's own view of the database: every write is fenced by the lease of its source.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gleaner_domain::{Clock, RunUid, SourceId};
use gleaner_scrape::{Commit, IndexChange, Ledger, LedgerError, NoteLevel};
use sqlx::{Sqlite, SqliteConnection, Transaction};

use crate::column;
use crate::finish::write_counts;
use crate::runs::level_word;
use crate::{Store, StoreError, checkpoints, index};

/// Lines of a run's log that are kept: the last ones.
const LOG_LINES: i64 = 1_000;

/// The [`Ledger`] of one run.
pub struct RunLedger {
    store: Store,
    source: SourceId,
    run: RunUid,
    fence: i64,
    clock: Arc<dyn Clock>,
    /// A day, and bytes of files this run stored on it.
    own_bytes: Mutex<(i64, u64)>,
}

impl Store {
    /// The ledger of a run that holds the lease `source:<uid>` under `fence`.
    pub fn ledger(&self, source: SourceId, run: RunUid, fence: i64, clock: Arc<dyn Clock>) -> RunLedger {
        RunLedger {
            store: self.clone(),
            source,
            run,
            fence,
            clock,
            own_bytes: Mutex::new((0, 0)),
        }
    }

    /// Bytes of files stored on a day (UTC) over all sources.
    pub async fn all_file_bytes_on(&self, day: chrono::NaiveDate) -> Result<u64, StoreError> {
        let noon = day.and_time(chrono::NaiveTime::MIN).and_utc();
        let bytes: i64 = sqlx::query_scalar("SELECT coalesce(sum(bytes), 0) FROM day_bytes WHERE day = ?1")
            .bind(column::day(noon))
            .fetch_one(&self.readers)
            .await?;
        Ok(bytes.max(0) as u64)
    }
}

#[async_trait]
impl Ledger for RunLedger {
    async fn commit(&self, commit: Commit<'_>) -> Result<(), LedgerError> {
        Ok(self.write_commit(commit).await?)
    }

    async fn file_bytes_today(&self) -> Result<u64, LedgerError> {
        let today = column::day(self.clock.now());
        let bytes: Option<i64> =
            sqlx::query_scalar("SELECT bytes FROM day_bytes WHERE source_id = ?1 AND day = ?2")
                .bind(self.source.0)
                .bind(today)
                .fetch_optional(&self.store.readers)
                .await
                .map_err(StoreError::from)?;
        let (day, own) = *self.own_bytes.lock().expect("no panic while held");
        let own = if day == today { own } else { 0 };
        Ok((bytes.unwrap_or_default().max(0) as u64).saturating_sub(own))
    }

    async fn note(&self, level: NoteLevel, text: String) -> Result<(), LedgerError> {
        Ok(self.write_note(level, text).await?)
    }
}

impl RunLedger {
    async fn write_commit(&self, commit: Commit<'_>) -> Result<(), StoreError> {
        // Before the transaction: nobody waits for the spelling of JSON.
        let checkpoint = column::json("checkpoint", commit.checkpoint)?;
        let channel = column::json("channel", commit.channel)?;
        let now = self.clock.now();
        let (mut tx, run, bytes_before) = self.fenced().await?;
        checkpoints::put(&mut tx, self.source, &checkpoint, Some(&channel)).await?;
        apply(&mut tx, self.source, &commit.changes).await?;
        sqlx::query("UPDATE sources SET channel_id = coalesce(channel_id, ?2) WHERE id = ?1")
            .bind(self.source.0)
            .bind(commit.channel.id.0)
            .execute(&mut *tx)
            .await?;
        write_counts(&mut tx, run, self.source, commit.counts, bytes_before, now).await?;
        tx.commit().await?;
        self.remember_bytes(
            column::day(now),
            commit.counts.file_bytes.saturating_sub(bytes_before),
        );
        Ok(())
    }

    async fn write_note(&self, level: NoteLevel, text: String) -> Result<(), StoreError> {
        let (mut tx, run, _) = self.fenced().await?;
        sqlx::query("INSERT INTO run_log (run_id, at, level, text) VALUES (?1, ?2, ?3, ?4)")
            .bind(run)
            .bind(column::ms(self.clock.now()))
            .bind(level_word(level))
            .bind(text)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "DELETE FROM run_log WHERE run_id = ?1
               AND id <= (SELECT id FROM run_log WHERE run_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )
        .bind(run)
        .bind(LOG_LINES)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// A transaction in which this run holds the lease; with the run's row and its bytes of files so far.
    async fn fenced(&self) -> Result<(Transaction<'static, Sqlite>, i64, u64), StoreError> {
        let mut tx = self.store.write().await?;
        let run: Option<(i64, i64)> = sqlx::query_as(
            "SELECT r.id, r.file_bytes
             FROM sources s
             JOIN leases l ON l.key = 'source:' || s.uid
             JOIN runs r ON r.source_id = s.id AND r.uid = ?2
             WHERE s.id = ?1 AND l.fence = ?3 AND l.holder IS NOT NULL",
        )
        .bind(self.source.0)
        .bind(self.run.to_string())
        .bind(self.fence)
        .fetch_optional(&mut *tx)
        .await?;
        let (run, bytes) = run.ok_or(StoreError::LeaseLost)?;
        Ok((tx, run, bytes.max(0) as u64))
    }

    fn remember_bytes(&self, day: i64, bytes: u64) {
        let mut own = self.own_bytes.lock().expect("no panic while held");
        *own = if own.0 == day {
            (day, own.1 + bytes)
        } else {
            (day, bytes)
        };
    }
}

/// Changes of one commit. New versions first: what is said about an id holds for its newest version.
pub(crate) async fn apply(
    tx: &mut SqliteConnection,
    source: SourceId,
    changes: &[IndexChange<'_>],
) -> Result<(), StoreError> {
    let records: Vec<_> = changes
        .iter()
        .filter_map(|change| {
            if let IndexChange::Put(record) = change {
                Some(*record)
            } else {
                None
            }
        })
        .collect();
    index::put(tx, source, &records).await?;
    for change in changes {
        match change {
            IndexChange::Put(_) => {}
            IndexChange::Gone(id, gone) => index::mark_gone(tx, source, *id, *gone).await?,
            IndexChange::Counters(sample) => index::set_counters(tx, source, sample).await?,
        }
    }
    Ok(())
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LeaseLost => Self::LeaseLost,
            other => Self::Database(other.to_string()),
        }
    }
}
