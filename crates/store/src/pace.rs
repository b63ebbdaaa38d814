//! Turns to send a request, shared by all processes on this file.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gleaner_domain::Clock;
use gleaner_scrape::Pacer;

use crate::column;
use crate::{Store, StoreError};

/// No honest queue is this long: a turn further ahead comes from a clock that was set back.
const LONGEST_QUEUE_MS: i64 = 60_000;

/// A [`Pacer`] over the database.
pub struct StorePacer {
    store: Store,
    step_ms: i64,
    clock: Arc<dyn Clock>,
}

impl Store {
    /// Spaces requests so that each host gets at most `per_second` (at least 1, at most 1,000).
    pub fn pacer(&self, per_second: u32, clock: Arc<dyn Clock>) -> StorePacer {
        let step_ms = i64::from(1_000_u32.div_ceil(per_second.max(1)));
        StorePacer {
            store: self.clone(),
            step_ms,
            clock,
        }
    }
}

#[async_trait]
impl Pacer for StorePacer {
    async fn turn(&self, host: &str) -> Duration {
        match self.take_turn(host).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "turns cannot be shared: keeping the pace of this request alone");
                millis(self.step_ms)
            }
        }
    }
}

impl StorePacer {
    async fn take_turn(&self, host: &str) -> Result<Duration, StoreError> {
        let mut writer = self.store.writer.acquire().await?;
        // Only now: waiting for the connection is part of the wait.
        let now = column::ms(self.clock.now());
        let next: i64 = sqlx::query_scalar(
            "INSERT INTO pace (host, next_ms) VALUES (?1, ?2 + ?3)
             ON CONFLICT DO UPDATE
             SET next_ms = ?3 + CASE WHEN next_ms > ?2 + ?4 THEN ?2 ELSE max(next_ms, ?2) END
             RETURNING next_ms",
        )
        .bind(host)
        .bind(now)
        .bind(self.step_ms)
        .bind(LONGEST_QUEUE_MS)
        .fetch_one(&mut *writer)
        .await?;
        Ok(millis(next - self.step_ms - now))
    }
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
