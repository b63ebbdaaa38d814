//! Sessions: what is known of a login, and its keys as a sealed text.

use chrono::{DateTime, Utc};
use gleaner_domain::{Account, Session, SessionHealth, SessionId, SessionUid, SourceId};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::column::{self, Columns};
use crate::error::broken_rule;
use crate::{NewSession, SealedStored, SessionStored, Store, StoreError};

macro_rules! session_columns {
    () => {
        "s.id, s.uid, s.session_name, s.phone_number, s.auth_key_id, s.origin, s.dc_id, s.foreign_address, \
         s.api_id, s.account, s.health, s.checked_at, s.created_at"
    };
}

impl Store {
    /// Adds a session.
    pub async fn insert_session(&self, new: &NewSession) -> Result<Session, StoreError> {
        let mut tx = self.write().await?;
        let name_key = name_key(&new.session_name);
        refuse_name(&mut tx, &name_key, None).await?;
        let inserted = sqlx::query(
            "INSERT INTO sessions (uid, session_name, name_key, phone_number, auth_key_id, origin, dc_id,
                                   foreign_address, api_id, account, user_id, health, checked_at, created_at,
                                   sealed_token, sealed_kid, sealed_mac)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        )
        .bind(new.uid.to_string())
        .bind(&new.session_name)
        .bind(name_key)
        .bind(&new.phone_number)
        .bind(&new.auth_key_id)
        .bind(column::word("origin", new.origin)?)
        .bind(new.dc_id)
        .bind(&new.foreign_address)
        .bind(new.api_id)
        .bind(account_json(new.account.as_ref())?)
        .bind(new.account.as_ref().map(|account| account.user_id))
        .bind(column::word("health", new.health)?)
        .bind(new.checked_at.map(column::ms))
        .bind(column::ms(new.created_at))
        .bind(&new.sealed.token)
        .bind(&new.sealed.kid)
        .bind(&new.sealed.mac)
        .execute(&mut *tx)
        .await
        .map_err(not_primary)?;
        let id = SessionId(inserted.last_insert_rowid());
        let session = read_one(&mut tx, id).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Puts another login into a session: its number, its name and its sources stay.
    pub async fn replace_session(&self, id: SessionId, new: &NewSession) -> Result<Session, StoreError> {
        let mut tx = self.write().await?;
        let name_key = name_key(&new.session_name);
        refuse_name(&mut tx, &name_key, Some(id)).await?;
        // The identity stays as well, since the seal is bound to it: whoever sealed this used the old one.
        let done = sqlx::query(
            "UPDATE sessions
             SET session_name = ?2, name_key = ?3, phone_number = ?4, auth_key_id = ?5, origin = ?6, dc_id = ?7,
                 foreign_address = ?8, api_id = ?9, account = ?10, user_id = ?11, health = ?12, checked_at = ?13,
                 sealed_token = ?14, sealed_kid = ?15, sealed_mac = ?16
             WHERE id = ?1 AND uid = ?17",
        )
        .bind(id.0)
        .bind(&new.session_name)
        .bind(name_key)
        .bind(&new.phone_number)
        .bind(&new.auth_key_id)
        .bind(column::word("origin", new.origin)?)
        .bind(new.dc_id)
        .bind(&new.foreign_address)
        .bind(new.api_id)
        .bind(account_json(new.account.as_ref())?)
        .bind(new.account.as_ref().map(|account| account.user_id))
        .bind(column::word("health", new.health)?)
        .bind(new.checked_at.map(column::ms))
        .bind(&new.sealed.token)
        .bind(&new.sealed.kid)
        .bind(&new.sealed.mac)
        .bind(new.uid.to_string())
        .execute(&mut *tx)
        .await
        .map_err(not_primary)?;
        if done.rows_affected() == 0 {
            return Err(StoreError::SessionNotFound);
        }
        let session = read_one(&mut tx, id).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// All sessions, the oldest first, each with the sources that use it.
    pub async fn sessions(&self) -> Result<Vec<SessionStored>, StoreError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            session_columns!(),
            " FROM sessions s ORDER BY s.id"
        ))
        .fetch_all(&self.readers)
        .await?;
        let mut sessions: Vec<SessionStored> = rows
            .iter()
            .map(|row| {
                Ok(SessionStored {
                    session: session(row)?,
                    sources: Vec::new(),
                })
            })
            .collect::<Result<_, StoreError>>()?;
        let used: Vec<(i64, i64, String)> = sqlx::query_as(
            "SELECT session_ref, id, name FROM sources WHERE session_ref IS NOT NULL ORDER BY session_ref, id",
        )
        .fetch_all(&self.readers)
        .await?;
        for (session_ref, source, name) in used {
            if let Ok(at) = sessions.binary_search_by_key(&session_ref, |stored| stored.session.id.0) {
                sessions[at].sources.push((SourceId(source), name));
            }
        }
        Ok(sessions)
    }

    /// One session.
    pub async fn session(&self, id: SessionId) -> Result<Session, StoreError> {
        let mut reader = self.readers.acquire().await?;
        read_one(&mut reader, id).await
    }

    /// The sealed keys of a session.
    pub async fn sealed_session(&self, id: SessionId) -> Result<SealedStored, StoreError> {
        let row: (String, String, String) =
            sqlx::query_as("SELECT sealed_token, sealed_kid, sealed_mac FROM sessions WHERE id = ?1")
                .bind(id.0)
                .fetch_optional(&self.readers)
                .await?
                .ok_or(StoreError::SessionNotFound)?;
        Ok(row.into())
    }

    /// Writes down how a session was found.
    pub async fn set_session_health(
        &self,
        id: SessionId,
        auth_key_id: &str,
        health: SessionHealth,
        account: Option<&Account>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        // Not of a login that was put in its place meanwhile.
        sqlx::query(
            "UPDATE sessions
             SET health = ?3, checked_at = ?4, account = coalesce(?5, account), user_id = coalesce(?6, user_id),
                 phone_number = CASE WHEN phone_number = '' THEN coalesce(?7, '') ELSE phone_number END
             WHERE id = ?1 AND auth_key_id = ?2",
        )
        .bind(id.0)
        .bind(auth_key_id)
        .bind(column::word("health", health)?)
        .bind(column::ms(at))
        .bind(account_json(account)?)
        .bind(account.map(|account| account.user_id))
        .bind(account.and_then(|account| account.phone_number.as_deref()))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Gives a session another name.
    pub async fn rename_session(&self, id: SessionId, name: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let key = name_key(name);
        refuse_name(&mut tx, &key, Some(id)).await?;
        let done = sqlx::query("UPDATE sessions SET session_name = ?2, name_key = ?3 WHERE id = ?1")
            .bind(id.0)
            .bind(name)
            .bind(key)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::SessionNotFound);
        }
        Ok(tx.commit().await?)
    }

    /// Removes a session that no source uses.
    pub async fn delete_session(&self, id: SessionId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let sources: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sources WHERE session_ref = ?1 ORDER BY id")
                .bind(id.0)
                .fetch_all(&mut *tx)
                .await?;
        if !sources.is_empty() {
            return Err(StoreError::SessionInUse { sources });
        }
        let done = sqlx::query("DELETE FROM sessions WHERE id = ?1")
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::SessionNotFound);
        }
        Ok(tx.commit().await?)
    }
}

