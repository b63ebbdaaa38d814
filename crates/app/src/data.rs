//! The data folder: backup, move, erase. Archives are never touched here.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gleaner_domain::Code;
use gleaner_store::Held;

use crate::config::Pointer;
use crate::view::{DataReport, EraseData, PathInput};
use crate::{ApiError, ApiResult, App, logs, places};

/// How long a run may take to keep its batch before moving or erasing is given up.
const RUNS_END_WITHIN: Duration = Duration::from_secs(30);

const DATABASE: &str = "gleaner.db";
/// Secret of the server, which keeps it under this name.
const TOKEN: &str = "http.token";
/// What Gleaner itself puts into its data folder: an archive may lie there too, and stays. The file behind
/// [`crate::presence`] stays as well, empty.
const OWN_FILES: [&str; 5] = [
    DATABASE,
    "gleaner.db-wal",
    "gleaner.db-shm",
    TOKEN,
    "scheduler.lock",
];
const OWN_FOLDERS: [&str; 1] = ["locks"];

impl App {
    /// Writes a copy of the database, whole even while runs go on, into a folder.
    pub async fn backup_data(&self, to: PathInput) -> ApiResult<DataReport> {
        self.open_for_writing()?;
        let folder = absolute(&to.path)?;
        fs::create_dir_all(&folder).map_err(|e| cannot("created", &folder, &e))?;
        let stamp = self.0.clock.now().format("%Y%m%dT%H%M%S");
        let file = folder.join(format!("gleaner-{stamp}.db"));
        if file.exists() {
            return Err(ApiError::field(
                "path",
                format!("{} exists already", file.display()),
            ));
        }
        self.0.store.backup_to(&file).await?;
        Ok(DataReport {
            message: "Backup written. To restore it, quit Gleaner, delete gleaner.db, gleaner.db-wal and \
                      gleaner.db-shm in the data folder, and put the backup there as gleaner.db"
                .to_owned(),
            path: file.display().to_string(),
            restart: false,
        })
    }

    /// Moves the data folder. Runs are stopped with their checkpoints; Gleaner must be started again.
    pub async fn move_data(&self, to: PathInput) -> ApiResult<DataReport> {
        self.open_for_writing()?;
        let config = &self.0.config;
        let pointer = config.pointer.clone().ok_or_else(|| {
            ApiError::new(
                Code::InUse,
                "The data folder is named by GLEANER_DATA_DIR or --data-dir: move it yourself and change that",
            )
        })?;
        let folder = absolute(&to.path)?;
        if folder.starts_with(&config.data_dir) {
            return Err(ApiError::field(
                "path",
                "must not lie inside the present data folder",
            ));
        }
        let new = !folder.exists();
        fs::create_dir_all(&folder).map_err(|e| cannot("created", &folder, &e))?;
        let empty = fs::read_dir(&folder)
            .map_err(|e| cannot("read", &folder, &e))?
            .flatten()
            // What a folder that was left before keeps of us.
            .all(|entry| entry.path() == places::presence_lock_in(&folder));
        if !empty {
            return Err(ApiError::field("path", "must be an empty folder"));
        }
        let held = self.stand_still("moved").await?;
        if let Err(error) = self.copy_to(&folder, &pointer).await {
            for name in [DATABASE, TOKEN] {
                let _ = fs::remove_file(folder.join(name));
            }
            if new {
                let _ = fs::remove_dir(&folder);
            }
            drop(held);
            self.go_on();
            return Err(error);
        }
        // Only now, with the new place remembered, may the old one go.
        self.close_for_good(held, "The data folder was moved: quit Gleaner and start it again")
            .await;
        let mut message = "The data folder was moved. Quit Gleaner and start it again".to_owned();
        if let Err(left) = remove_own_files(&config.data_dir) {
            message = format!("{message}. What is left in the old one can be deleted by hand: {left}");
        }
        Ok(DataReport {
            message,
            path: folder.display().to_string(),
            restart: true,
        })
    }

    /// Erases database, locks, tokens and logs. Archives stay where they are.
    pub async fn erase_data(&self, wish: EraseData) -> ApiResult<DataReport> {
        if wish.confirm != "ERASE" {
            return Err(ApiError::field(
                "confirm",
                "type ERASE to erase all sources, runs and settings",
            ));
        }
        let config = &self.0.config;
        let held = self.stand_still("erased").await?;
        self.close_for_good(held, "All data was erased: quit Gleaner and start it again")
            .await;
        let removed = [remove_own_files(&config.data_dir), logs::remove(&config.log_dir)];
        let left: Vec<_> = removed.into_iter().filter_map(Result::err).collect();
        if !left.is_empty() {
            return Err(ApiError::new(
                Code::InUse,
                format!(
                    "Not everything could be erased: {}. Quit Gleaner and delete it by hand",
                    left.join("; ")
                ),
            ));
        }
        Ok(DataReport {
            message: "Sources, runs and settings are erased; archives were not touched. Quit Gleaner and start it again"
                .to_owned(),
            path: config.data_dir.display().to_string(),
            restart: true,
        })
    }

