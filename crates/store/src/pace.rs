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

/// No host is left alone for longer; a hold further ahead comes from a clock that was set back.
const LONGEST_HOLD_MS: i64 = 24 * 60 * 60 * 1_000;

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

    async fn hold(&self, host: &str, wait: Duration) {
        if let Err(error) = self.keep_hold(host, wait).await {
            tracing::warn!(%error, "a host's wish to wait cannot be shared");
        }
    }
}

impl StorePacer {
    async fn take_turn(&self, host: &str) -> Result<Duration, StoreError> {
        let mut writer = self.store.writer.acquire().await?;
        // Only now: waiting for the connection is part of the wait.
        let now = column::ms(self.clock.now());
        let held: Option<i64> = sqlx::query_scalar("SELECT next_ms FROM pace WHERE host = ?1")
            .bind(hold_of(host))
            .fetch_optional(&mut *writer)
            .await?;
        let held = held.filter(|until| (now..=now + LONGEST_HOLD_MS).contains(until));
        let begin = held.unwrap_or(now);
        if begin > now + LONGEST_QUEUE_MS {
            // Nobody sits such a wait out, so no turn is used up by asking.
            return Ok(millis(begin - now));
        }
        let next: i64 = sqlx::query_scalar(
            "INSERT INTO pace (host, next_ms) VALUES (?1, ?2 + ?3)
             ON CONFLICT DO UPDATE
             SET next_ms = ?3 + CASE WHEN next_ms > ?2 + ?4 THEN ?2 ELSE max(next_ms, ?2) END
             RETURNING next_ms",
        )
        .bind(host)
        .bind(begin)
        .bind(self.step_ms)
        .bind(LONGEST_QUEUE_MS)
        .fetch_one(&mut *writer)
        .await?;
        Ok(millis(next - self.step_ms - now))
    }

    async fn keep_hold(&self, host: &str, wait: Duration) -> Result<(), StoreError> {
        let mut writer = self.store.writer.acquire().await?;
        let now = column::ms(self.clock.now());
        let wait = i64::try_from(wait.as_millis()).map_or(LONGEST_HOLD_MS, |wait| wait.min(LONGEST_HOLD_MS));
        // A shorter wish does not end a longer one.
        sqlx::query(
            "INSERT INTO pace (host, next_ms) VALUES (?1, ?2 + ?3)
             ON CONFLICT DO UPDATE
             SET next_ms = CASE WHEN next_ms > ?2 + ?4 THEN ?2 + ?3 ELSE max(next_ms, ?2 + ?3) END",
        )
        .bind(hold_of(host))
        .bind(now)
        .bind(wait)
        .bind(LONGEST_HOLD_MS)
        .execute(&mut *writer)
        .await?;
        Ok(())
    }
}

/// The row of a host's hold, beside that of its turns: no host has a space in its name.
fn hold_of(host: &str) -> String {
    format!("hold {host}")
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
