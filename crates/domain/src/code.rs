//! The closed list of error codes. A code exists only if somebody branches on it:
//! the UI's table of tones and next steps, the HTTP status, the exit code, a retry.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, for machines. The sentence for people travels beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// The request itself cannot be honoured; `fields` says where.
    InvalidInput,
    /// No source with this id.
    SourceNotFound,
    /// No session with this id.
    SessionNotFound,
    /// No run with this uid.
    RunNotFound,
    /// No target with this uid.
    TargetNotFound,
    /// A private channel needs a session.
    SessionRequired,
    /// A second source for the same channel and target.
    DuplicateSource,
    /// A session with this name, or of this login, is kept already.
    DuplicateSession,
    /// A login in progress that is over, or never was.
    TempSessionNotFound,
    /// Telegram, or common sense, refuses the telephone number.
    InvalidPhone,
    /// Telegram has banned the number.
    PhoneBanned,
    /// The login code is wrong or too old.
    InvalidCode,
    /// The password of the account is wrong.
    InvalidPassword,
    /// The login in progress has not been confirmed yet.
    SessionNotVerified,
    /// Logging in needs an API id and hash.
    ApiNotSet,
    /// Telegram refuses the API id and hash.
    ApiInvalid,
    /// Telegram does not know the session any more.
    SessionDead,
    /// The file or string is no session, or one that cannot be used.
    NotASession,
    /// The keyring is locked.
    KeyringLocked,
    /// There is no keyring to keep the key in.
    KeyringAbsent,
    /// The key of the sealed sessions is not in the keyring any more.
    KeyGone,
    /// The keyring holds another key than the one the sessions are sealed with.
    KeyWrong,
    /// The thing is in use and cannot be deleted or changed now.
    InUse,
    /// A run of this source is already under way, here or elsewhere.
    AlreadyRunning,
    /// t.me knows no such name.
    ChannelUnknown,
    /// The channel exists but shows no public preview.
    ChannelNoPreview,
    /// The name belongs to a group, a person or a bot, not to a channel.
    NotAChannel,
    /// Telegram shows the channel to nobody any more.
    ChannelBanned,
    /// The name now belongs to another channel than the one scraped before.
    ChannelReplaced,
    /// Telegram asks to wait.
    FloodWait,
    /// The network, or the server beyond it, did not answer properly.
    Unreachable,
    /// The answer is not the page we know; the format may have changed.
    UnexpectedPage,
    /// The target refuses: rights, credentials, bucket.
    TargetDenied,
    /// The target cannot be reached (share not mounted, endpoint down).
    TargetUnreachable,
    /// The folder belongs to another source or archive.
    TargetForeign,
    /// What was kept in the target is not there any more, or not there now.
    ArchiveMissing,
    /// What is kept in the target cannot be read.
    ArchiveDamaged,
    /// No room left, or below the free-space floor.
    DiskFull,
    /// The byte cap of today is spent.
    DailyCapReached,
    /// Another run took over; this one must not write any more.
    LeaseLost,
    /// The app was stopped while a run went on.
    Interrupted,
    /// The local database cannot be used.
    Database,
    /// Missing or wrong token.
    Unauthorized,
    /// Wrong Host or Origin.
    Forbidden,
    /// The feature belongs to a later part of the app that is not there yet.
    NotAvailable,
    /// A defect of ours.
    Internal,
}

