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
