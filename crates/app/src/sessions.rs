//! Sessions that are kept: list, name, check, delete.

use std::collections::HashMap;

use chrono::TimeDelta;
use gleaner_domain::{Account, Code, Session, SessionHealth, SessionId, SessionOrigin, SessionUid};
use gleaner_store::{NewSession, SessionStored};
use gleaner_telegram::{CheckError, Health, SessionKeys};
use secrecy::ExposeSecret as _;

use crate::lease::Lease;
use crate::login::sentence;
use crate::sources::required;
use crate::view::{ContractSession, EditSession, Message, SessionRow, SessionSource, Tag};
use crate::{ApiError, ApiResult, App};

/// Longest name of a session.
const LONGEST_NAME: usize = 100;
/// How often each session is asked about without being told to.
const CHECK_EVERY: TimeDelta = TimeDelta::days(1);

/// A login to keep.
pub(crate) struct NewLogin {
    pub(crate) name: String,
    pub(crate) phone: String,
    pub(crate) origin: SessionOrigin,
    pub(crate) api_id: Option<i32>,
    pub(crate) account: Option<Account>,
    pub(crate) health: SessionHealth,
    /// Whether its server is not one of Telegram's.
    pub(crate) foreign_address: bool,
    pub(crate) keys: SessionKeys,
}

impl App {
    /// All sessions, as the contract shows them.
    pub async fn list_sessions(&self) -> ApiResult<Vec<ContractSession>> {
        let stored = self.0.store.sessions().await?;
        Ok(stored
            .iter()
            .map(|stored| ContractSession::from(&stored.session))
            .collect())
    }

    /// All sessions as rows of the list.
    pub async fn list_session_rows(&self) -> ApiResult<Vec<SessionRow>> {
        Ok(rows(self.0.store.sessions().await?))
    }

    /// The session a person means by its number or its name.
    pub async fn find_session(&self, text: &str) -> ApiResult<SessionRow> {
        let all = self.list_session_rows().await?;
        let by_id = text.parse::<i64>().ok().map(SessionId);
        let key = text.to_lowercase();
        all.iter()
            .find(|row| Some(row.id) == by_id)
            .or_else(|| all.iter().find(|row| row.session_name.to_lowercase() == key))
            .cloned()
            .ok_or_else(ApiError::session_not_found)
    }

    /// Gives a session another name.
    pub async fn edit_session(&self, id: SessionId, edit: EditSession) -> ApiResult<SessionRow> {
        self.open_for_writing()?;
        self.0
            .store
            .rename_session(id, &name_of(&edit.session_name)?)
            .await?;
        self.changed(Tag::Sessions, None, None).await;
        self.session_row(id).await
    }

    /// Asks Telegram whether a session works, and writes down what it says.
    pub async fn check_session(&self, id: SessionId) -> ApiResult<SessionRow> {
        self.open_for_writing()?;
        let (session, keys) = self.session_keys(id).await?;
        let connector = self.connector().await?;
        let lease = self.take_key_lease(&session).await?;
        let seen = gleaner_telegram::check(&connector, &keys).await;
        self.release_lease(lease).await;
        let (health, account) = match seen {
            Ok(account) => (SessionHealth::Active, Some(account_of(&account))),
            Err(CheckError::Dead(why)) => (health_of(why.health()), None),
            Err(error) => return Err(check_error(&error)),
        };
        let now = self.0.clock.now();
        self.0
            .store
            .set_session_health(id, &session.auth_key_id, health, account.as_ref(), now)
            .await?;
        self.changed(Tag::Sessions, None, None).await;
        self.session_row(id).await
    }

    /// Removes a session that no source uses; `log_out` ends it at Telegram as well.
    pub async fn delete_session(&self, id: SessionId, log_out: bool) -> ApiResult<Message> {
        self.open_for_writing()?;
        let stored = self.stored_session(id).await?;
        // Before anything is done at Telegram: the answer would come too late.
        if !stored.sources.is_empty() {
            let sources = stored.sources.into_iter().map(|(_, name)| name).collect();
            return Err(gleaner_store::StoreError::SessionInUse { sources }.into());
        }
        let lease = self.take_key_lease(&stored.session).await?;
        let ended = if log_out { self.log_out(id).await } else { Ok(()) };
        let deleted = match ended {
            Ok(()) => self.0.store.delete_session(id).await.map_err(ApiError::from),
            Err(error) => Err(error),
        };
        self.release_lease(lease).await;
        deleted?;
        self.changed(Tag::Sessions, None, None).await;
        Ok(Message {
            message: "Session deleted successfully".to_owned(),
        })
    }