impl Code {
    /// The spelling on every wire: `SOURCE_NOT_FOUND`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "INVALID_INPUT",
            Self::SourceNotFound => "SOURCE_NOT_FOUND",
            Self::SessionNotFound => "SESSION_NOT_FOUND",
            Self::RunNotFound => "RUN_NOT_FOUND",
            Self::TargetNotFound => "TARGET_NOT_FOUND",
            Self::SessionRequired => "SESSION_REQUIRED",
            Self::DuplicateSource => "DUPLICATE_SOURCE",
            Self::DuplicateSession => "DUPLICATE_SESSION",
            Self::TempSessionNotFound => "TEMP_SESSION_NOT_FOUND",
            Self::InvalidPhone => "INVALID_PHONE",
            Self::PhoneBanned => "PHONE_BANNED",
            Self::InvalidCode => "INVALID_CODE",
            Self::InvalidPassword => "INVALID_PASSWORD",
            Self::SessionNotVerified => "SESSION_NOT_VERIFIED",
            Self::ApiNotSet => "API_NOT_SET",
            Self::ApiInvalid => "API_INVALID",
            Self::SessionDead => "SESSION_DEAD",
            Self::NotASession => "NOT_A_SESSION",
            Self::KeyringLocked => "KEYRING_LOCKED",
            Self::KeyringAbsent => "KEYRING_ABSENT",
            Self::KeyGone => "KEY_GONE",
            Self::KeyWrong => "KEY_WRONG",
            Self::InUse => "IN_USE",
            Self::AlreadyRunning => "ALREADY_RUNNING",
            Self::ChannelUnknown => "CHANNEL_UNKNOWN",
            Self::ChannelNoPreview => "CHANNEL_NO_PREVIEW",
            Self::NotAChannel => "NOT_A_CHANNEL",
            Self::ChannelBanned => "CHANNEL_BANNED",
            Self::ChannelReplaced => "CHANNEL_REPLACED",
            Self::FloodWait => "FLOOD_WAIT",
            Self::Unreachable => "UNREACHABLE",
            Self::UnexpectedPage => "UNEXPECTED_PAGE",
            Self::TargetDenied => "TARGET_DENIED",
            Self::TargetUnreachable => "TARGET_UNREACHABLE",
            Self::TargetForeign => "TARGET_FOREIGN",
            Self::ArchiveMissing => "ARCHIVE_MISSING",
            Self::ArchiveDamaged => "ARCHIVE_DAMAGED",
            Self::DiskFull => "DISK_FULL",
            Self::DailyCapReached => "DAILY_CAP_REACHED",
            Self::LeaseLost => "LEASE_LOST",
            Self::Interrupted => "INTERRUPTED",
            Self::Database => "DATABASE",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotAvailable => "NOT_AVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    /// What to do next, in the user's words; `None` where the sentence already says it.
    pub fn hint(self) -> Option<&'static str> {
        Some(match self {
            Self::ChannelUnknown => "Check the spelling of the name, or open it on t.me.",
            Self::ChannelNoPreview => "Add it as a private source with a session that can read it.",
            Self::NotAChannel => "Only channels have a public page; groups need a session.",
            Self::ChannelBanned => "Nothing can be read any more; what was scraped stays.",
            Self::ChannelReplaced => "Add the new channel as its own source; the old archive stays as it is.",
            Self::FloodWait => "The run goes on by itself when the wait is over.",
            Self::Unreachable => "Check the connection; the next scheduled run tries again.",
            Self::UnexpectedPage => "Update Gleaner; if it persists, copy the diagnostics into a report.",
            Self::TargetDenied => "Check the folder's permissions or the bucket's credentials in Settings.",
            Self::TargetUnreachable => "Mount the share or check the address, then press Run now.",
            Self::TargetForeign => "Choose an empty folder for this source.",
            Self::ArchiveMissing => {
                "Mount the disk, restore the folder or correct the target, then press Run now. Deleted on purpose? \
                 Choose another target for this source, or delete the source and add it again."
            }
            Self::ArchiveDamaged => {
                "Restore the archive from a backup. If a newer Gleaner wrote it, update this one."
            }
            Self::DiskFull => "Free some space or lower the free-space floor, then press Run now.",
            Self::DailyCapReached => "The run goes on tomorrow, or raise the cap of this source.",
            Self::Interrupted => "Nothing is lost: the next run goes on from the last batch.",
            Self::AlreadyRunning => "Wait for the current run, or cancel it in Activity.",
            Self::SessionRequired => "Choose a session that is a member of the channel.",
            Self::DuplicateSource => "Open the existing source, or choose another target.",
            Self::Unauthorized => "Open the address that `gleaner serve` printed.",
            Self::DuplicateSession => "Choose another name, or use the session that is there.",
            Self::TempSessionNotFound => "Start again: a login in progress ends after 5 minutes.",
            Self::InvalidPhone => "Write it in international form, such as +1234567890.",
            Self::PhoneBanned => {
                "Open an official Telegram app with this number: it offers to ask for a review."
            }
            Self::InvalidCode => {
                "Type the newest code, or ask for a new one. Never send a login code through Telegram: that voids it."
            }
            Self::InvalidPassword => {
                "This is the password of two-step verification, set in Telegram under Privacy and Security."
            }
            Self::SessionNotVerified => "Enter the code first.",
            Self::ApiNotSet => {
                "Get them at my.telegram.org under \"API development tools\", and enter them in Settings."
            }
            Self::ApiInvalid => "Check them in Settings against my.telegram.org.",
            Self::SessionDead => "Log in again: the session keeps its sources.",
            Self::KeyringLocked => "Unlock the keyring, then try again.",
            Self::KeyringAbsent => {
                "Start a keyring service, such as GNOME Keyring or KWallet, or name a key file in GLEANER_ENCRYPTION_KEY_FILE."
            }
            Self::KeyGone => "Restore it from the recovery file; nothing was changed.",
            Self::KeyWrong => "Restore the right key from the recovery file; nothing was changed.",
            _ => return None,
        })
    }
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// No: only a person can change it.
    Never,
    /// Yes, not before this much time has passed.
    After(Duration),
    /// Yes, with growing pauses.
    Backoff,
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_is_the_one_serde_uses() {
        for code in [Code::InvalidInput, Code::ChannelNoPreview, Code::DailyCapReached] {
            assert_eq!(
                serde_json::to_value(code).expect("a code is a string"),
                code.as_str()
            );
        }
    }
}
