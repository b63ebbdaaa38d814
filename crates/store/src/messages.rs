//! Reading the index of messages: lists, days, steps.

use std::ops::RangeInclusive;

use chrono::NaiveDate;
use gleaner_domain::SourceId;
use sqlx::sqlite::SqliteRow;

use crate::column::{self, Columns};
use crate::index::FileStored;
use crate::{MessageStored, Store, StoreError};

impl Store {
    /// Messages in the index of a source; differs from the archive's own count when the index must be rebuilt.
    pub async fn indexed_messages(&self, id: SourceId) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM messages WHERE source_id = ?1")
            .bind(id.0)
            .fetch_one(&self.readers)
            .await?;
        Ok(count.max(0) as u64)
    }

    /// Messages with ids below `before`, the newest first.
    pub async fn messages(
        &self,
        id: SourceId,
        before: Option<u32>,
        limit: u32,
    ) -> Result<Vec<MessageStored>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, date, kind, author, text, views, views_rounded, media, edited OR edited_after, gone, link,
                    album_id
             FROM messages WHERE source_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
        )
        .bind(id.0)
        .bind(before.map_or(i64::MAX, i64::from))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(message).collect()
    }

    /// Messages and views by day (UTC), oldest first; days without messages are left out.
    pub async fn days(&self, id: SourceId) -> Result<Vec<(NaiveDate, u64, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT day, count(*), coalesce(sum(views), 0) FROM messages WHERE source_id = ?1
             GROUP BY day ORDER BY day",
        )
        .bind(id.0)
        .fetch_all(&self.readers)
        .await?;
        let day = |row: &SqliteRow| {
            let mut columns = Columns::of(row);
            let day = column::start_of(columns.take()?)?.date_naive();
            Ok((day, columns.count()?, columns.count()?))
        };
        rows.iter().map(day).collect()
    }

    /// How many messages are kept in each of `steps` equal steps of the ids `first..=last`.
    ///
    /// Step `i` begins at `first + total * i / steps`, rounded down, where `total` is the number of ids.
    pub async fn kept_in_steps(
        &self,
        id: SourceId,
        first: u32,
        last: u32,
        steps: u32,
    ) -> Result<Vec<u32>, StoreError> {
        let mut kept = vec![0; steps as usize];
        if first > last || steps == 0 {
            return Ok(kept);
        }
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT ((id - ?2 + 1) * ?4 - 1) / (?3 - ?2 + 1) AS step, count(*)
             FROM messages WHERE source_id = ?1 AND id BETWEEN ?2 AND ?3 GROUP BY step",
        )
        .bind(id.0)
        .bind(i64::from(first))
        .bind(i64::from(last))
        .bind(i64::from(steps))
        .fetch_all(&self.readers)
        .await?;
        for (step, count) in rows {
            if let Some(kept) = kept.get_mut(step as usize) {
                *kept = count as u32;
            }
        }
        Ok(kept)
    }

    /// Ranges of ids within `first..=last` without a kept message, the highest first, at most `limit`.
    pub async fn gaps(
        &self,
        id: SourceId,
        first: u32,
        last: u32,
        limit: u32,
    ) -> Result<Vec<RangeInclusive<u32>>, StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT below + 1, id - 1 FROM (
                 SELECT id, lag(id, 1, ?2 - 1) OVER (ORDER BY id) AS below FROM (
                     SELECT id FROM messages WHERE source_id = ?1 AND id BETWEEN ?2 AND ?3
                     UNION ALL SELECT ?3 + 1))
             WHERE id > below + 1 ORDER BY id DESC LIMIT ?4",
        )
        .bind(id.0)
        .bind(i64::from(first))
        .bind(i64::from(last))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(first, last)| first as u32..=last as u32)
            .collect())
    }
}

fn message(row: &SqliteRow) -> Result<MessageStored, StoreError> {
    let mut columns = Columns::of(row);
    Ok(MessageStored {
        id: columns.take()?,
        date: columns.time()?,
        kind: columns.take()?,
        author: columns.take()?,
        text: columns.take()?,
        views: columns.take::<Option<i64>>()?.map(|views| views.max(0) as u64),
        views_rounded: columns.take()?,
        media: media(columns.take()?)?,
        edited: columns.take()?,
        gone: columns.take()?,
        link: columns.take()?,
        album_id: columns.take()?,
    })
}

fn media(json: Option<&str>) -> Result<Vec<String>, StoreError> {
    let Some(json) = json else { return Ok(Vec::new()) };
    let files: Vec<FileStored> = column::from_json("media", json)?;
    Ok(files
        .into_iter()
        .map(|file| file.kind.as_str().to_owned())
        .collect())
}