    /// Checks the sessions nobody asked about for a day; goes on after a failure.
    pub(crate) async fn check_sessions_of_yesterday(&self) {
        let Ok(stored) = self.0.store.sessions().await else {
            return;
        };
        let now = self.0.clock.now();
        for SessionStored { session, .. } in stored {
            let due = session.checked_at.is_none_or(|at| now - at >= CHECK_EVERY);
            if !due || session.health.is_dead() || self.0.stop.is_cancelled() {
                continue;
            }
            if let Err(error) = self.check_session(session.id).await {
                tracing::info!(code = %error.code, session = %session.id, "a session could not be checked");
                // Without an API id, a key or a network the next one would fare no better.
                if !matches!(error.code, Code::AlreadyRunning | Code::SessionNotFound) {
                    return;
                }
            }
        }
    }

    /// Seals and keeps a login, in the place of another one if asked.
    pub(crate) async fn keep_session(
        &self,
        new: NewLogin,
        replaces: Option<SessionId>,
    ) -> ApiResult<Session> {
        let auth_key_id = new.keys.auth_key.id().to_string();
        self.refuse_same_login(&auth_key_id, replaces).await?;
        let (uid, created_at) = match replaces {
            Some(id) => {
                let old = self.0.store.session(id).await?;
                (old.uid, old.created_at)
            }
            None => (SessionUid::new(), self.0.clock.now()),
        };
        let sealed = self
            .seal(&binding(uid), new.keys.to_blob().expose_secret())
            .await?;
        let row = NewSession {
            uid,
            session_name: new.name,
            phone_number: new.phone,
            auth_key_id,
            origin: new.origin,
            dc_id: new.keys.dc_id,
            foreign_address: new.foreign_address.then(|| new.keys.address.to_string()),
            api_id: new.api_id,
            account: new.account,
            health: new.health,
            checked_at: (new.health != SessionHealth::Unchecked).then(|| self.0.clock.now()),
            created_at,
            sealed,
        };
        let kept = match replaces {
            Some(id) => self.0.store.replace_session(id, &row).await?,
            None => self.0.store.insert_session(&row).await?,
        };
        self.changed(Tag::Sessions, None, None).await;
        Ok(kept)
    }

    pub(crate) async fn refuse_taken_name(&self, name: &str) -> ApiResult<()> {
        let key = name.to_lowercase();
        let all = self.0.store.sessions().await?;
        match all
            .iter()
            .find(|stored| stored.session.session_name.to_lowercase() == key)
        {
            Some(stored) => Err(gleaner_store::StoreError::DuplicateSession {
                existing: stored.session.session_name.clone(),
            }
            .into()),
            None => Ok(()),
        }
    }

    /// A session and what it takes to be it.
    pub(crate) async fn session_keys(&self, id: SessionId) -> ApiResult<(Session, SessionKeys)> {
        let session = self.0.store.session(id).await?;
        let sealed = self.0.store.sealed_session(id).await?;
        let blob = self.open_sealed(&binding(session.uid), &sealed).await?;
        let keys = SessionKeys::from_blob(blob.expose_secret())
            .map_err(|_| ApiError::new(Code::Database, "A sealed session cannot be read"))?;
        Ok((session, keys))
    }

    pub(crate) async fn session_row(&self, id: SessionId) -> ApiResult<SessionRow> {
        let all = self.list_session_rows().await?;
        all.into_iter()
            .find(|row| row.id == id)
            .ok_or_else(ApiError::session_not_found)
    }

    async fn stored_session(&self, id: SessionId) -> ApiResult<SessionStored> {
        let all = self.0.store.sessions().await?;
        all.into_iter()
            .find(|stored| stored.session.id == id)
            .ok_or_else(ApiError::session_not_found)
    }

    async fn refuse_same_login(&self, auth_key_id: &str, but: Option<SessionId>) -> ApiResult<()> {
        let all = self.0.store.sessions().await?;
        let same = all
            .iter()
            .find(|stored| stored.session.auth_key_id == auth_key_id && Some(stored.session.id) != but);
        match same {
            Some(stored) => Err(ApiError::new(
                Code::DuplicateSession,
                format!("This login is kept already, as {}", stored.session.session_name),
            )),
            None => Ok(()),
        }
    }

