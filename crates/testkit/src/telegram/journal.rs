//! Which methods were called, by which key, on which data centre.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

use super::request::Introduction;

/// One call of a method, answered or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// As in Telegram's schema: `auth.sendCode`.
    pub method: String,
    /// Name of the key it came with. In JSON a string: JavaScript's numbers are too short for it.
    #[serde(with = "as_text")]
    pub key_id: i64,
    /// The data centre it came to.
    pub dc_id: i32,
    /// Number of the connection it came by.
    pub connection: u64,
    /// The client's own `api_id`, when this call said it (the first of a connection does).
    pub api_id: Option<i32>,
    /// The device the client says it is, likewise.
    pub device_model: Option<String>,
}

mod as_text {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
    pub(super) fn serialize<S: serde::Serializer>(id: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }
}

#[derive(Debug)]
pub(super) struct Journal {
    calls: Mutex<Vec<Call>>,
    count: watch::Sender<usize>,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            calls: Mutex::default(),
            count: watch::Sender::new(0),
        }
    }
}

impl Journal {
    pub(super) fn write(&self, method: &str, key_id: i64, dc_id: i32, connection: u64, said: Introduction) {
        let mut calls = self.book();
        calls.push(Call {
            method: method.to_owned(),
            key_id,
            dc_id,
            connection,
            api_id: said.api_id,
            device_model: said.device_model,
        });
        self.count.send_replace(calls.len());
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.book().clone()
    }

    pub(super) fn count(&self, method: &str) -> usize {
        self.book().iter().filter(|call| call.method == method).count()
    }

    pub(super) fn reset(&self) {
        self.book().clear();
    }

    /// Waits until a method was called so often.
    pub(super) async fn until(&self, method: &str, times: usize) {
        let mut count = self.count.subscribe();
        while self.count(method) < times {
            if count.changed().await.is_err() {
                return;
            }
        }
    }

    fn book(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