    /// Makes this process the only one on the data folder, ends its runs with their checkpoints, and keeps
    /// everybody from writing. Refused, all goes on as before.
    async fn stand_still(&self, to_be: &str) -> ApiResult<Held> {
        {
            let mut closed = self.0.closed.lock().expect("no panic while held");
            if let Some(why) = &*closed {
                return Err(ApiError::new(Code::NotAvailable, why.clone()));
            }
            *closed = Some(format!("The data folder is being {to_be}: try again in a moment"));
        }
        let held = async {
            self.0.presence.alone(&self.0.config)?;
            if tokio::time::timeout(RUNS_END_WITHIN, self.0.board.close())
                .await
                .is_err()
            {
                return Err(ApiError::new(
                    Code::InUse,
                    "A run does not stop: wait until it has ended, then try again",
                ));
            }
            Ok(self.0.store.hold().await?)
        };
        let held = held.await;
        if held.is_err() {
            self.go_on();
        }
        held
    }

    /// Takes back [`App::stand_still`].
    fn go_on(&self) {
        self.0.presence.share();
        self.0.board.reopen();
        *self.0.closed.lock().expect("no panic while held") = None;
        self.0.board.wake_scheduler();
    }

    /// No writes from here on. The folder stays locked until this process ends: it is nobody's any more.
    async fn close_for_good(&self, held: Held, why: &str) {
        *self.0.closed.lock().expect("no panic while held") = Some(why.to_owned());
        held.close().await;
        self.stop_tasks().await;
    }

    async fn copy_to(&self, folder: &Path, pointer: &Path) -> ApiResult<()> {
        places::own(folder).map_err(|e| cannot("closed to others", folder, &e))?;
        self.0.store.backup_to(&folder.join(DATABASE)).await?;
        let (token, copy) = (self.0.config.data_dir.join(TOKEN), folder.join(TOKEN));
        match fs::copy(token, &copy) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(cannot("written", &copy, &error)),
        }
        write_pointer(pointer, folder)
    }
}

/// Bytes of what Gleaner itself keeps in its data folder, logs included; archives do not count.
pub(crate) fn own_bytes(dir: &Path) -> u64 {
    let files = OWN_FILES
        .iter()
        .filter_map(|name| fs::metadata(dir.join(name)).ok())
        .map(|meta| meta.len());
    files.sum::<u64>() + bytes_in(&dir.join("logs"))
}

/// Bytes of the files right in a folder; what cannot be read counts nothing.
fn bytes_in(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let metas = entries.flatten().filter_map(|entry| entry.metadata().ok());
    metas.filter(fs::Metadata::is_file).map(|meta| meta.len()).sum()
}

/// Says what could not be removed, and why.
fn remove_own_files(dir: &Path) -> Result<(), String> {
    let files = OWN_FILES.map(|name| (dir.join(name), fs::remove_file(dir.join(name))));
    let folders = OWN_FOLDERS.map(|name| (dir.join(name), fs::remove_dir_all(dir.join(name))));
    let left: Vec<_> = files
        .into_iter()
        .chain(folders)
        .filter_map(|(path, removed)| match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Some(format!("{} ({error})", path.display()))
            }
            _ => None,
        })
        .collect();
    if left.is_empty() {
        Ok(())
    } else {
        Err(left.join(", "))
    }
}

/// Remembers where the data folder is: the old pointer or the new one, never half of it.
fn write_pointer(pointer: &Path, folder: &Path) -> ApiResult<()> {
    let json = serde_json::to_vec_pretty(&Pointer {
        data_dir: folder.to_owned(),
    })
    .expect("plain data");
    let home = pointer.parent().unwrap_or(Path::new("."));
    let fresh = pointer.with_extension("json.new");
    let written = fs::create_dir_all(home).and_then(|()| {
        let mut file = fs::File::create(&fresh)?;
        file.write_all(&json)?;
        file.sync_all()?;
        fs::rename(&fresh, pointer)
    });
    written.map_err(|e| cannot("written", pointer, &e))?;
    // From here on the new folder counts: that its name may not last yet must not undo that.
    #[cfg(unix)]
    if let Err(error) = fs::File::open(home).and_then(|home| home.sync_all()) {
        tracing::warn!(%error, "the new place of the data folder may not survive a power cut");
    }
    Ok(())
}

fn absolute(path: &str) -> ApiResult<PathBuf> {
    let path = PathBuf::from(path.trim());
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(ApiError::field("path", "must be an absolute path"))
    }
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> ApiError {
    ApiError::field("path", format!("{} cannot be {what}: {error}", path.display()))
}
