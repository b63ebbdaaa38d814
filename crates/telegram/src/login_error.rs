//! Why a login does not go on.

use std::time::Duration;

use gleaner_domain::Retry;

use crate::failure::{Dead, Failure, Refusal, Unreachable};

/// What Telegram, or the way to it, holds against a login. Carries nothing a person typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// No such number, or none at all.
    #[error("Telegram does not take this as a phone number")]
    PhoneInvalid,
    /// The number is banned.
    #[error("Telegram has banned this phone number")]
    PhoneBanned,
    /// Nobody registered this number.
    #[error("there is no Telegram account for this phone number")]
    NoAccount,
    /// Not the code that was sent.
    #[error("the code is not the one Telegram sent")]
    CodeInvalid,
    /// The code is too old, or was voided.
    #[error("the code has expired")]
    CodeExpired,
    /// Telegram does not remember this login.
    #[error("Telegram has forgotten this login")]
    Forgotten,
    /// Not the password of the account.
    #[error("the password is wrong")]
    PasswordInvalid,
    /// Too many attempts: nothing more for this long.
    #[error("too many attempts: Telegram asks to wait for {seconds} seconds")]
    FloodWait {
        /// How long.
        seconds: u32,
    },
    /// Too many attempts, and Telegram does not say for how long.
    #[error("too many attempts: Telegram asks to wait and does not say how long")]
    TooManyAttempts,
    /// All the ways to send a code are used up.
    #[error("Telegram has no further way to send a code")]
    NoFurtherCode,
    /// API id and hash do not fit, or are locked.
    #[error("Telegram does not take the API id and hash")]
    ApiInvalid,
    /// This login needs something only an official app can do.
    #[error("{0}")]
    NotSupported(NotSupported),
    /// The call does not fit the step: a code before one was sent, a password nobody asked for.
    #[error("that is not the step this login is at")]
    OutOfTurn,
    /// The login ended while it was under way, or the account is banned.
    #[error(transparent)]
    Dead(#[from] Dead),
    /// No connection or no answer.
    #[error("Telegram cannot be reached: {0}")]
    Unreachable(#[from] Unreachable),
    /// Something Telegram says that has no meaning here.
    #[error(transparent)]
    Telegram(#[from] Refusal),
    /// The answer could not be understood.
    #[error("Telegram's answer could not be understood")]
    NotUnderstood,
}

/// What only an official app can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSupported {
    /// The code would go to the app's push service, or an e-mail address must be set first.
    #[error("Telegram sends the code of this number to official apps only")]
    Delivery,
    /// Codes for this number cost money.
    #[error("Telegram asks for a payment before it sends a code to this number")]
    Payment,
    /// A kind of password this version does not know.
    #[error("the account's password is of a kind this version does not know")]
    Password,
    /// Telegram logged in without asking; taken back.
    #[error("Telegram logged in without a code")]
    NoCode,
}

impl LoginError {
    /// The kind, for machines: `PHONE_BANNED`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PhoneInvalid => "PHONE_INVALID",
            Self::PhoneBanned => "PHONE_BANNED",
            Self::NoAccount => "NO_ACCOUNT",
            Self::CodeInvalid => "CODE_INVALID",
            Self::CodeExpired => "CODE_EXPIRED",
            Self::Forgotten => "LOGIN_FORGOTTEN",
            Self::PasswordInvalid => "PASSWORD_INVALID",
            Self::FloodWait { .. } => "FLOOD_WAIT",
            Self::TooManyAttempts => "TOO_MANY_ATTEMPTS",
            Self::NoFurtherCode => "NO_FURTHER_CODE",
            Self::ApiInvalid => "API_INVALID",
            Self::NotSupported(_) => "NOT_SUPPORTED",
            Self::OutOfTurn => "OUT_OF_TURN",
            Self::Dead(_) => "SESSION_DEAD",
            Self::Unreachable(_) => "UNREACHABLE",
            Self::Telegram(_) => "TELEGRAM",
            Self::NotUnderstood => "NOT_UNDERSTOOD",
        }
    }

    /// Whether the same step can be tried again.
    pub fn retry(&self) -> Retry {
        match self {
            Self::FloodWait { seconds } => Retry::After(Duration::from_secs(u64::from(*seconds))),
            Self::Unreachable(Unreachable::DataCentre(_)) => Retry::Never,
            Self::Unreachable(_) => Retry::Backoff,
            Self::Telegram(refusal) if refusal.code.abs() >= 500 => Retry::Backoff,
            _ => Retry::Never,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::PhoneInvalid => "Write the number with its country code, such as +44 7700 900123.",
            Self::PhoneBanned | Self::Dead(Dead::Banned) => {
                "Open an official Telegram app with this number and send a recovery request from there."
            }
            Self::NoAccount => "Sign up in an official Telegram app first.",
            Self::CodeInvalid => "Type the newest code; it is the last message in the chat \"Telegram\".",
            Self::CodeExpired => {
                "Ask for a new code. Never send a login code to anybody through Telegram: that voids it."
            }
            Self::Forgotten => "Start again with the phone number.",
            Self::PasswordInvalid => "It is the password of two-step verification, not the code.",
            Self::NoFurtherCode => "Log in with a QR code instead.",
            Self::ApiInvalid => "Check the API id and hash in Settings against my.telegram.org.",
            Self::NotSupported(NotSupported::Delivery | NotSupported::Payment) => {
                "Log in with a QR code instead, from an app that is logged in."
            }
            Self::Dead(_) => "Log in again.",
            Self::TooManyAttempts => "Wait some hours, or log in with a QR code.",
            Self::Unreachable(Unreachable::Proxy) => "Check the proxy in Settings.",
            Self::Unreachable(_) => {
                "Check the connection; where Telegram is blocked, set a proxy in Settings."
            }
            Self::FloodWait { .. }
            | Self::NotSupported(_)
            | Self::OutOfTurn
            | Self::Telegram(_)
            | Self::NotUnderstood => return None,
        })
    }
}

