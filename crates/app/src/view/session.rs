//! Sessions: the contract's pictures, logins in progress, the key.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use gleaner_domain::{Account, Session, SessionHealth, SessionId, SessionOrigin, SessionUid, SourceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::contract_time;

/// A session with exactly the contract's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ContractSession {
    /// Local number.
    #[schema(example = 1)]
    pub id: SessionId,
    /// The user's name for it.
    #[schema(example = "my_telegram_session")]
    pub session_name: String,
    /// The number of the account.
    #[schema(example = "+1234567890")]
    pub phone_number: String,
    /// When it was kept.
    #[serde(serialize_with = "contract_time")]
    #[schema(example = "2025-10-30T10:00:00Z")]
    pub created_at: DateTime<Utc>,
}

impl From<&Session> for ContractSession {
    fn from(session: &Session) -> Self {
        Self {
            id: session.id,
            session_name: session.session_name.clone(),
            phone_number: session.phone_number.clone(),
            created_at: session.created_at,
        }
    }
}

/// The wish to log in with a code. The first two are the contract's.
#[derive(Clone, Default, Deserialize, ToSchema)]
pub struct SendOtp {
    /// International form.
    #[schema(example = "+1234567890", max_length = 40)]
    pub phone_number: String,
    /// The user's name for the session.
    #[schema(example = "my_telegram_session", min_length = 1, max_length = 100)]
    pub session_name: String,
    /// Log this session in again instead of making a new one: it keeps its number and its sources.
    #[serde(default)]
    pub session_id: Option<SessionId>,
}

/// A code is on its way.
#[derive(Clone, Serialize, ToSchema)]
pub struct OtpSent {
    /// For people.
    #[schema(example = "OTP sent to +1234567890")]
    pub message: String,
    /// What the next steps name.
    pub temp_session_id: Uuid,
    /// Telegram's name for the code that was sent.
    pub phone_code_hash: String,
}

/// A code, and the password if the account has one.
#[derive(Clone, Default, Deserialize, ToSchema)]
pub struct VerifyOtp {
    /// From the step before.
    pub temp_session_id: Uuid,
    /// As Telegram sent it.
    #[schema(example = "12345", max_length = 32)]
    pub code: String,
    /// Of two-step verification.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub password: Option<String>,
}

/// What a code, or a password, led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OtpVerified {
    /// For people.
    #[schema(example = "Authentication successful. Ready to finalize.")]
    pub message: String,
    /// Whether the password is still missing.
    pub requires_password: bool,
}

/// Keep a login for good.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
pub struct Finalize {
    /// From the first step.
    pub temp_session_id: Uuid,
}

/// The wish to log in by scanning a QR code with another device.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct StartQr {
    /// The user's name for the session.
    #[schema(min_length = 1, max_length = 100)]
    pub session_name: String,
    /// Log this session in again instead of making a new one.
    #[serde(default)]
    pub session_id: Option<SessionId>,
}

/// The password of two-step verification.
#[derive(Clone, Default, Deserialize, ToSchema)]
pub struct TempPassword {
    /// As its owner set it in Telegram.
    #[schema(max_length = 1024)]
    pub password: String,
}

/// A login in progress: in memory only, and for five minutes after the last step that worked.
#[derive(Clone, Serialize, ToSchema)]
pub struct TempSession {
    /// What the steps name.
    pub id: Uuid,
    /// The user's name for the session.
    pub session_name: String,
    /// The number, as typed; empty for a QR login.
    pub phone_number: String,
    /// What it waits for.
    pub step: TempStep,
    /// When it ends unless a step works before.
    pub expires_at: DateTime<Utc>,
    /// Where the code was sent.
    pub delivery: Option<CodeDelivery>,
    /// Digits of the code, if Telegram says.
    pub code_length: Option<u32>,
    /// From when on another code may be asked for; `null` when there is no other way.
    pub resend_at: Option<DateTime<Utc>>,
    /// How the next code would come.
    pub next_delivery: Option<CodeDelivery>,
    /// What the owner wrote down to remember the password.
    pub password_hint: Option<String>,
    /// What the QR code holds; it changes every half minute.
    pub qr: Option<QrCode>,
    /// Who it is, once logged in.
    pub account: Option<Account>,
    /// Why the last step of a QR login failed, for people.
    pub problem: Option<String>,
}

/// What a login in progress waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TempStep {
    /// The code.
    Code,
    /// Another device that scans the QR code.
    Qr,
    /// The password.
    Password,
    /// To be kept.
    Ready,
}

/// A QR code as text and as squares.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct QrCode {
    /// Rows of the code, each a text of `1` (dark) and `0`.
    pub rows: Vec<String>,
    /// Until when it can be scanned.
    pub expires_at: DateTime<Utc>,
}

