//! What is known of the keys that seal (never a key), and what is sealed and is no session.

use gleaner_domain::SessionUid;
use sqlx::SqliteConnection;

use crate::column::{self, Columns};
use crate::{KeyStored, SealedStored, Store, StoreError};

impl Store {
    /// All keys there ever were, the oldest first.
    pub async fn keys(&self) -> Result<Vec<KeyStored>, StoreError> {
        let rows =
            sqlx::query("SELECT kid, state, kcv, created_at FROM crypto_keys ORDER BY created_at, kid")
                .fetch_all(&self.readers)
                .await?;
        rows.iter()
            .map(|row| {
                let mut columns = Columns::of(row);
                Ok(KeyStored {
                    kid: columns.take()?,
                    state: columns.take()?,
                    kcv: columns.take()?,
                    created_at: columns.time()?,
                })
            })
            .collect()
    }

    /// Writes down the first keys of all; false when somebody else was first, and nothing is written then.
    pub async fn add_first_keys(&self, keys: &[KeyStored]) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM crypto_keys)")
            .fetch_one(&mut *tx)
            .await?;
        if there {
            return Ok(false);
        }
        for key in keys {
            sqlx::query("INSERT INTO crypto_keys (kid, state, kcv, created_at) VALUES (?1, ?2, ?3, ?4)")
                .bind(&key.kid)
                .bind(&key.state)
                .bind(&key.kcv)
                .bind(column::ms(key.created_at))
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// The id of the key that seals.
    pub async fn primary_key(&self) -> Result<Option<String>, StoreError> {
        Ok(
            sqlx::query_scalar("SELECT kid FROM crypto_keys WHERE state = 'primary'")
                .fetch_optional(&self.readers)
                .await?,
        )
    }

    /// Writes down a new key. As `primary` it takes the place of the one before, which then only opens.
    pub async fn add_key(&self, key: &KeyStored) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        if key.state == "primary" {
            sqlx::query("UPDATE crypto_keys SET state = 'decrypt' WHERE state = 'primary'")
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query(
            "INSERT INTO crypto_keys (kid, state, kcv, created_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET state = excluded.state, kcv = excluded.kcv",
        )
        .bind(&key.kid)
        .bind(&key.state)
        .bind(&key.kcv)
        .bind(column::ms(key.created_at))
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Retires a key with which nothing is sealed any more; false while something is.
    pub async fn retire_key(&self, kid: &str) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE crypto_keys SET state = 'retired'
             WHERE kid = ?1 AND state = 'decrypt'
               AND NOT EXISTS (SELECT 1 FROM sessions WHERE sealed_kid = ?1)
               AND NOT EXISTS (SELECT 1 FROM sealed_settings WHERE sealed_kid = ?1)",
        )
        .bind(kid)
        .execute(&self.writer)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Whether anything is sealed at all: then no new key may be made.
    pub async fn anything_sealed(&self) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM sessions) OR EXISTS (SELECT 1 FROM sealed_settings)",
        )
        .fetch_one(&self.readers)
        .await?)
    }

    /// Sessions that another key than this one seals, at most so many.
    pub async fn sessions_sealed_otherwise(
        &self,
        kid: &str,
        limit: u32,
    ) -> Result<Vec<(SessionUid, SealedStored)>, StoreError> {
        let rows = sqlx::query(
            "SELECT uid, sealed_token, sealed_kid, sealed_mac FROM sessions WHERE sealed_kid <> ?1
             ORDER BY id LIMIT ?2",
        )
        .bind(kid)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                let mut columns = Columns::of(row);
                Ok((columns.parsed("session")?, sealed(&mut columns)?))
            })
            .collect()
    }

    /// Puts new seals in the place of old ones, all or none; one that changed meanwhile stays as it is.
    pub async fn reseal_sessions(
        &self,
        changes: &[(SessionUid, SealedStored, SealedStored)],
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        for (uid, seen, new) in changes {
            sqlx::query(
                "UPDATE sessions SET sealed_token = ?3, sealed_kid = ?4, sealed_mac = ?5
                 WHERE uid = ?1 AND sealed_token = ?2",
            )
            .bind(uid.to_string())
            .bind(&seen.token)
            .bind(&new.token)
            .bind(&new.kid)
            .bind(&new.mac)
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// A sealed setting.
    pub async fn sealed_setting(&self, name: &str) -> Result<Option<SealedStored>, StoreError> {
        let row: Option<(String, String, String)> = sqlx::query_as(
            "SELECT sealed_token, sealed_kid, sealed_mac FROM sealed_settings WHERE name = ?1",
        )
        .bind(name)
        .fetch_optional(&self.readers)
        .await?;
        Ok(row.map(SealedStored::from))
    }

    /// Names of the settings that another key than this one seals.
    pub async fn settings_sealed_otherwise(&self, kid: &str) -> Result<Vec<String>, StoreError> {
        Ok(
            sqlx::query_scalar("SELECT name FROM sealed_settings WHERE sealed_kid <> ?1 ORDER BY name")
                .bind(kid)
                .fetch_all(&self.readers)
                .await?,
        )
    }

    /// Keeps a sealed setting; `None` forgets it.
    pub async fn set_sealed_setting(
        &self,
        name: &str,
        sealed: Option<&SealedStored>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        match sealed {
            Some(sealed) => put_setting(&mut tx, name, sealed).await?,
            None => {
                sqlx::query("DELETE FROM sealed_settings WHERE name = ?1")
                    .bind(name)
                    .execute(&mut *tx)
                    .await?;
            }
        }
        Ok(tx.commit().await?)
    }
}

async fn put_setting(
    connection: &mut SqliteConnection,
    name: &str,
    sealed: &SealedStored,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO sealed_settings (name, sealed_token, sealed_kid, sealed_mac) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET sealed_token = excluded.sealed_token, sealed_kid = excluded.sealed_kid,
                                   sealed_mac = excluded.sealed_mac",
    )
    .bind(name)
    .bind(&sealed.token)
    .bind(&sealed.kid)
    .bind(&sealed.mac)
    .execute(connection)
    .await?;
    Ok(())
}

fn sealed(columns: &mut Columns<'_>) -> Result<SealedStored, StoreError> {
    Ok(SealedStored {
        token: columns.take()?,
        kid: columns.take()?,
        mac: columns.take()?,
    })
}

impl From<(String, String, String)> for SealedStored {
    fn from((token, kid, mac): (String, String, String)) -> Self {
        Self { token, kid, mac }
    }
}
