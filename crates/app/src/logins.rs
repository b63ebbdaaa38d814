//! Logins in progress: in memory only, each for five minutes after its last step that worked.
//!
//! One that ends without being kept (too late, cancelled, the app quits) is logged out at Telegram.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use gleaner_domain::SessionId;
use gleaner_telegram::{Login, QrLogin, SessionKeys};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::view::{TempSession, TempStep};

/// How long a login waits for its next step.
pub(crate) const LIFE: TimeDelta = TimeDelta::minutes(5);
/// Logins at once: more is nobody's wish, and each holds a connection.
const MOST: usize = 20;

/// Wrong passwords that end a login: whoever guesses must begin anew, with a new code.
const MOST_WRONG: u32 = 3;

/// All logins in progress.
#[derive(Default)]
pub(crate) struct Logins(Mutex<HashMap<Uuid, Arc<TempLogin>>>);

/// One login in progress.
pub(crate) struct TempLogin {
    pub(crate) id: Uuid,
    /// The session it takes the place of.
    pub(crate) replaces: Option<SessionId>,
    /// The connection; one step at a time. `None` once it is over.
    pub(crate) attempt: tokio::sync::Mutex<Option<Attempt>>,
    /// What people see of it.
    shown: Mutex<TempSession>,
    /// Passwords that were wrong.
    wrong: AtomicU32,
    /// Ends whoever waits on it.
    pub(crate) over: CancellationToken,
}

/// What talks to Telegram.
pub(crate) enum Attempt {
    Code(Login),
    Qr(QrLogin),
}

impl Attempt {
    pub(crate) fn keys(&self) -> Option<SessionKeys> {
        match self {
            Self::Code(login) => login.keys(),
            Self::Qr(login) => login.keys(),
        }
    }

    /// Closes the connection; the login stays at Telegram.
    pub(crate) async fn finish(self) {
        match self {
            Self::Code(login) => drop(login.finish().await),
            Self::Qr(login) => drop(login.finish().await),
        }
    }

    /// Gives up: nothing of it stays at Telegram.
    pub(crate) async fn cancel(self) {
        match self {
            Self::Code(login) => login.cancel().await,
            Self::Qr(login) => login.cancel().await,
        }
    }
}

impl Logins {
    /// Adds a login; false while there are too many.
    pub(crate) fn add(
        &self,
        shown: TempSession,
        replaces: Option<SessionId>,
        attempt: Attempt,
    ) -> Option<Arc<TempLogin>> {
        let mut all = self.lock();
        if all.len() >= MOST {
            return None;
        }
        let login = Arc::new(TempLogin {
            id: shown.id,
            replaces,
            attempt: tokio::sync::Mutex::new(Some(attempt)),
            shown: Mutex::new(shown),
            wrong: AtomicU32::new(0),
            over: CancellationToken::new(),
        });
        all.insert(login.id, Arc::clone(&login));
        Some(login)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.lock().len() >= MOST
    }

    /// The login, unless its time is over.
    pub(crate) fn find(&self, id: Uuid, now: DateTime<Utc>) -> Option<Arc<TempLogin>> {
        let login = self.lock().get(&id).cloned()?;
        (now < login.shown().expires_at).then_some(login)
    }

    /// Whether a name is taken by a login in progress.
    pub(crate) fn has_name(&self, name: &str, now: DateTime<Utc>) -> bool {
        let name = name.to_lowercase();
        self.lock().values().any(|login| {
            let shown = login.shown();
            shown.step == TempStep::Ready
                && now < shown.expires_at
                && shown.session_name.to_lowercase() == name
        })
    }

    /// Takes a login out: it is nobody's any more.
    pub(crate) fn remove(&self, id: Uuid) -> Option<Arc<TempLogin>> {
        let login = self.lock().remove(&id)?;
        login.over.cancel();
        Some(login)
    }

    /// Takes out what is too late.
    pub(crate) fn remove_late(&self, now: DateTime<Utc>) -> Vec<Arc<TempLogin>> {
        let mut all = self.lock();
        let late: Vec<Uuid> = all
            .values()
            .filter(|login| now >= login.shown().expires_at)
            .map(|login| login.id)
            .collect();
        late.into_iter()
            .filter_map(|id| all.remove(&id))
            .inspect(|login| login.over.cancel())
            .collect()
    }

    /// Takes out all.
    pub(crate) fn remove_all(&self) -> Vec<Arc<TempLogin>> {
        let all = std::mem::take(&mut *self.lock());
        all.into_values().inspect(|login| login.over.cancel()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Arc<TempLogin>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TempLogin {
    pub(crate) fn shown(&self) -> TempSession {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut TempSession)) {
        change(&mut self.shown.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts a wrong password; false when that was one too many.
    pub(crate) fn may_try_again(&self) -> bool {
        self.wrong.fetch_add(1, Ordering::Relaxed) + 1 < MOST_WRONG
    }

    /// Ends it at Telegram, too.
    pub(crate) async fn end(&self) {
        if let Some(attempt) = self.attempt.lock().await.take() {
            attempt.cancel().await;
        }
    }
}
