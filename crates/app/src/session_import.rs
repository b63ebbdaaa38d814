//! Sessions of other programs: in from a file or a string, and out again.

use std::path::Path;

use gleaner_domain::{Code, PhoneNumber, Session, SessionHealth, SessionId, SessionOrigin};
use gleaner_telegram::{CheckError, Imported, Origin, export, session_file, session_string};
use secrecy::SecretString;

use crate::login::sentence;
use crate::sessions::{NewLogin, account_of, check_error, name_of};
use crate::view::{ContractSession, ImportString, SessionRow, UploadSession};
use crate::{ApiError, ApiResult, App};

impl App {
    /// Keeps the session of an uploaded file.
    pub async fn upload_session(&self, upload: UploadSession) -> ApiResult<ContractSession> {
        let wish = Wish::of(&upload.session_name, &upload.phone_number)?;
        let read = session_file::read_bytes(&upload.file).await;
        let session = self.import(wish, read.map_err(|e| not_a_session(&e))?).await?;
        Ok(ContractSession::from(&session))
    }

    /// Keeps the session of a file on this machine, with what its program has not yet written into it.
    pub async fn import_session_file(&self, path: &Path, name: &str, phone: &str) -> ApiResult<SessionRow> {
        let wish = Wish::of(name, phone)?;
        let read = session_file::read(path).await;
        let session = self.import(wish, read.map_err(|e| not_a_session(&e))?).await?;
        self.session_row(session.id).await
    }

    /// Keeps a session that is given as a text.
    pub async fn import_session_string(&self, wish: ImportString) -> ApiResult<SessionRow> {
        let named = Wish::of(&wish.session_name, &wish.phone_number)?;
        let read = session_string::parse(&wish.session_string);
        let session = self.import(named, read.map_err(|e| not_a_session(&e))?).await?;
        self.session_row(session.id).await
    }

    /// Writes a session as a Telethon file, where no file is yet.
    pub async fn export_session_file(&self, id: SessionId, path: &Path) -> ApiResult<()> {
        let (_, keys) = self.session_keys(id).await?;
        export::telethon_file(&keys, path)
            .await
            .map_err(|e| unwritten(&e))
    }

    /// A session as Telethon's string: as secret as a password.
    pub async fn export_session_string(&self, id: SessionId) -> ApiResult<SecretString> {
        let (_, keys) = self.session_keys(id).await?;
        export::telethon_string(&keys).map_err(|e| unwritten(&e))
    }

    async fn import(&self, wish: Wish, imported: Imported) -> ApiResult<Session> {
        self.open_for_writing()?;
        if let Some(name) = &wish.name {
            self.refuse_taken_name(name).await?;
        }
        // The key first: a login that cannot be kept need not be tried.
        self.vault_to_seal().await?;
        let key_id = imported.keys.auth_key.id().to_string();
        let label = wish.name.clone().unwrap_or_else(|| "This session".to_owned());
        let lease = self.take_session_lease(&key_id, &label).await?;
        let tried = self.tried(&imported).await;
        self.release_lease(lease).await;
        let (health, account) = tried?;
        let name = if let Some(name) = wish.name {
            name
        } else {
            let known = account.as_ref().map(|account| account.name.clone());
            let name = known
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| format!("Session {}", &key_id[..6]));
            self.refuse_taken_name(&name).await?;
            name
        };
        let told = account.as_ref().and_then(|account| account.phone_number.clone());
        let new = NewLogin {
            name,
            phone: wish.phone.or(told).unwrap_or_default(),
            origin: origin_of(imported.origin),
            api_id: imported.api_id,
            account,
            health,
            foreign_address: imported.address_stated && imported.keys.is_foreign_address(),
            keys: imported.keys,
        };
        self.keep_session(new, None).await
    }

    /// Asks Telegram whose it is. Nobody to ask is no obstacle; a session that is over is one.
    async fn tried(
        &self,
        imported: &Imported,
    ) -> ApiResult<(SessionHealth, Option<gleaner_domain::Account>)> {
        let connector = match self.connector().await {
            Ok(connector) => connector,
            Err(error) if error.code == Code::ApiNotSet => return Ok((SessionHealth::Unchecked, None)),
            Err(error) => return Err(error),
        };
        match gleaner_telegram::check(&connector, &imported.keys).await {
            Ok(account) => Ok((SessionHealth::Active, Some(account_of(&account)))),
            Err(error @ CheckError::Dead(_)) => Err(check_error(&error)),
            Err(error) => {
                tracing::info!(%error, "an imported session could not be checked");
                Ok((SessionHealth::Unchecked, None))
            }
        }
    }
}

/// How an import is to be named.
struct Wish {
    /// `None`: after its account.
    name: Option<String>,
    phone: Option<String>,
}

impl Wish {
    fn of(name: &str, phone: &str) -> ApiResult<Self> {
        let phone = match phone.trim() {
            "" => None,
            typed => {
                let number: PhoneNumber = typed
                    .parse()
                    .map_err(|_| ApiError::new(Code::InvalidPhone, "Invalid phone number"))?;
                Some(number.as_str().to_owned())
            }
        };
        let name = match name.trim() {
            "" => None,
            typed => Some(name_of(typed)?),
        };
        Ok(Self { name, phone })
    }
}

fn origin_of(origin: Origin) -> SessionOrigin {
    match origin {
        Origin::Telethon { .. } | Origin::TelethonString => SessionOrigin::Telethon,
        Origin::Pyrogram { .. } | Origin::PyrogramString => SessionOrigin::Pyrogram,
        Origin::Kurigram { .. } => SessionOrigin::Kurigram,
    }
}

fn not_a_session(error: &dyn std::error::Error) -> ApiError {
    ApiError::new(Code::NotASession, sentence(error))
}

fn unwritten(error: &dyn std::error::Error) -> ApiError {
    ApiError::field("path", error.to_string())
}
