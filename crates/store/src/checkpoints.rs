//! How far sources have been scraped: copies of what the manifests of their archives say.

use gleaner_domain::{Channel, Checkpoint, SourceId};
use sqlx::SqliteConnection;
use sqlx::error::ErrorKind;

use crate::error::broken_rule;
use crate::{Store, StoreError, column, index};

impl Store {
    /// How far a source has been scraped, as of the last commit of a run.
    pub async fn checkpoint(&self, id: SourceId) -> Result<Option<Checkpoint>, StoreError> {
        let text: Option<String> =
            sqlx::query_scalar("SELECT checkpoint FROM checkpoints WHERE source_id = ?1")
                .bind(id.0)
                .fetch_optional(&self.readers)
                .await?;
        text.map(|text| column::from_json("checkpoint", &text))
            .transpose()
    }

    /// Takes over a manifest's checkpoint, and what it knows of messages that vanished or came back.
    pub async fn set_checkpoint(&self, id: SourceId, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let text = column::json("checkpoint", checkpoint)?;
        let mut tx = self.write().await?;
        put(&mut tx, id, &text, None).await?;
        for recent in &checkpoint.recent {
            index::mark_gone(&mut tx, id, recent.id.0, recent.gone).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The channel's header as last read.
    pub(crate) async fn channel(&self, id: SourceId) -> Result<Option<Channel>, StoreError> {
        let text: Option<Option<String>> =
            sqlx::query_scalar("SELECT channel FROM checkpoints WHERE source_id = ?1")
                .bind(id.0)
                .fetch_optional(&self.readers)
                .await?;
        text.flatten()
            .map(|text| column::from_json("channel", &text))
            .transpose()
    }
}

/// Stores a checkpoint; without a new header the one that is there stays.
pub(crate) async fn put(
    tx: &mut SqliteConnection,
    source: SourceId,
    checkpoint: &str,
    channel: Option<&str>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO checkpoints (source_id, checkpoint, channel) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE
         SET checkpoint = excluded.checkpoint, channel = coalesce(excluded.channel, channel)",
    )
    .bind(source.0)
    .bind(checkpoint)
    .bind(channel)
    .execute(tx)
    .await
    .map_err(|error| match broken_rule(&error) {
        Some(ErrorKind::ForeignKeyViolation) => StoreError::SourceNotFound,
        _ => error.into(),
    })?;
    Ok(())
}
