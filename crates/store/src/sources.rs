//! Sources: what is scraped, where to, when.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use gleaner_domain::{ChannelId, RunUid, Schedule, ScrapePolicy, Source, SourceId, Trigger};
use sqlx::SqliteConnection;
use sqlx::error::ErrorKind;
use sqlx::sqlite::SqliteRow;

use crate::column::{self, Columns, Memo};
use crate::error::broken_rule;
use crate::{NewRun, NewSource, Store, StoreError, runs};

/// What [`SourceReader`] reads.
macro_rules! source_columns {
    () => {
        "concat_ws(' ', s.id, s.uid, s.identifier, s.access_level, s.target_uid, ifnull(s.session_ref, '-'),
                   ifnull(s.paused_at, '-'), ifnull(s.next_run_at, '-'), ifnull(s.channel_id, '-'),
                   s.created_at),
         s.name, s.channel_title, s.schedule, s.policy, s.folder"
    };
}
pub(crate) use source_columns;

impl Store {
    /// Adds a source. For one channel and target there is at most one, whatever the case of its name.
    pub async fn insert_source(&self, new: &NewSource) -> Result<Source, StoreError> {
        let mut tx = self.write().await?;
        let source = insert(&mut tx, new).await?;
        tx.commit().await?;
        Ok(source)
    }

    /// Adds a source with its first run, queued.
    pub async fn insert_source_and_run(
        &self,
        new: &NewSource,
        uid: RunUid,
        trigger: Trigger,
    ) -> Result<Source, StoreError> {
        let mut tx = self.write().await?;
        let source = insert(&mut tx, new).await?;
        let run = NewRun {
            uid,
            source_id: source.id,
            trigger,
            created_at: new.created_at,
        };
        runs::insert(&mut tx, &run).await?;
        tx.commit().await?;
        Ok(source)
    }

    /// Adds many in one transaction; those that cannot be added say why, the others are.
    pub async fn insert_sources(
        &self,
        new: &[NewSource],
    ) -> Result<Vec<Result<Source, StoreError>>, StoreError> {
        let mut tx = self.write().await?;
        let mut results = Vec::with_capacity(new.len());
        for new in new {
            match insert(&mut tx, new).await {
                Err(StoreError::Database(error)) => return Err(error.into()),
                result => results.push(result),
            }
        }
        tx.commit().await?;
        Ok(results)
    }

    /// Changes name, title, target, schedule, policy and due time of a source as it is at that moment, so
    /// that of two changes at once neither is lost. Returns what it is then.
    ///
    /// Another target is the start of another archive: the checkpoint, the index and the folder of the
    /// old one are dropped (its files stay), and a run that is still writing there loses its lease.
    pub async fn change_source(
        &self,
        id: SourceId,
        change: impl FnOnce(&mut Source) + Send,
    ) -> Result<Source, StoreError> {
        let mut tx = self.write().await?;
        let before = read(&mut tx, id).await?;
        let mut source = before.clone();
        change(&mut source);
        let moved = source.target != before.target;
        if moved {
            source.folder = None;
        }
        write(&mut tx, &source).await?;
        if moved {
            leave_archive(&mut tx, &source).await?;
        }
        tx.commit().await?;
        if moved {
            // Only now, when the change cannot be refused any more, and in steps: it can be rebuilt.
            self.clear_index(id).await?;
        }
        self.source(id).await
    }

    /// Keeps what a first run learns of a channel: its id, its folder under this target, and its title
    /// in place of one that nobody typed. False when the source has another target by now.
    pub async fn fix_identity(
        &self,
        source: &Source,
        channel: ChannelId,
        folder: &str,
        title: &str,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE sources
             SET channel_id = ?3, folder = ?4,
                 channel_title = CASE WHEN channel_title = identifier THEN ?5 ELSE channel_title END
             WHERE id = ?1 AND target_uid = ?2",
        )
        .bind(source.id.0)
        .bind(source.target.to_string())
        .bind(channel.0)
        .bind(folder)
        .bind(title)
        .execute(&self.writer)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Stops the schedules of these sources, or starts them again: then they are due at once, unless
    /// they run only when asked. All in one transaction; returns those that exist, and how many changed.
    pub async fn set_paused(
        &self,
        ids: &[SourceId],
        paused: bool,
        at: DateTime<Utc>,
    ) -> Result<(BTreeSet<SourceId>, u64), StoreError> {
        let ids = column::json("ids", &ids.iter().map(|id| id.0).collect::<Vec<_>>())?;
        let mut tx = self.write().await?;
        let known: Vec<i64> =
            sqlx::query_scalar("SELECT id FROM sources WHERE id IN (SELECT value FROM json_each(?1))")
                .bind(&ids)
                .fetch_all(&mut *tx)
                .await?;
        let change = if paused {
            "UPDATE sources SET paused_at = ?2
             WHERE paused_at IS NULL AND id IN (SELECT value FROM json_each(?1))"
        } else {
            "UPDATE sources
             SET paused_at = NULL,
                 next_run_at = CASE json_extract(schedule, '$.kind') WHEN 'manual' THEN next_run_at ELSE ?2 END
             WHERE paused_at IS NOT NULL AND id IN (SELECT value FROM json_each(?1))"
        };
        let changed = sqlx::query(change)
            .bind(&ids)
            .bind(column::ms(at))
            .execute(&mut *tx)
            .await?
            .rows_affected();
        tx.commit().await?;
        Ok((known.into_iter().map(SourceId).collect(), changed))
    }