    async fn log_out(&self, id: SessionId) -> ApiResult<()> {
        let (_, keys) = self.session_keys(id).await?;
        let connector = self.connector().await?;
        let ended = gleaner_telegram::log_out(&connector, &keys).await;
        ended.map_err(|error| check_error(&error))
    }

    async fn take_key_lease(&self, session: &Session) -> ApiResult<Lease> {
        self.take_session_lease(&session.auth_key_id, &session.session_name)
            .await
    }
}

/// What the sealed keys of a session are bound to.
pub(crate) fn binding(uid: SessionUid) -> String {
    format!("sessions/{uid}/keys")
}

/// A session's name: 1 to 100 characters, none of them invisible.
pub(crate) fn name_of(text: &str) -> ApiResult<String> {
    required("session_name", text, LONGEST_NAME)
}

pub(crate) fn account_of(account: &gleaner_telegram::Account) -> Account {
    let last = account.last_name.as_deref().unwrap_or_default();
    Account {
        user_id: account.user_id,
        name: format!("{} {last}", account.first_name).trim().to_owned(),
        username: account.username.clone(),
        phone_number: account.phone.as_ref().map(|digits| format!("+{digits}")),
        is_bot: account.is_bot,
    }
}

pub(crate) fn health_of(health: Health) -> SessionHealth {
    match health {
        Health::Active => SessionHealth::Active,
        Health::Unauthorised => SessionHealth::Unauthorised,
        Health::Banned => SessionHealth::Banned,
        Health::Duplicated => SessionHealth::Duplicated,
        Health::Unchecked => SessionHealth::Unchecked,
    }
}

/// Why nobody could be asked.
pub(crate) fn check_error(error: &CheckError) -> ApiError {
    let code = match error {
        CheckError::Dead(_) => return ApiError::new(Code::SessionDead, "Session is no longer valid"),
        CheckError::FloodWait { seconds } => {
            let mut wait = ApiError::new(
                Code::FloodWait,
                format!("Too many attempts. Try again in {seconds} seconds"),
            );
            wait.hint = None;
            wait.retry_after_s = Some(u64::from(*seconds));
            return wait;
        }
        CheckError::Unreachable(_) => Code::Unreachable,
        CheckError::ApiInvalid => Code::ApiInvalid,
        CheckError::Telegram(_) | CheckError::NotUnderstood => Code::NotAvailable,
    };
    ApiError::new(code, sentence(error))
}

fn rows(stored: Vec<SessionStored>) -> Vec<SessionRow> {
    let mut of_account: HashMap<i64, Vec<(SessionId, String)>> = HashMap::new();
    for SessionStored { session, .. } in &stored {
        if let Some(account) = &session.account {
            let same = of_account.entry(account.user_id).or_default();
            same.push((session.id, session.session_name.clone()));
        }
    }
    stored
        .into_iter()
        .map(|SessionStored { session, sources }| SessionRow {
            warnings: warnings(&session, &of_account),
            id: session.id,
            uid: session.uid,
            session_name: session.session_name,
            phone_number: session.phone_number,
            created_at: session.created_at,
            origin: session.origin,
            health: session.health,
            checked_at: session.checked_at,
            account: session.account,
            dc_id: session.dc_id,
            foreign_address: session.foreign_address,
            sources: sources
                .into_iter()
                .map(|(id, name)| SessionSource { id, name })
                .collect(),
        })
        .collect()
}

fn warnings(session: &Session, of_account: &HashMap<i64, Vec<(SessionId, String)>>) -> Vec<String> {
    let mut warnings = Vec::new();
    let Some(account) = &session.account else {
        return warnings;
    };
    if let Some(own) = &account.phone_number
        && !session.phone_number.is_empty()
        && *own != session.phone_number
    {
        warnings.push(format!("The account's own number is {own}"));
    }
    let others: Vec<&str> = of_account
        .get(&account.user_id)
        .into_iter()
        .flatten()
        .filter(|(id, _)| *id != session.id)
        .map(|(_, name)| &**name)
        .collect();
    if !others.is_empty() {
        warnings.push(format!(
            "Another login of the same account: {}",
            others.join(", ")
        ));
    }
    warnings
}
