//! Settings of the app on this machine, by key.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::column;
use crate::{Store, StoreError};

impl Store {
    /// A setting, if it was ever set.
    pub async fn setting<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        let text: Option<String> = sqlx::query_scalar("SELECT value FROM settings WHERE key = ?1")
            .bind(key)
            .fetch_optional(&self.readers)
            .await?;
        text.map(|text| column::from_json("setting", &text)).transpose()
    }

    /// A setting, or this value where it was never set; of several at once the first counts for all.
    pub async fn setting_or_insert<T: Serialize + DeserializeOwned>(
        &self,
        key: &str,
        value: &T,
    ) -> Result<T, StoreError> {
        if let Some(known) = self.setting(key).await? {
            return Ok(known);
        }
        sqlx::query("INSERT INTO settings (key, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
            .bind(key)
            .bind(column::json("setting", value)?)
            .execute(&self.writer)
            .await?;
        let text: String = sqlx::query_scalar("SELECT value FROM settings WHERE key = ?1")
            .bind(key)
            .fetch_one(&self.writer)
            .await?;
        column::from_json("setting", &text)
    }

    /// Sets a setting.
    pub async fn set_setting<T: Serialize>(&self, key: &str, value: &T) -> Result<(), StoreError> {
        let text = column::json("setting", value)?;
        sqlx::query(
            "INSERT INTO settings (key, value) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET value = excluded.value",
        )
        .bind(key)
        .bind(text)
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}
