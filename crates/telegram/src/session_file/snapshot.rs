//! The file and its journals as they were at one moment, and a private copy to repair.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::TempDir;

use super::{Bytes, MOST_BYTES, SessionFileError};

/// How the folders of private copies begin.
const COPIES: &str = "gleaner-session-";

/// Times a file is read that changes meanwhile.
const TRIES: usize = 3;

/// What stood in the files, all at one moment.
pub(super) struct Snapshot {
    pub(super) main: Bytes,
    /// What undoes an unfinished change.
    journal: Bytes,
    /// What was changed but not moved into the main file yet.
    wal: Bytes,
}

impl Snapshot {
    pub(super) fn take(path: &Path) -> Result<Self, SessionFileError> {
        let about = fs::metadata(path).map_err(unreadable)?;
        if about.is_dir() {
            return Err(folder(path));
        }
        // SQLite keeps journals beside the file a link points to.
        let main = fs::canonicalize(path).map_err(unreadable)?;
        let files = [main.clone(), beside(&main, "-journal"), beside(&main, "-wal")];
        for _ in 0..TRIES {
            let before = stamps(&files)?;
            let [main, journal, wal] = &files;
            let snapshot = Self {
                main: contents(main)?,
                journal: contents(journal)?,
                wal: contents(wal)?,
            };
            if stamps(&files)? == before {
                return Ok(snapshot);
            }
        }
        Err(SessionFileError::BeingWritten)
    }

    pub(super) fn has_journal(&self) -> bool {
        !(self.main.is_empty() || self.journal.is_empty() && self.wal.is_empty())
    }

    /// Writes it where only we can look, for SQLite to finish or undo what was under way.
    pub(super) fn copy(self) -> Result<Copy, SessionFileError> {
        check_journal(&self.journal)?;
        let write = || {
            let mut folder = tempfile::Builder::new();
            folder.prefix(COPIES);
            // On Windows the user's own temporary folder is private already.
            #[cfg(unix)]
            folder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
            let folder = folder.tempdir()?;
            let main = folder.path().join("copy.session");
            for (end, content) in [("", &self.main), ("-journal", &self.journal), ("-wal", &self.wal)] {
                if !content.is_empty() {
                    File::create_new(beside(&main, end))?.write_all(content)?;
                }
            }
            Ok(Copy { main, folder })
        };
        write().map_err(SessionFileError::Scratch)
    }
}

/// Deletes private copies that a process left when it was killed in the milliseconds of an import; `old` are
/// those that nobody is still reading.
pub(super) fn sweep(temporary: &Path, old: SystemTime) {
    let Ok(entries) = fs::read_dir(temporary) else {
        return;
    };
    let left = entries.flatten().filter(|entry| {
        entry.file_name().to_string_lossy().starts_with(COPIES)
            && entry
                .metadata()
                .is_ok_and(|about| about.is_dir() && about.modified().is_ok_and(|at| at < old))
    });
    for entry in left {
        if let Err(cause) = fs::remove_dir_all(entry.path()) {
            tracing::warn!(folder = %entry.path().display(), %cause, "a forgotten copy of a session file could not be deleted");
        }
    }
}

/// A private copy; gone when dropped.
pub(super) struct Copy {
    pub(super) main: PathBuf,
    folder: TempDir,
}

impl Copy {
    /// A copy that stays is a key in the open: that it does is said aloud, but spoils no import.
    pub(super) fn delete(self) {
        let folder = self.folder.path().to_owned();
        if let Err(cause) = self.folder.close() {
            tracing::warn!(folder = %folder.display(), %cause, "the copy of a session file could not be deleted");
        }
    }
}