async fn read_one(connection: &mut SqliteConnection, id: SessionId) -> Result<Session, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        session_columns!(),
        " FROM sessions s WHERE s.id = ?1"
    ))
    .bind(id.0)
    .fetch_optional(connection)
    .await?
    .ok_or(StoreError::SessionNotFound)?;
    session(&row)
}

async fn refuse_name(
    connection: &mut SqliteConnection,
    name_key: &str,
    but: Option<SessionId>,
) -> Result<(), StoreError> {
    let existing: Option<String> =
        sqlx::query_scalar("SELECT session_name FROM sessions WHERE name_key = ?1 AND id IS NOT ?2")
            .bind(name_key)
            .bind(but.map(|id| id.0))
            .fetch_optional(connection)
            .await?;
    match existing {
        Some(existing) => Err(StoreError::DuplicateSession { existing }),
        None => Ok(()),
    }
}

fn session(row: &SqliteRow) -> Result<Session, StoreError> {
    let mut columns = Columns::of(row);
    Ok(Session {
        id: SessionId(columns.take()?),
        uid: columns.parsed::<SessionUid>("session")?,
        session_name: columns.take()?,
        phone_number: columns.take()?,
        auth_key_id: columns.take()?,
        origin: columns.word("origin")?,
        dc_id: columns.take()?,
        foreign_address: columns.take()?,
        api_id: columns.take()?,
        account: columns
            .take::<Option<&str>>()?
            .map(|text| column::from_json("account", text))
            .transpose()?,
        health: columns.word("health")?,
        checked_at: columns.time_if()?,
        created_at: columns.time()?,
    })
}

fn account_json(account: Option<&Account>) -> Result<Option<String>, StoreError> {
    account
        .map(|account| column::json("account", account))
        .transpose()
}

fn name_key(name: &str) -> String {
    name.to_lowercase()
}

/// The tables' own guard against sealing with the wrong key; see the migration.
fn not_primary(error: sqlx::Error) -> StoreError {
    let guarded = error
        .as_database_error()
        .is_some_and(|cause| cause.message().contains("not sealed with the primary key"));
    if guarded && broken_rule(&error).is_some() {
        StoreError::NotPrimary
    } else {
        error.into()
    }
}
