//! A session: a login at Telegram that we keep, sealed, and whose name people know.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{SessionId, SessionUid};

/// A session without its keys: those are sealed, and only the vault opens them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The contract's local number.
    pub id: SessionId,
    /// The identity everywhere else.
    pub uid: SessionUid,
    /// The user's name for it; no two are equal but for the case of letters.
    pub session_name: String,
    /// The number of the account, as the user or Telegram gave it; empty when nobody did.
    pub phone_number: String,
    /// Which auth key it is: 16 hexadecimal digits. Two sessions of one key must not run at once.
    pub auth_key_id: String,
    /// How it came to us.
    pub origin: SessionOrigin,
    /// Telegram's data centre it lives on.
    pub dc_id: i32,
    /// The server it talks to where that is not Telegram's own.
    pub foreign_address: Option<String>,
    /// The application it was made with, as far as known.
    pub api_id: Option<i32>,
    /// Whose account it is, once checked.
    pub account: Option<Account>,
    /// Whether it works, as last seen.
    pub health: SessionHealth,
    /// When that was seen.
    pub checked_at: Option<DateTime<Utc>>,
    /// When it was kept.
    pub created_at: DateTime<Utc>,
}

/// Whose account a session is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Telegram's number of the user.
    pub user_id: i64,
    /// First and last name.
    pub name: String,
    /// Without the `@`.
    pub username: Option<String>,
    /// With the `+`, if Telegram tells it.
    pub phone_number: Option<String>,
    /// Whether it is a bot.
    pub is_bot: bool,
}

/// How a session came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionOrigin {
    /// A code that Telegram sent.
    Otp,
    /// A QR code that another device scanned.
    Qr,
    /// A Telethon file or string.
    Telethon,
    /// A Pyrogram file or string.
    Pyrogram,
    /// A Kurigram file.
    Kurigram,
}

/// Whether a session works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionHealth {
    /// Nobody has asked yet: offline, or no API id when it was imported.
    Unchecked,
    /// Telegram knows it.
    Active,
    /// Telegram does not know it, or not any more: logged out, expired, revoked.
    Unauthorised,
    /// The account is banned or deleted.
    Banned,
    /// The key was used from two places at once; Telegram has made it invalid for good.
    Duplicated,
}

impl SessionHealth {
    /// Whether logging in again is the only cure.
    pub fn is_dead(self) -> bool {
        matches!(self, Self::Unauthorised | Self::Banned | Self::Duplicated)
    }
}

/// A telephone number in international form: `+` and 7 to 15 digits (ITU-T E.164).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// `+1234567890`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is typed is no telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a telephone number in international form, such as +1234567890")]
pub struct PhoneNumberError;

impl FromStr for PhoneNumber {
    type Err = PhoneNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let rest = text
            .strip_prefix('+')
            .or_else(|| text.strip_prefix("00"))
            .ok_or(PhoneNumberError)?;
        let mut digits = String::with_capacity(16);
        digits.push('+');
        for c in rest.chars() {
            match c {
                '0'..='9' => digits.push(c),
                // As people write them.
                ' ' | '\u{a0}' | '-' | '(' | ')' | '.' | '/' => {}
                _ => return Err(PhoneNumberError),
            }
        }
        if !(8..=16).contains(&digits.len()) || digits.starts_with("+0") {
            return Err(PhoneNumberError);
        }
        Ok(Self(digits))
    }
}

/// Never the number: it must not reach a log.
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(text: &str) -> Option<String> {
        text.parse::<PhoneNumber>()
            .ok()
            .map(|phone| phone.as_str().to_owned())
    }

    #[test]
    fn all_spellings_of_a_number_are_one() {
        for text in [
            "+1234567890",
            " +1 (234) 567-890 ",
            "001234567890",
            "+1.234.567.890",
        ] {
            assert_eq!(phone(text).as_deref(), Some("+1234567890"), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "+",
            "1234567890",
            "+12345",
            "+12345678901234567",
            "+123456789a",
            "+0123456789",
            "hello",
        ] {
            assert_eq!(phone(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_never_prints() {
        let number: PhoneNumber = "+1234567890".parse().expect("a number");
        assert!(!format!("{number:?}").contains("234"));
    }
}