/// How a code comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CodeDelivery {
    /// A message in a Telegram app that is logged in.
    App,
    /// A text message.
    Sms,
    /// A call that says it.
    Call,
    /// A call whose number holds it.
    MissedCall,
    /// A mail to the address of the account.
    Email,
    /// On fragment.com.
    Fragment,
    /// In some other way.
    Other,
}

/// A session as a row of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionRow {
    /// Local number.
    pub id: SessionId,
    /// Identity everywhere else.
    pub uid: SessionUid,
    /// The user's name for it.
    pub session_name: String,
    /// The number of the account; may be empty.
    pub phone_number: String,
    /// When it was kept.
    pub created_at: DateTime<Utc>,
    /// How it came to us.
    pub origin: SessionOrigin,
    /// Whether it works, as last seen.
    pub health: SessionHealth,
    /// When that was seen.
    pub checked_at: Option<DateTime<Utc>>,
    /// Whose account it is, once checked.
    pub account: Option<Account>,
    /// Telegram's data centre it lives on.
    pub dc_id: i32,
    /// The server it talks to where that is not Telegram's own.
    pub foreign_address: Option<String>,
    /// What to look at, for people: another account than the number says, the same key twice.
    pub warnings: Vec<String>,
    /// The sources that use it.
    pub sources: Vec<SessionSource>,
}

/// A source that uses a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SessionSource {
    /// Its number.
    pub id: SourceId,
    /// Its name.
    pub name: String,
}

/// A session file as it was uploaded.
#[derive(Clone, Default)]
pub struct UploadSession {
    /// The user's name for it.
    pub session_name: String,
    /// The number of the account; may be empty.
    pub phone_number: String,
    /// The file: as secret as a password.
    pub file: Bytes,
}

/// A session from a text, as Telethon and Pyrogram write it.
#[derive(Clone, Default, Deserialize, ToSchema)]
pub struct ImportString {
    /// The user's name for it.
    #[schema(min_length = 1, max_length = 100)]
    pub session_name: String,
    /// The number of the account; may be empty.
    #[serde(default)]
    #[schema(max_length = 40)]
    pub phone_number: String,
    /// The text: as secret as a password.
    #[schema(min_length = 1, max_length = 2000)]
    pub session_string: String,
}

/// Another name.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
pub struct EditSession {
    /// The user's name for it.
    #[schema(min_length = 1, max_length = 100)]
    pub session_name: String,
}

/// With what logins are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TelegramSettings {
    /// Of my.telegram.org; `null` until it is set.
    pub api_id: Option<i32>,
    /// Whether the hash is set; it is never shown.
    pub api_hash_set: bool,
    /// Through which proxy Telegram is reached.
    pub proxy: Option<ProxyRow>,
}

/// A proxy without its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProxyRow {
    /// Name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who we are to it.
    pub username: Option<String>,
    /// Whether a password is set; it is never shown.
    pub password_set: bool,
}

/// Changes of how logins are made; what is absent stays.
#[derive(Clone, Default, Deserialize, ToSchema)]
pub struct EditTelegram {
    /// Of my.telegram.org.
    #[serde(default)]
    #[schema(minimum = 1)]
    pub api_id: Option<i32>,
    /// 32 hexadecimal digits.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub api_hash: Option<String>,
    /// A SOCKS5 proxy; an empty host removes it.
    #[serde(default)]
    pub proxy: Option<EditProxy>,
}

/// A SOCKS5 proxy.
#[derive(Clone, Default, Deserialize, ToSchema)]
pub struct EditProxy {
    /// Name or address; empty for none.
    #[schema(max_length = 255)]
    pub host: String,
    /// Its port.
    #[serde(default)]
    pub port: u16,
    /// Who we are to it.
    #[serde(default)]
    #[schema(max_length = 255)]
    pub username: Option<String>,
    /// Kept as it is when absent.
    #[serde(default)]
    #[schema(max_length = 255)]
    pub password: Option<String>,
}

/// The key that sessions are sealed with: whether it is there, and what to do if not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeyStatus {
    /// What was found.
    pub state: KeyState,
    /// The first digits of its fingerprint: tells keys apart, and no more.
    pub kid: Option<String>,
    /// The key the sessions were sealed with, where that is another one.
    pub expected_kid: Option<String>,
    /// Where it is kept, for people.
    pub kept_in: String,
    /// What was found, for people.
    pub detail: String,
    /// What to do, for people.
    pub hint: Option<String>,
    /// Whether a recovery file was ever saved.
    pub recovery_saved: bool,
}

/// Whether the key is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// There, and the right one.
    Ready,
    /// Nothing is sealed yet; the first session makes one.
    None,
    /// The keyring is locked.
    Locked,
    /// There is no keyring.
    Absent,
    /// The keyring has it no more.
    Gone,
    /// It is another key.
    Wrong,
    /// What is kept there is no key.
    Damaged,
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RotationReport {
    /// The key that seals from now on.
    pub kid: String,
    /// Things sealed again.
    pub resealed: u64,
}
