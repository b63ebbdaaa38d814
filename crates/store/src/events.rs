//! What changed, in one order for all processes on this file.

use chrono::{DateTime, Utc};
use gleaner_domain::{RunUid, SourceId};

use crate::column::{self, Columns};
use crate::{EventStored, Store, StoreError};

/// Events kept: the newest. Who lags further behind reads everything again.
const KEPT: i64 = 10_000;

impl Store {
    /// Adds an event; returns its number.
    pub async fn append_event(
        &self,
        tag: &str,
        source: Option<SourceId>,
        run: Option<RunUid>,
        at: DateTime<Utc>,
    ) -> Result<i64, StoreError> {
        let mut tx = self.write().await?;
        let seq = sqlx::query("INSERT INTO events (tag, source_id, run_uid, at) VALUES (?1, ?2, ?3, ?4)")
            .bind(tag)
            .bind(source.map(|id| id.0))
            .bind(run.map(|uid| uid.to_string()))
            .bind(column::ms(at))
            .execute(&mut *tx)
            .await?
            .last_insert_rowid();
        sqlx::query("DELETE FROM events WHERE seq <= ?1")
            .bind(seq - KEPT)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(seq)
    }

    /// Events after `seq`, oldest first.
    pub async fn events_after(&self, seq: i64, limit: u32) -> Result<Vec<EventStored>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, tag, source_id, run_uid FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )
        .bind(seq)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let event = |row| {
            let mut columns = Columns::of(row);
            Ok(EventStored {
                seq: columns.take()?,
                tag: columns.take()?,
                source_id: columns.take::<Option<i64>>()?.map(SourceId),
                run_uid: columns
                    .take::<Option<&str>>()?
                    .map(|text| text.parse().map_err(|e: uuid::Error| StoreError::value("run", e)))
                    .transpose()?,
            })
        };
        rows.iter().map(event).collect()
    }

    /// The number of the newest event; 0 before the first.
    pub async fn last_seq(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM events")
            .fetch_one(&self.readers)
            .await?)
    }
}
