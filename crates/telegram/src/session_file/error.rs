//! Why a file is no session, said so that its owner knows what to do.

use std::io;

use super::MOST_BYTES;
use crate::imported::FieldError;

/// Why a session file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SessionFileError {
    /// Nothing is there.
    #[error("there is no such file")]
    Missing,
    /// A folder that is no tdata.
    #[error("this is a folder; choose the .session file in it")]
    IsFolder,
    /// Telegram Desktop's folder, or a file of it.
    #[error(
        "this is Telegram Desktop's own data (tdata), which is not imported; \
         log in with a QR code instead"
    )]
    Tdata,
    /// A device, a pipe or a socket.
    #[error("this is not a file but a device or a pipe")]
    NotAFile,
    /// The file system refused.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// Windows: another program has it open for itself alone.
    #[error("another program holds the file open; close it and try again")]
    Locked,
    /// It changed each time it was read.
    #[error("a program is writing to this session right now; stop it and try again")]
    BeingWritten,
    /// Larger than any session.
    #[error("the file has {} MiB; session files are far smaller, and at most {} MiB are read", .0 >> 20, MOST_BYTES >> 20)]
    TooBig(u64),
    /// 0 bytes.
    #[error("the file is empty")]
    EmptyFile,
    /// Not SQLite.
    #[error("this is not a session file: it is not an SQLite database")]
    NotADatabase,
    /// SQLite without any table.
    #[error("the database is empty: the program that made it never logged in")]
    EmptyDatabase,
    /// Nothing in it, while its newest part may be in a write-ahead log that did not come along.
    #[error(
        "no login is in this file; it may be in the file with -wal at its end: keep both side by side and \
         choose the .session file on this computer, or close the program that made it and try again"
    )]
    NewestPartMissing,
    /// Some program's database; its tables.
    #[error("this is the database of something else, with the tables {0}")]
    SomethingElse(String),
    /// A session of grammers, the library Gleaner itself is built on.
    #[error("this is a grammers session, which is not imported; log in with a QR code or a code instead")]
    Grammers,
    /// SQLite gave up on it.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// Reading it took more work than any session does.
    #[error("the file holds far more than a session does; it is damaged or made to do harm")]
    Excessive,
    /// Its journal is part of a change across several databases, which no session has.
    #[error("the -journal file beside it belongs to several databases; it is damaged or made to do harm")]
    ForeignJournal,
    /// No row.
    #[error("no account is in it: the program that made it never logged in")]
    NoAccount,
    /// Several rows.
    #[error("more than one account is in it; a session file holds one")]
    SeveralAccounts,
    /// A field of another type than its program writes.
    #[error("the file is damaged: its {0} is of the wrong kind")]
    WrongKind(&'static str),
    /// A field that makes no sense.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The private copy could not be made.
    #[error("the file could not be copied to be read: {0}")]
    Scratch(#[source] io::Error),
}
