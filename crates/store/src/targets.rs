//! Where archives are kept.

use gleaner_domain::{Target, TargetKind, TargetSettings, TargetUid};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::column::{self, Columns};
use crate::{Store, StoreError};

macro_rules! target_columns {
    () => {
        "t.uid, t.name, t.is_default, t.settings, t.created_at"
    };
}

impl Store {
    /// Adds a target. A new default takes the place of the old one of its kind.
    pub async fn insert_target(&self, target: &Target) -> Result<(), StoreError> {
        let settings = column::json("target", &target.settings)?;
        let mut tx = self.write().await?;
        make_room_for_default(&mut tx, target).await?;
        sqlx::query(
            "INSERT INTO targets (uid, name, kind, is_default, settings, place, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(target.uid.to_string())
        .bind(&target.name)
        .bind(target.kind().as_str())
        .bind(target.is_default)
        .bind(settings)
        .bind(place(&target.settings))
        .bind(column::ms(target.created_at))
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Changes name, default and settings of a target. Its NAS marker stays: it belongs to the
    /// share, wherever that is mounted.
    pub async fn update_target(&self, target: &Target) -> Result<(), StoreError> {
        let settings = column::json("target", &target.settings)?;
        let mut tx = self.write().await?;
        make_room_for_default(&mut tx, target).await?;
        let done = sqlx::query(
            "UPDATE targets SET name = ?2, kind = ?3, is_default = ?4, settings = ?5, place = ?6 WHERE uid = ?1",
        )
        .bind(target.uid.to_string())
        .bind(&target.name)
        .bind(target.kind().as_str())
        .bind(target.is_default)
        .bind(settings)
        .bind(place(&target.settings))
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::TargetNotFound);
        }
        Ok(tx.commit().await?)
    }

    /// Removes a target that no source uses.
    pub async fn delete_target(&self, uid: TargetUid) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sources: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sources WHERE target_uid = ?1 ORDER BY id")
                .bind(uid.to_string())
                .fetch_all(&mut *tx)
                .await?;
        if !sources.is_empty() {
            return Err(StoreError::TargetInUse { sources });
        }
        let done = sqlx::query("DELETE FROM targets WHERE uid = ?1")
            .bind(uid.to_string())
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::TargetNotFound);
        }
        Ok(tx.commit().await?)
    }

    /// One target.
    pub async fn target(&self, uid: TargetUid) -> Result<Target, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            target_columns!(),
            " FROM targets t WHERE t.uid = ?1"
        ))
        .bind(uid.to_string())
        .fetch_optional(&self.readers)
        .await?
        .ok_or(StoreError::TargetNotFound)?;
        target(&mut Columns::of(&row))
    }

    /// All targets, the oldest first, each with the number of sources that use it.
    pub async fn targets(&self) -> Result<Vec<(Target, u32)>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            target_columns!(),
            ", (SELECT count(*) FROM sources s WHERE s.target_uid = t.uid)
             FROM targets t ORDER BY t.created_at, t.uid"
        ))
        .fetch_all(&self.readers)
        .await?;
        let read = |row: &SqliteRow| {
            let mut columns = Columns::of(row);
            Ok((target(&mut columns)?, columns.count()? as u32))
        };
        rows.iter().map(read).collect()
    }

    /// What the contract's word for a kind means.
    pub async fn default_target(&self, kind: TargetKind) -> Result<Option<Target>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            target_columns!(),
            " FROM targets t WHERE t.kind = ?1 AND t.is_default = 1"
        ))
        .bind(kind.as_str())
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| target(&mut Columns::of(&row))).transpose()
    }

    /// The oldest target that leads to the same place as these settings.
    pub async fn target_at(&self, settings: &TargetSettings) -> Result<Option<Target>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT ",
            target_columns!(),
            " FROM targets t WHERE t.kind = ?1 AND t.place = ?2 ORDER BY t.created_at, t.uid LIMIT 1"
        ))
        .bind(kind_of(settings).as_str())
        .bind(place(settings))
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| target(&mut Columns::of(&row))).transpose()
    }

    /// The identity written to the share at its first use, if it was used.
    pub async fn nas_marker(&self, uid: TargetUid) -> Result<Option<Uuid>, StoreError> {
        let marker: Option<String> = sqlx::query_scalar("SELECT nas_marker FROM targets WHERE uid = ?1")
            .bind(uid.to_string())
            .fetch_optional(&self.readers)
            .await?
            .ok_or(StoreError::TargetNotFound)?;
        marker
            .map(|text| {
                text.parse()
                    .map_err(|e: uuid::Error| StoreError::value("marker", e))
            })
            .transpose()
    }

    /// Remembers the identity of the share.
    pub async fn set_nas_marker(&self, uid: TargetUid, marker: Uuid) -> Result<(), StoreError> {
        let done = sqlx::query("UPDATE targets SET nas_marker = ?2 WHERE uid = ?1")
            .bind(uid.to_string())
            .bind(marker.to_string())
            .execute(&self.writer)
            .await?;
        if done.rows_affected() == 0 {
            Err(StoreError::TargetNotFound)
        } else {
            Ok(())
        }
    }
}

async fn make_room_for_default(tx: &mut SqliteConnection, target: &Target) -> Result<(), StoreError> {
    if !target.is_default {
        return Ok(());
    }
    sqlx::query("UPDATE targets SET is_default = 0 WHERE kind = ?1 AND is_default = 1 AND uid <> ?2")
        .bind(target.kind().as_str())
        .bind(target.uid.to_string())
        .execute(tx)
        .await?;
    Ok(())
}

fn target(columns: &mut Columns<'_>) -> Result<Target, StoreError> {
    Ok(Target {
        uid: columns.parsed("target")?,
        name: columns.take()?,
        is_default: columns.take()?,
        settings: columns.json("target")?,
        created_at: columns.time()?,
    })
}

/// Equal for settings that lead to the same folder or bucket; region and rights do not matter.
fn place(settings: &TargetSettings) -> String {
    match settings {
        // Only compared, so what is not Unicode may be replaced; such a path is refused as JSON anyway.
        TargetSettings::Local { path } | TargetSettings::Nas { path } => path.to_string_lossy().into_owned(),
        TargetSettings::S3 {
            bucket,
            endpoint,
            prefix,
            ..
        } => {
            let endpoint = endpoint
                .as_deref()
                .unwrap_or_default()
                .trim_end_matches('/')
                .to_lowercase();
            format!("{endpoint}/{bucket}/{prefix}")
        }
    }
}

fn kind_of(settings: &TargetSettings) -> TargetKind {
    match settings {
        TargetSettings::Local { .. } => TargetKind::Local,
        TargetSettings::Nas { .. } => TargetKind::Nas,
        TargetSettings::S3 { .. } => TargetKind::S3,
    }
}
