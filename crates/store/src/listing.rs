//! Sources as the table shows them, and state at a glance.

use gleaner_domain::{SourceId, TargetKind};
use sqlx::sqlite::SqliteRow;

use crate::column::Columns;
use crate::runs::{run_columns, run_of};
use crate::sources::{SourceReader, source_columns};
use crate::{OverviewStored, SourceStored, Store, StoreError};

/// What [`stored`] reads. The newest run is found by the index `runs_source`.
macro_rules! stored_select {
    () => {
        concat!(
            "SELECT ",
            source_columns!(),
            ", t.name, concat_ws(' ', t.kind, s.messages, r.id IS NOT NULL), ",
            run_columns!(),
            " FROM sources s
              JOIN targets t ON t.uid = s.target_uid
              LEFT JOIN runs r ON r.id = (SELECT max(id) FROM runs WHERE source_id = s.id)"
        )
    };
}

impl Store {
    /// All sources with their target, figures and newest run, by number.
    pub async fn source_rows(&self) -> Result<Vec<SourceStored>, StoreError> {
        let rows = sqlx::query(concat!(stored_select!(), " ORDER BY s.id"))
            .fetch_all(&self.readers)
            .await?;
        let mut reader = SourceReader::new();
        rows.iter().map(|row| stored(&mut reader, row)).collect()
    }

    /// The newest sources with their target, figures and newest run, newest first.
    pub async fn newest_source_rows(&self, limit: u32) -> Result<Vec<SourceStored>, StoreError> {
        let rows = sqlx::query(concat!(stored_select!(), " ORDER BY s.id DESC LIMIT ?1"))
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        let mut reader = SourceReader::new();
        rows.iter().map(|row| stored(&mut reader, row)).collect()
    }

    /// One source with its target, figures and newest run.
    pub async fn source_row(&self, id: SourceId) -> Result<SourceStored, StoreError> {
        let row = sqlx::query(concat!(stored_select!(), " WHERE s.id = ?1"))
            .bind(id.0)
            .fetch_optional(&self.readers)
            .await?
            .ok_or(StoreError::SourceNotFound)?;
        stored(&mut SourceReader::new(), &row)
    }

    /// Counts over everything.
    pub async fn overview(&self) -> Result<OverviewStored, StoreError> {
        let row = sqlx::query(
            "SELECT count(*),
                    count(paused_at),
                    -- What quitting interrupted goes on by itself: nothing is wrong with it.
                    count(CASE WHEN (SELECT r.state = 'failed' AND ifnull(r.code, '') <> 'INTERRUPTED' FROM runs r
                                     WHERE r.source_id = s.id AND r.state NOT IN ('queued', 'running')
                                     ORDER BY r.id DESC LIMIT 1) THEN 1 END),
                    (SELECT count(*) FROM runs WHERE state = 'running'),
                    (SELECT count(*) FROM runs WHERE state = 'queued'),
                    coalesce(sum(messages), 0)
             FROM sources s",
        )
        .fetch_one(&self.readers)
        .await?;
        let mut columns = Columns::of(&row);
        Ok(OverviewStored {
            sources: columns.count()? as u32,
            paused: columns.count()? as u32,
            failing: columns.count()? as u32,
            running: columns.count()? as u32,
            queued: columns.count()? as u32,
            messages: columns.count()?,
            next_run_at: self.next_due_at().await?,
        })
    }
}

fn stored(reader: &mut SourceReader, row: &SqliteRow) -> Result<SourceStored, StoreError> {
    let mut columns = Columns::of(row);
    let source = reader.read(&mut columns)?;
    let target = columns.take()?;
    let mut words = columns.words()?;
    let (kind, messages, has_run) = (
        words.word::<TargetKind>("target kind")?,
        words.count()?,
        words.count()?,
    );
    let last_run = if has_run == 0 {
        None
    } else {
        let words = columns.words()?;
        Some(run_of(words, columns.take()?, source.id, source.name.clone())?)
    };
    Ok(SourceStored {
        source,
        target: (target, kind),
        messages,
        last_run,
    })
}
