//! Writing the index of messages. It can be rebuilt from an archive at any time.

use std::collections::BTreeSet;

use gleaner_domain::record::Sample;
use gleaner_domain::{Checkpoint, MediaStatus, MessageId, Record, SourceId};
use gleaner_scrape::{Batch, IndexChange};
use serde::{Deserialize, Serialize};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::column;
use crate::ledger::apply;
use crate::{Store, StoreError};

/// Messages of one statement: 20 columns each, and SQLite takes 32,766 values.
const PER_STATEMENT: usize = 250;
/// Messages removed in one transaction, so that no other process waits for long.
const PER_REMOVAL: i64 = 10_000;

/// A file of a message, as the index keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileStored {
    pub(crate) kind: gleaner_domain::MediaKind,
    pub(crate) status: MediaStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

impl Store {
    /// Empties the index of a source, before it is made anew. Its checkpoint goes first: a half-made index
    /// must never look like a whole one.
    pub async fn clear_index(&self, id: SourceId) -> Result<(), StoreError> {
        self.source(id).await?;
        let nothing = column::json("checkpoint", &Checkpoint::default())?;
        sqlx::query("UPDATE checkpoints SET checkpoint = ?2 WHERE source_id = ?1")
            .bind(id.0)
            .bind(nothing)
            .execute(&self.writer)
            .await?;
        self.thin_index(id).await?;
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM messages WHERE source_id = ?1")
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE sources SET messages = 0 WHERE id = ?1")
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Adds what an archive tells, in the order it was kept.
    pub async fn put_batch(&self, id: SourceId, batch: &Batch) -> Result<(), StoreError> {
        self.retell(id, &[], batch).await
    }

    /// Forgets what the index says about `ids`, and takes over what the archive tells about them.
    pub async fn retell(&self, id: SourceId, ids: &[MessageId], batch: &Batch) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let known: Option<i64> = sqlx::query_scalar("SELECT id FROM sources WHERE id = ?1")
            .bind(id.0)
            .fetch_optional(&mut *tx)
            .await?;
        known.ok_or(StoreError::SourceNotFound)?;
        let removed = sqlx::query(
            "DELETE FROM messages WHERE source_id = ?1 AND id IN (SELECT value FROM json_each(?2))",
        )
        .bind(id.0)
        .bind(column::json("ids", ids)?)
        .execute(&mut *tx)
        .await?
        .rows_affected();
        count(&mut tx, id, -column::int(removed)).await?;
        apply(&mut tx, id, &IndexChange::of(batch)).await?;
        Ok(tx.commit().await?)
    }

    /// Removes most of an index that is about to go, in steps: whatever is interrupted here can be rebuilt.
    pub(crate) async fn thin_index(&self, id: SourceId) -> Result<(), StoreError> {
        loop {
            let mut tx = self.write().await?;
            let removed = sqlx::query(
                "DELETE FROM messages WHERE source_id = ?1
                   AND id <= (SELECT id FROM messages WHERE source_id = ?1 ORDER BY id LIMIT 1 OFFSET ?2)",
            )
            .bind(id.0)
            .bind(PER_REMOVAL)
            .execute(&mut *tx)
            .await?
            .rows_affected();
            if removed == 0 {
                return Ok(());
            }
            count(&mut tx, id, -column::int(removed)).await?;
            tx.commit().await?;
        }
    }
}

/// Adds records, or replaces those of the same id; keeps the source's counter true.
///
/// Counters are those that were read last, whatever comes last: a late file brings a record with old ones.
/// A record whose content differs from the kept one, read at the same origin, marks the message as edited.
pub(crate) async fn put(
    tx: &mut SqliteConnection,
    source: SourceId,
    records: &[&Record],
) -> Result<(), StoreError> {
    if records.is_empty() {
        return Ok(());
    }
    let ids: BTreeSet<u32> = records.iter().map(|record| record.id.0).collect();
    let known: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM messages WHERE source_id = ?1 AND id IN (SELECT value FROM json_each(?2))",
    )
    .bind(source.0)
    .bind(column::json("ids", &ids)?)
    .fetch_one(&mut *tx)
    .await?;
    for records in records.chunks(PER_STATEMENT) {
        let rows = records
            .iter()
            .map(|record| Row::of(record))
            .collect::<Result<Vec<_>, _>>()?;
        upsert(tx, source, &rows).await?;
    }
    count(tx, source, ids.len() as i64 - known).await
}

pub(crate) async fn mark_gone(
    tx: &mut SqliteConnection,
    source: SourceId,
    id: u32,
    gone: bool,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE messages SET gone = ?3 WHERE source_id = ?1 AND id = ?2")
        .bind(source.0)
        .bind(id)
        .bind(gone)
        .execute(tx)
        .await?;
    Ok(())
}