    /// Removes a source with its runs, index and checkpoint; returns what it was.
    pub async fn delete_source(&self, id: SourceId) -> Result<Source, StoreError> {
        self.source(id).await?;
        self.thin_index(id).await?;
        let mut tx = self.write().await?;
        let removed = read(&mut tx, id).await?;
        sqlx::query("DELETE FROM leases WHERE key = 'source:' || ?1")
            .bind(removed.uid.to_string())
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM sources WHERE id = ?1")
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(removed)
    }

    /// One source.
    pub async fn source(&self, id: SourceId) -> Result<Source, StoreError> {
        let mut reader = self.readers.acquire().await?;
        read(&mut reader, id).await
    }

    /// All sources, by number.
    pub async fn sources(&self) -> Result<Vec<Source>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            source_columns!(),
            " FROM sources s ORDER BY s.id"
        ))
        .fetch_all(&self.readers)
        .await?;
        sources(&rows)
    }

    /// When a source is due next.
    pub async fn set_next_run(&self, id: SourceId, at: Option<DateTime<Utc>>) -> Result<(), StoreError> {
        let mut writer = self.writer.acquire().await?;
        set_next_run(&mut writer, id, at).await
    }

    /// Sources that are due and neither paused nor queued nor running, the longest due first.
    pub async fn due_sources(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<Source>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            source_columns!(),
            " FROM sources s
             WHERE s.paused_at IS NULL AND s.next_run_at <= ?1
               AND NOT EXISTS (SELECT 1 FROM runs r
                               WHERE r.source_id = s.id AND r.state IN ('queued', 'running'))
             ORDER BY s.next_run_at, s.id LIMIT ?2"
        ))
        .bind(column::ms(now))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        sources(&rows)
    }

    /// When the next source is due that is neither paused nor queued nor running.
    pub async fn next_due_at(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let at: Option<i64> = sqlx::query_scalar(
            "SELECT s.next_run_at FROM sources s
             WHERE s.paused_at IS NULL AND s.next_run_at IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM runs r
                               WHERE r.source_id = s.id AND r.state IN ('queued', 'running'))
             ORDER BY s.next_run_at LIMIT 1",
        )
        .fetch_optional(&self.readers)
        .await?;
        at.map(column::time).transpose()
    }
}

/// Reads [`source_columns!`].
pub(crate) struct SourceReader {
    schedule: Memo<Schedule>,
    policy: Memo<ScrapePolicy>,
}

impl SourceReader {
    pub(crate) fn new() -> Self {
        Self {
            schedule: Memo::new(),
            policy: Memo::new(),
        }
    }

    pub(crate) fn read(&mut self, columns: &mut Columns<'_>) -> Result<Source, StoreError> {
        let mut words = columns.words()?;
        Ok(Source {
            id: SourceId(words.parsed("source")?),
            uid: words.parsed("source")?,
            identifier: words.parsed("channel address")?,
            access_level: words.word("access level")?,
            target: words.parsed("target")?,
            session_ref: words.parsed_if("session")?,
            paused_at: words.time_if()?,
            next_run_at: words.time_if()?,
            channel_id: words.parsed_if("channel")?.map(ChannelId),
            created_at: words.time()?,
            name: columns.take()?,
            channel_title: columns.take()?,
            schedule: self.schedule.json("schedule", columns.take()?)?,
            policy: self.policy.json("policy", columns.take()?)?,
            folder: columns.take()?,
        })
    }
}

fn sources(rows: &[SqliteRow]) -> Result<Vec<Source>, StoreError> {
    let mut reader = SourceReader::new();
    rows.iter()
        .map(|row| reader.read(&mut Columns::of(row)))
        .collect()
}

