//! Fences. Who is alive is proven elsewhere (a locked file); here every holder gets a number
//! above all earlier ones, and what an earlier one still tries to write is refused by it.

use chrono::{DateTime, Utc};

use crate::column::{self, Columns};
use crate::{LeaseStored, Store, StoreError};

impl Store {
    /// Takes the lease from whoever had it; returns the new fence.
    pub async fn take_lease(&self, key: &str, holder: &str, at: DateTime<Utc>) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(
            "INSERT INTO leases (key, holder, fence, taken_at) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT DO UPDATE
             SET holder = excluded.holder, fence = fence + 1, taken_at = excluded.taken_at
             RETURNING fence",
        )
        .bind(key)
        .bind(holder)
        .bind(column::ms(at))
        .fetch_one(&self.writer)
        .await?)
    }

    /// Who holds the lease, if somebody does.
    pub async fn lease(&self, key: &str) -> Result<Option<LeaseStored>, StoreError> {
        let row =
            sqlx::query("SELECT holder, fence, taken_at FROM leases WHERE key = ?1 AND holder IS NOT NULL")
                .bind(key)
                .fetch_optional(&self.readers)
                .await?;
        let Some(row) = row else { return Ok(None) };
        let mut columns = Columns::of(&row);
        Ok(Some(LeaseStored {
            holder: columns.take()?,
            fence: columns.take()?,
            taken_at: columns.time()?,
        }))
    }

    /// Lets go of the lease; whoever has lost it already changes nothing.
    pub async fn release_lease(&self, key: &str, fence: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE leases SET holder = NULL WHERE key = ?1 AND fence = ?2")
            .bind(key)
            .bind(fence)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