/// Refuses a rollback journal that would do more than undo a change in the copy.
///
/// A journal may name a *super-journal* anywhere on the disk; playing it back deletes that file
/// when it is no longer needed (`pager_delsuper` in SQLite's pager.c). And its header may set the
/// size of the database, which is then made so large. See <https://www.sqlite.org/fileformat2.html>,
/// "The Rollback Journal".
fn check_journal(journal: &[u8]) -> Result<(), SessionFileError> {
    const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    // Looked at before all else, and even when the beginning is none of a journal's.
    if journal.len() >= 16 && journal.ends_with(&MAGIC) {
        return Err(SessionFileError::ForeignJournal);
    }
    if !journal.starts_with(&MAGIC) {
        return Ok(());
    }
    let number = |at: usize| {
        let bytes = journal.get(at..at + 4)?.try_into().ok()?;
        Some(u64::from(u32::from_be_bytes(bytes)))
    };
    let size = number(16).zip(number(24)).map(|(pages, bytes)| pages * bytes);
    match size {
        Some(size) if size > MOST_BYTES => Err(SessionFileError::TooBig(size)),
        _ => Ok(()),
    }
}

fn folder(path: &Path) -> SessionFileError {
    let tdata = |path: &Path| {
        ["key_datas", "key_data0", "key_data1"]
            .iter()
            .any(|name| path.join(name).exists())
    };
    if tdata(path) || tdata(&path.join("tdata")) {
        SessionFileError::Tdata
    } else {
        SessionFileError::IsFolder
    }
}

fn beside(main: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(main);
    name.push(end);
    name.into()
}

/// Empty when there is none.
fn contents(path: &Path) -> Result<Bytes, SessionFileError> {
    let about = match fs::metadata(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Bytes::default()),
        about => about.map_err(unreadable)?,
    };
    // Not a matter of taste: opening a pipe would wait for ever.
    if !about.is_file() {
        return Err(SessionFileError::NotAFile);
    }
    let file = File::open(path).map_err(unreadable)?;
    let size = about.len();
    if size > MOST_BYTES {
        return Err(SessionFileError::TooBig(size));
    }
    // Room for all of it: a buffer that grows leaves copies of a key behind.
    let mut bytes = Bytes::new(Vec::with_capacity(size as usize + 1));
    let read = file.take(size + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if read as u64 > size {
        return Err(SessionFileError::BeingWritten);
    }
    Ok(bytes)
}

type Stamp = Option<(u64, Option<SystemTime>)>;

fn stamps(files: &[PathBuf; 3]) -> Result<Vec<Stamp>, SessionFileError> {
    let stamp = |about: Metadata| Some((about.len(), about.modified().ok()));
    let stamps = files.iter().map(|path| match fs::metadata(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        about => about.map(stamp).map_err(unreadable),
    });
    stamps.collect()
}

fn unreadable(cause: io::Error) -> SessionFileError {
    // ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION.
    let locked = cfg!(windows) && matches!(cause.raw_os_error(), Some(32 | 33));
    match cause.kind() {
        _ if locked => SessionFileError::Locked,
        io::ErrorKind::NotFound => SessionFileError::Missing,
        _ => SessionFileError::Unreadable(cause),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Duration;

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_the_owner_may_look_at_the_copy_and_then_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.session");
        fs::write(&path, "main").unwrap();
        fs::write(folder.path().join("some.session-wal"), "wal").unwrap();
        let snapshot = Snapshot::take(&path).unwrap();
        assert!(snapshot.has_journal());
        let copy = snapshot.copy().unwrap();
        let private = copy.folder.path().to_owned();
        assert_eq!(
            fs::metadata(&private).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert_eq!(fs::read(beside(&copy.main, "-wal")).unwrap(), b"wal");
        copy.delete();
        assert!(!private.exists());
    }

    #[test]
    fn only_old_copies_of_ours_are_swept() {
        let temporary = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let folder = temporary.path().join(name);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("copy.session"), b"key").unwrap();
            folder
        };
        let (ours, other) = (make("gleaner-session-abc"), make("somebody-else"));
        let made = ours.metadata().unwrap().modified().unwrap();
        sweep(temporary.path(), made - Duration::from_secs(1));
        assert!(ours.exists(), "it may still be read");
        sweep(temporary.path(), made + Duration::from_secs(1));
        assert!(!ours.exists() && other.exists());
    }
}