pub(crate) async fn read(reader: &mut SqliteConnection, id: SourceId) -> Result<Source, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        source_columns!(),
        " FROM sources s WHERE s.id = ?1"
    ))
    .bind(id.0)
    .fetch_optional(reader)
    .await?
    .ok_or(StoreError::SourceNotFound)?;
    SourceReader::new().read(&mut Columns::of(&row))
}

pub(crate) async fn set_next_run(
    tx: &mut SqliteConnection,
    id: SourceId,
    at: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE sources SET next_run_at = ?2 WHERE id = ?1")
        .bind(id.0)
        .bind(at.map(column::ms))
        .execute(tx)
        .await?;
    if done.rows_affected() == 0 {
        Err(StoreError::SourceNotFound)
    } else {
        Ok(())
    }
}

async fn insert(tx: &mut SqliteConnection, new: &NewSource) -> Result<Source, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO sources (uid, name, identifier, identifier_key, channel_title, access_level, target_uid,
                              session_ref, schedule, policy, paused_at, next_run_at, channel_id, folder,
                              created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )
    .bind(new.uid.to_string())
    .bind(&new.name)
    .bind(new.identifier.to_string())
    .bind(new.identifier.key())
    .bind(&new.channel_title)
    .bind(new.access_level.as_str())
    .bind(new.target.to_string())
    .bind(new.session_ref)
    .bind(column::json("schedule", &new.schedule)?)
    .bind(column::json("policy", &new.policy)?)
    .bind(new.paused_at.map(column::ms))
    .bind(new.next_run_at.map(column::ms))
    .bind(new.channel_id.map(|id| id.0))
    .bind(&new.folder)
    .bind(column::ms(new.created_at))
    .execute(&mut *tx)
    .await;
    let id = match inserted {
        Ok(done) => SourceId(done.last_insert_rowid()),
        Err(error) => return Err(refusal(tx, &new.identifier.key(), &new.target.to_string(), error).await),
    };
    // What reading it would give: times lose what is below a millisecond.
    let kept = |at| column::time(column::ms(at));
    let new = new.clone();
    Ok(Source {
        id,
        uid: new.uid,
        name: new.name,
        identifier: new.identifier,
        channel_title: new.channel_title,
        access_level: new.access_level,
        target: new.target,
        session_ref: new.session_ref,
        schedule: new.schedule,
        policy: new.policy,
        paused_at: new.paused_at.map(kept).transpose()?,
        next_run_at: new.next_run_at.map(kept).transpose()?,
        channel_id: new.channel_id,
        folder: new.folder,
        created_at: kept(new.created_at)?,
    })
}

async fn write(tx: &mut SqliteConnection, source: &Source) -> Result<(), StoreError> {
    let changed = sqlx::query(
        "UPDATE sources
         SET name = ?2, channel_title = ?3, target_uid = ?4, schedule = ?5, policy = ?6, next_run_at = ?7,
             folder = ?8
         WHERE id = ?1",
    )
    .bind(source.id.0)
    .bind(&source.name)
    .bind(&source.channel_title)
    .bind(source.target.to_string())
    .bind(column::json("schedule", &source.schedule)?)
    .bind(column::json("policy", &source.policy)?)
    .bind(source.next_run_at.map(column::ms))
    .bind(&source.folder)
    .execute(&mut *tx)
    .await;
    match changed {
        Ok(_) => Ok(()),
        Err(error) => Err(refusal(tx, &source.identifier.key(), &source.target.to_string(), error).await),
    }
}

async fn leave_archive(tx: &mut SqliteConnection, source: &Source) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM checkpoints WHERE source_id = ?1")
        .bind(source.id.0)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE leases SET fence = fence + 1, holder = NULL WHERE key = 'source:' || ?1")
        .bind(source.uid.to_string())
        .execute(tx)
        .await?;
    Ok(())
}

/// Which rule a statement on `sources` broke.
async fn refusal(tx: &mut SqliteConnection, key: &str, target: &str, error: sqlx::Error) -> StoreError {
    match broken_rule(&error) {
        Some(ErrorKind::ForeignKeyViolation) => StoreError::TargetNotFound,
        Some(ErrorKind::UniqueViolation) => {
            let existing: Result<Option<String>, sqlx::Error> =
                sqlx::query_scalar("SELECT name FROM sources WHERE identifier_key = ?1 AND target_uid = ?2")
                    .bind(key)
                    .bind(target)
                    .fetch_optional(tx)
                    .await;
            match existing {
                Ok(Some(existing)) => StoreError::DuplicateSource { existing },
                Ok(None) | Err(_) => error.into(),
            }
        }
        _ => error.into(),
    }
}
