//! What the exit code tells the caller's shell.

use std::process::ExitCode;

use gleaner_app::view::RunRow;
use gleaner_domain::{Code, RunState};

/// The table of `--help`.
pub(crate) const MEANINGS: &str = "\
Exit codes:
    0  done
    1  failed
    2  the command line, or a value in it, is wrong
    3  no such source, session, run or target
    4  of several runs, some failed
    5  paused: Telegram asks to wait, or today's byte cap is spent
   69  Telegram's pages cannot be reached or read
   73  the target cannot be written
   75  already running: try again later
   78  the key that sessions are sealed with is not there
  130  cancelled; the checkpoint is kept";

/// An exit code that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Ok = 0,
    Failed = 1,
    Usage = 2,
    NotFound = 3,
    SomeFailed = 4,
    Paused = 5,
    Unreachable = 69,
    Target = 73,
    TryLater = 75,
    Key = 78,
    Cancelled = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// What an error means; no wildcard, so that a new code is a decision.
    pub(crate) fn of_code(code: Code) -> Self {
        match code {
            Code::InvalidInput
            | Code::SessionRequired
            | Code::InvalidPhone
            | Code::InvalidCode
            | Code::InvalidPassword
            | Code::SessionNotVerified
            | Code::NotASession => Self::Usage,
            Code::TempSessionNotFound
            | Code::SourceNotFound
            | Code::SessionNotFound
            | Code::RunNotFound
            | Code::TargetNotFound => Self::NotFound,
            Code::AlreadyRunning | Code::LeaseLost | Code::Interrupted => Self::TryLater,
            Code::FloodWait | Code::DailyCapReached => Self::Paused,
            Code::Unreachable | Code::UnexpectedPage => Self::Unreachable,
            Code::TargetDenied
            | Code::TargetUnreachable
            | Code::TargetForeign
            | Code::ArchiveMissing
            | Code::ArchiveDamaged
            | Code::DiskFull => Self::Target,
            Code::KeyringLocked | Code::KeyringAbsent | Code::KeyGone | Code::KeyWrong => Self::Key,
            Code::DuplicateSource
            | Code::DuplicateSession
            | Code::PhoneBanned
            | Code::ApiNotSet
            | Code::ApiInvalid
            | Code::SessionDead
            | Code::InUse
            | Code::ChannelUnknown
            | Code::ChannelNoPreview
            | Code::NotAChannel
            | Code::ChannelBanned
            | Code::ChannelReplaced
            | Code::Database
            | Code::Unauthorized
            | Code::Forbidden
            | Code::NotAvailable
            | Code::Internal => Self::Failed,
        }
    }

    /// What the end of a run means.
    pub(crate) fn of_run(run: &RunRow) -> Self {
        match run.state {
            RunState::Completed => Self::Ok,
            RunState::Paused => Self::Paused,
            RunState::Cancelled => Self::Cancelled,
            RunState::Failed => run.code.map_or(Self::Failed, Self::of_code),
            RunState::Queued | RunState::Running => Self::TryLater,
        }
    }

    /// What several ends mean together: one speaks for itself, of many the worst kind.
    pub(crate) fn of_all(exits: &[Self]) -> Self {
        let any = |wanted: Self| exits.contains(&wanted);
        match exits {
            [] => Self::Ok,
            [one] => *one,
            _ if any(Self::Cancelled) => Self::Cancelled,
            _ if exits.iter().any(|exit| !matches!(exit, Self::Ok | Self::Paused)) => Self::SomeFailed,
            _ if any(Self::Paused) => Self::Paused,
            _ => Self::Ok,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&[], Exit::Ok)]
    #[case(&[Exit::Target], Exit::Target)]
    #[case(&[Exit::Ok, Exit::Ok], Exit::Ok)]
    #[case(&[Exit::Ok, Exit::Paused], Exit::Paused)]
    #[case(&[Exit::Paused, Exit::Unreachable, Exit::Ok], Exit::SomeFailed)]
    #[case(&[Exit::Failed, Exit::Cancelled], Exit::Cancelled)]
    fn several_ends_have_one_meaning(#[case] exits: &[Exit], #[case] meaning: Exit) {
        assert_eq!(Exit::of_all(exits), meaning);
    }

    #[test]
    fn every_exit_is_explained() {
        for exit in [
            Exit::Ok,
            Exit::Failed,
            Exit::Usage,
            Exit::NotFound,
            Exit::SomeFailed,
            Exit::Paused,
        ] {
            assert!(MEANINGS.contains(&format!("\n    {}  ", exit as u8)), "{exit:?}");
        }
        for exit in [Exit::Unreachable, Exit::Target, Exit::TryLater, Exit::Cancelled] {
            assert!(MEANINGS.contains(&format!(" {}  ", exit as u8)), "{exit:?}");
        }
    }
}