impl From<Failure> for LoginError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unreachable(why) => Self::Unreachable(why),
            Failure::FloodWait { seconds } => Self::FloodWait { seconds },
            Failure::Dead(why) => Self::Dead(why),
            Failure::Refused(refusal) => Self::refused(refusal),
            // Moved too often: each place sends it on to the next.
            Failure::Migrate { .. } | Failure::NotUnderstood => Self::NotUnderstood,
            Failure::Closed => Self::Forgotten,
        }
    }
}

impl LoginError {
    fn refused(refusal: Refusal) -> Self {
        match refusal.name.as_str() {
            "PHONE_NUMBER_INVALID" => Self::PhoneInvalid,
            "PHONE_NUMBER_BANNED" => Self::PhoneBanned,
            "PHONE_NUMBER_UNOCCUPIED" | "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN" | "APP_SIGNUP_FORBIDDEN" => {
                Self::NoAccount
            }
            "PHONE_CODE_INVALID" | "PHONE_CODE_EMPTY" | "CODE_INVALID" | "EMAIL_VERIFY_EXPIRED" => {
                Self::CodeInvalid
            }
            "PHONE_CODE_EXPIRED" => Self::CodeExpired,
            "PHONE_CODE_HASH_EMPTY" | "PHONE_HASH_EXPIRED" => Self::Forgotten,
            "PASSWORD_HASH_INVALID" => Self::PasswordInvalid,
            "PHONE_NUMBER_FLOOD" | "PHONE_PASSWORD_FLOOD" => Self::TooManyAttempts,
            "SEND_CODE_UNAVAILABLE" => Self::NoFurtherCode,
            "API_ID_INVALID" | "API_ID_PUBLISHED_FLOOD" => Self::ApiInvalid,
            _ => Self::Telegram(refusal),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("PHONE_NUMBER_BANNED", "PHONE_BANNED")]
    #[case("PHONE_NUMBER_UNOCCUPIED", "NO_ACCOUNT")]
    #[case("PHONE_CODE_EMPTY", "CODE_INVALID")]
    #[case("PHONE_CODE_EXPIRED", "CODE_EXPIRED")]
    #[case("PHONE_HASH_EXPIRED", "LOGIN_FORGOTTEN")]
    #[case("SEND_CODE_UNAVAILABLE", "NO_FURTHER_CODE")]
    #[case("API_ID_PUBLISHED_FLOOD", "API_INVALID")]
    #[case("SOMETHING_NEW", "TELEGRAM")]
    fn telegrams_names_and_ours(#[case] name: &str, #[case] kind: &str) {
        let refusal = Refusal {
            code: 400,
            name: name.to_owned(),
        };
        assert_eq!(LoginError::from(Failure::from(refusal)).kind(), kind);
    }

    #[test]
    fn a_flood_says_when_to_come_back() {
        let error = LoginError::from(Failure::FloodWait { seconds: 31 });
        assert_eq!(error.retry(), Retry::After(Duration::from_secs(31)));
    }
}
