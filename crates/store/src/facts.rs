//! What the index says about a source as a whole.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use gleaner_domain::SourceId;

use crate::column::{self, Columns};
use crate::{SourceFacts, Store, StoreError};

impl Store {
    /// Files, dates, edits and losses of a source; everything is read from narrow indexes.
    pub async fn source_facts(&self, id: SourceId) -> Result<SourceFacts, StoreError> {
        self.source(id).await?;
        let row = sqlx::query(
            "SELECT coalesce(sum(files), 0), coalesce(sum(file_bytes), 0), min(date), max(date),
                    coalesce(sum(edited_after), 0), coalesce(sum(gone), 0)
             FROM messages INDEXED BY messages_facts WHERE source_id = ?1",
        )
        .bind(id.0)
        .fetch_one(&self.readers)
        .await?;
        let mut columns = Columns::of(&row);
        Ok(SourceFacts {
            files: columns.count()?,
            file_bytes: columns.count()?,
            oldest: columns.time_if()?,
            newest: columns.time_if()?,
            edited: columns.count()?,
            gone: columns.count()?,
            channel: self.channel(id).await?,
            files_missing: self.files_missing(id).await?,
        })
    }

    /// When the newest kept message was posted.
    pub async fn newest_message_at(&self, id: SourceId) -> Result<Option<DateTime<Utc>>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar(
            "SELECT date FROM messages INDEXED BY messages_facts WHERE source_id = ?1
             ORDER BY day DESC, date DESC LIMIT 1",
        )
        .bind(id.0)
        .fetch_optional(&self.readers)
        .await?;
        at.map(column::time).transpose()
    }

    async fn files_missing(&self, id: SourceId) -> Result<Vec<(String, u64)>, StoreError> {
        // By message first: there are few combinations of reasons, however many messages.
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT missing, count(*) FROM messages WHERE source_id = ?1 AND missing IS NOT NULL GROUP BY missing",
        )
        .bind(id.0)
        .fetch_all(&self.readers)
        .await?;
        let mut files: BTreeMap<String, u64> = BTreeMap::new();
        for (reasons, messages) in rows {
            for reason in column::from_json::<Vec<String>>("reasons", &reasons)? {
                *files.entry(reason).or_default() += messages.max(0) as u64;
            }
        }
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_by_key(|(_, count)| Reverse(*count));
        Ok(files)
    }
}