pub(crate) async fn set_counters(
    tx: &mut SqliteConnection,
    source: SourceId,
    sample: &Sample,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE messages SET views = ?3, views_rounded = ?4, reactions = ?5, counted_at = ?6
         WHERE source_id = ?1 AND id = ?2 AND counted_at <= ?6",
    )
    .bind(source.0)
    .bind(sample.id.0)
    .bind(sample.views.map(column::int))
    .bind(sample.views_rounded)
    .bind(json_unless_empty("reactions", &sample.reactions)?)
    .bind(column::ms(sample.observed_at))
    .execute(tx)
    .await?;
    Ok(())
}

async fn count(tx: &mut SqliteConnection, source: SourceId, change: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE sources SET messages = max(0, messages + ?2) WHERE id = ?1")
        .bind(source.0)
        .bind(change)
        .execute(tx)
        .await?;
    Ok(())
}

/// What of a record needs thinking before it is a row.
struct Row<'a> {
    record: &'a Record,
    kind: String,
    origin: String,
    reactions: Option<String>,
    media: Option<String>,
    missing: Option<String>,
    files: i64,
    file_bytes: i64,
}

impl<'a> Row<'a> {
    fn of(record: &'a Record) -> Result<Self, StoreError> {
        let files: Vec<FileStored> = record
            .media
            .iter()
            .map(|m| FileStored {
                kind: m.kind,
                status: m.status,
                reason: m.reason.clone(),
            })
            .collect();
        let missing: Vec<&str> = files
            .iter()
            .filter(|file| file.status != MediaStatus::Stored)
            .map(reason)
            .collect();
        let stored = record.media.iter().filter(|m| m.status == MediaStatus::Stored);
        Ok(Self {
            record,
            kind: column::word("kind", record.kind)?,
            origin: column::word("origin", record.source)?,
            reactions: json_unless_empty("reactions", &record.reactions)?,
            missing: json_unless_empty("reasons", &missing)?,
            files: column::int((files.len() - missing.len()) as u64),
            file_bytes: column::int(stored.filter_map(|m| m.size).sum()),
            media: json_unless_empty("media", &files)?,
        })
    }
}

async fn upsert(tx: &mut SqliteConnection, source: SourceId, rows: &[Row<'_>]) -> Result<(), StoreError> {
    let mut sql = QueryBuilder::<Sqlite>::new(
        "INSERT INTO messages (source_id, id, date, day, kind, origin, author, text, views, views_rounded,
                               reactions, media, missing, files, file_bytes, edited, link, album_id,
                               content_hash, counted_at) ",
    );
    sql.push_values(rows, |mut values, row| {
        let record = row.record;
        values
            .push_bind(source.0)
            .push_bind(record.id.0)
            .push_bind(column::ms(record.date))
            .push_bind(column::day(record.date))
            .push_bind(&*row.kind)
            .push_bind(&*row.origin)
            .push_bind(record.author.as_deref())
            .push_bind(&*record.text)
            .push_bind(record.views.map(column::int))
            .push_bind(record.views_rounded)
            .push_bind(row.reactions.as_deref())
            .push_bind(row.media.as_deref())
            .push_bind(row.missing.as_deref())
            .push_bind(row.files)
            .push_bind(row.file_bytes)
            .push_bind(record.edited)
            .push_bind(record.link.as_deref())
            .push_bind(record.album_id.map(|id| id.0))
            .push_bind(&*record.content_hash)
            .push_bind(column::ms(record.observed_at));
    });
    sql.push(
        " ON CONFLICT (source_id, id) DO UPDATE SET
            date = excluded.date, day = excluded.day, kind = excluded.kind, author = excluded.author,
            text = excluded.text,
            views = iif(excluded.counted_at < messages.counted_at, messages.views, excluded.views),
            views_rounded = iif(excluded.counted_at < messages.counted_at,
                                messages.views_rounded, excluded.views_rounded),
            reactions = iif(excluded.counted_at < messages.counted_at,
                            messages.reactions, excluded.reactions),
            counted_at = max(excluded.counted_at, messages.counted_at),
            media = excluded.media, missing = excluded.missing,
            files = excluded.files, file_bytes = excluded.file_bytes, edited = excluded.edited,
            edited_after = messages.edited_after
                OR (messages.origin = excluded.origin AND messages.content_hash <> excluded.content_hash),
            origin = excluded.origin, link = excluded.link, album_id = excluded.album_id,
            content_hash = excluded.content_hash",
    );
    // Only full statements come again and are worth keeping.
    sql.build()
        .persistent(rows.len() == PER_STATEMENT)
        .execute(tx)
        .await?;
    Ok(())
}

/// Why a file is not stored.
fn reason(file: &FileStored) -> &str {
    let unsaid = match file.status {
        MediaStatus::Stored => "stored",
        MediaStatus::Pending => "not fetched yet",
        MediaStatus::NotInPreview => "not in the public preview",
        MediaStatus::Skipped => "left out by the source's settings",
        MediaStatus::Failed => "could not be fetched",
    };
    file.reason.as_deref().unwrap_or(unsaid)
}

fn json_unless_empty<T: Serialize>(what: &'static str, list: &[T]) -> Result<Option<String>, StoreError> {
    if list.is_empty() {
        Ok(None)
    } else {
        column::json(what, list).map(Some)
    }
}
