//! What a request to Telegram ends with when it does not end well: grammers' errors and Telegram's
//! names in our words, with nothing of the upstream text but the name of the error.

use grammers_mtproto::transport;
use grammers_mtsender::InvocationError;

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection, or no answer on it, after all the tries.
    #[error("Telegram cannot be reached: {0}")]
    Unreachable(#[from] Unreachable),
    /// Telegram asks to wait (420, whatever the name: `FLOOD_WAIT_X`, `SLOWMODE_WAIT_X`, ...).
    #[error("Telegram asks to wait for {seconds} seconds")]
    FloodWait {
        /// How long.
        seconds: u32,
    },
    /// The request belongs to another data centre (303).
    #[error("the account belongs to data centre {dc_id}")]
    Migrate {
        /// Which one.
        dc_id: i32,
    },
    /// The session is over, and no repetition will change that.
    #[error(transparent)]
    Dead(#[from] Dead),
    /// Telegram refused, for a reason the caller may know.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The answer could not be understood, or it broke the connection's task.
    #[error("Telegram's answer could not be understood")]
    NotUnderstood,
    /// The link was closed on our side.
    #[error("the connection was closed")]
    Closed,
}

/// A refusal by its name (<https://core.telegram.org/api/errors>).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Telegram refused: {name} ({code})")]
pub struct Refusal {
    /// Much like an HTTP status; 5xx is Telegram's own trouble.
    pub code: i32,
    /// Capital letters and underscores only, without the number Telegram may put in.
    pub name: String,
}

/// What stood in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// The network: refused, reset, no route.
    #[error("the connection failed")]
    Connection,
    /// Silence until our own deadline.
    #[error("no answer in time")]
    Timeout,
    /// Transport error 429.
    #[error("it says there are too many connections from here")]
    TooManyConnections,
    /// No key could be agreed on with a new data centre.
    #[error("the handshake failed")]
    Handshake,
    /// The proxy has no address, or is none we can use.
    #[error("the proxy's name has no address")]
    Proxy,
    /// The one who knows the data centres has no answer for this one.
    #[error("data centre {0} is not known here")]
    DataCentre(i32),
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Dead {
    /// The key is known, but no account is logged in with it.
    #[error("the session is not logged in any more")]
    Unauthorised,
    /// Ended from another device, or by age.
    #[error("the session was ended from another device or has expired")]
    Revoked,
    /// The account was deleted or banned.
    #[error("the account is deleted or banned")]
    Banned,
    /// The key was used from two places at once: Telegram destroyed it.
    #[error("the session was used from two places at once, so Telegram ended it")]
    Duplicated,
    /// The server has never heard of the key (transport error 404).
    #[error("Telegram does not know the session's key")]
    KeyUnknown,
}

/// The state of a session, as it is kept with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Health {
    /// Logged in at the last look.
    Active,
    /// Not, or no longer, logged in.
    Unauthorised,
    /// The account is deleted or banned.
    Banned,
    /// Destroyed for being used twice.
    Duplicated,
    /// Not looked at yet, or Telegram could not be asked.
    Unchecked,
}

impl Health {
    /// The spelling kept and shown: `unauthorised`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Unauthorised => "unauthorised",
            Self::Banned => "banned",
            Self::Duplicated => "duplicated",
            Self::Unchecked => "unchecked",
        }
    }
}

impl Dead {
    /// What to keep with the session.
    pub fn health(self) -> Health {
        match self {
            Self::Unauthorised | Self::Revoked | Self::KeyUnknown => Health::Unauthorised,
            Self::Banned => Health::Banned,
            Self::Duplicated => Health::Duplicated,
        }
    }
}

impl Failure {
    /// Whether it is the refusal with this name.
    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.name == name)
    }

    /// What an answer of grammers' amounts to.
    pub(crate) fn of(error: InvocationError) -> Self {
        match error {
            InvocationError::Rpc(error) => Self::told(error.code, &error.name, error.value),
            InvocationError::Transport(transport::Error::BadStatus { status: 404 })
            // Our session takes no second key: grammers had made one because of a 404.
            | InvocationError::Session(_) => Dead::KeyUnknown.into(),
            InvocationError::Transport(transport::Error::BadStatus { status: 429 }) => {
                Unreachable::TooManyConnections.into()
            }
            InvocationError::Io(_) | InvocationError::Dropped(_) | InvocationError::Transport(_) => {
                Unreachable::Connection.into()
            }
            InvocationError::Authentication(_) => Unreachable::Handshake.into(),
            InvocationError::Deserialize(_) | InvocationError::InvalidDc => Self::NotUnderstood,
        }
    }

    fn told(code: i32, name: &str, value: Option<u32>) -> Self {
        let name: String = name
            .chars()
            .filter(|c| c.is_ascii_uppercase() || *c == '_')
            .take(64)
            .collect();
        match (code, name.as_str(), value) {
            (420, _, Some(seconds)) => Self::FloodWait { seconds },
            (303, _, Some(dc_id)) if i32::try_from(dc_id).is_ok() => Self::Migrate { dc_id: dc_id as i32 },
            (_, "AUTH_KEY_DUPLICATED", _) => Dead::Duplicated.into(),
            (_, "USER_DEACTIVATED" | "USER_DEACTIVATED_BAN" | "INPUT_USER_DEACTIVATED", _) => {
                Dead::Banned.into()
            }
            (_, "SESSION_REVOKED" | "SESSION_EXPIRED", _) => Dead::Revoked.into(),
            (401, name, _) if name != "SESSION_PASSWORD_NEEDED" => Dead::Unauthorised.into(),
            _ => Refusal { code, name }.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use grammers_mtsender::RpcError;
    use rstest::rstest;

    use super::*;

    fn told(code: i32, message: &str) -> Failure {
        let error_message = message.to_owned();
        let error = grammers_tl_types::types::RpcError {
            error_code: code,
            error_message,
        };
        Failure::of(InvocationError::Rpc(RpcError::from(error)))
    }

    #[rstest]
    #[case(420, "FLOOD_WAIT_31", Failure::FloodWait { seconds: 31 })]
    #[case(420, "FLOOD_PREMIUM_WAIT_3", Failure::FloodWait { seconds: 3 })]
    #[case(303, "PHONE_MIGRATE_4", Failure::Migrate { dc_id: 4 })]
    #[case(401, "AUTH_KEY_UNREGISTERED", Failure::Dead(Dead::Unauthorised))]
    #[case(401, "SESSION_REVOKED", Failure::Dead(Dead::Revoked))]
    #[case(401, "USER_DEACTIVATED_BAN", Failure::Dead(Dead::Banned))]
    #[case(406, "AUTH_KEY_DUPLICATED", Failure::Dead(Dead::Duplicated))]
    fn names_with_a_meaning_of_their_own(#[case] code: i32, #[case] name: &str, #[case] means: Failure) {
        assert_eq!(told(code, name), means);
    }

    #[test]
    fn a_pending_password_is_no_dead_session() {
        assert!(told(401, "SESSION_PASSWORD_NEEDED").is("SESSION_PASSWORD_NEEDED"));
    }

    #[test]
    fn only_a_name_is_kept_of_what_a_server_says() {
        let refused = told(400, "WEIRD for +15550001 <b>12345</b>");
        assert_eq!(refused.to_string(), "Telegram refused: WEIRD (400)");
    }

    #[test]
    fn an_unknown_key_is_a_dead_session() {
        let unknown = InvocationError::Transport(transport::Error::BadStatus { status: 404 });
        assert_eq!(Failure::of(unknown), Failure::Dead(Dead::KeyUnknown));
    }
}
