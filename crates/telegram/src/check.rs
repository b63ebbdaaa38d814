//! Looking after logins that are kept: whose are they, do they still hold, and ending them.

use std::time::Duration;

use gleaner_domain::Retry;
use grammers_tl_types as tl;

use crate::account::{Account, who_am_i};
use crate::connect::Connector;
use crate::failure::{Dead, Failure, Health, Refusal, Unreachable};
use crate::keys::SessionKeys;
use crate::probe;

/// Why a session could not be shown to work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// It does not, and never will again.
    #[error(transparent)]
    Dead(#[from] Dead),
    /// Nobody could be asked.
    #[error("Telegram cannot be reached: {0}")]
    Unreachable(#[from] Unreachable),
    /// Too many questions.
    #[error("Telegram asks to wait for {seconds} seconds")]
    FloodWait {
        /// How long.
        seconds: u32,
    },
    /// Telegram does not take the API id.
    #[error("Telegram does not take the API id")]
    ApiInvalid,
    /// Something Telegram says that has no meaning here.
    #[error(transparent)]
    Telegram(#[from] Refusal),
    /// The answer could not be understood.
    #[error("Telegram's answer could not be understood")]
    NotUnderstood,
}

/// Asks Telegram whose session this is (`users.getUsers` of oneself).
///
/// Makes one short connection: hold the key's lease, and have no link of it open. A key the server
/// does not know ends as [`Dead::KeyUnknown`]; no other key is ever agreed on in its place.
pub async fn check(connector: &Connector, keys: &SessionKeys) -> Result<Account, CheckError> {
    let users = probe::ask(connector, keys, who_am_i()).await?;
    Ok(Account::of_users(users)?)
}

/// Ends a session at Telegram (`auth.logOut`). One that is over already counts as ended.
///
/// Makes one short connection, as [`check`] does.
pub async fn log_out(connector: &Connector, keys: &SessionKeys) -> Result<(), CheckError> {
    match probe::ask(connector, keys, tl::functions::auth::LogOut {}).await {
        Ok(_) | Err(Failure::Dead(_)) => Ok(()),
        Err(failure) => Err(failure.into()),
    }
}

impl CheckError {
    /// What to keep with the session.
    pub fn health(&self) -> Health {
        match self {
            Self::Dead(why) => why.health(),
            _ => Health::Unchecked,
        }
    }

    /// Whether asking again can help.
    pub fn retry(&self) -> Retry {
        match self {
            Self::FloodWait { seconds } => Retry::After(Duration::from_secs(u64::from(*seconds))),
            Self::Unreachable(_) => Retry::Backoff,
            Self::Telegram(refusal) if refusal.code.abs() >= 500 => Retry::Backoff,
            _ => Retry::Never,
        }
    }
}

impl From<Failure> for CheckError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Dead(why) => Self::Dead(why),
            Failure::Unreachable(why) => Self::Unreachable(why),
            Failure::FloodWait { seconds } => Self::FloodWait { seconds },
            Failure::Refused(refusal)
                if matches!(refusal.name.as_str(), "API_ID_INVALID" | "API_ID_PUBLISHED_FLOOD") =>
            {
                Self::ApiInvalid
            }
            // Accepted, but waiting for its password: an unfinished login.
            Failure::Refused(refusal) if refusal.name == "SESSION_PASSWORD_NEEDED" => {
                Self::Dead(Dead::Unauthorised)
            }
            // The account lives elsewhere, so nobody is logged in here.
            Failure::Migrate { .. } => Self::Dead(Dead::Unauthorised),
            Failure::Refused(refusal) => Self::Telegram(refusal),
            Failure::NotUnderstood | Failure::Closed => Self::NotUnderstood,
        }
    }
}
