//! The data folder: backup, move, erase. Archives are never touched here.

use std::fs;
use std::path::{Path, PathBuf};

use gleaner_domain::Code;

use crate::config::Pointer;
use crate::view::{DataReport, EraseData, PathInput};
use crate::{ApiError, ApiResult, App};

impl App {
    /// Writes a copy of the database, whole even while runs go on, into a folder.
    pub async fn backup_data(&self, to: PathInput) -> ApiResult<DataReport> {
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
            message:
                "Backup written. To restore it, quit Gleaner and put it in the data folder as gleaner.db"
                    .to_owned(),
            path: file.display().to_string(),
            restart: false,
        })
    }

    /// Moves the data folder. Runs are stopped with their checkpoints; Gleaner must be started again.
    pub async fn move_data(&self, to: PathInput) -> ApiResult<DataReport> {
        self.open_for_writing()?;
        let pointer = self.0.config.pointer.clone().ok_or_else(|| {
            ApiError::new(
                Code::InUse,
                "The data folder is named by GLEANER_DATA_DIR or --data-dir: move it yourself and change that",
            )
        })?;
        let folder = absolute(&to.path)?;
        if folder.starts_with(&self.0.config.data_dir) {
            return Err(ApiError::field(
                "path",
                "must not lie inside the present data folder",
            ));
        }
        fs::create_dir_all(&folder).map_err(|e| cannot("created", &folder, &e))?;
        let empty = fs::read_dir(&folder)
            .map_err(|e| cannot("read", &folder, &e))?
            .next()
            .is_none();
        if !empty {
            return Err(ApiError::field("path", "must be an empty folder"));
        }
        self.close("The data folder was moved: quit Gleaner and start it again")
            .await;
        self.0.store.backup_to(&folder.join("gleaner.db")).await?;
        write_pointer(&pointer, &folder)?;
        // Only now, with the new place remembered, may the old one go.
        self.0.store.close().await;
        remove_own_files(&self.0.config.data_dir);
        Ok(DataReport {
            message: "The data folder was moved. Quit Gleaner and start it again".to_owned(),
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
        self.close("All data was erased: quit Gleaner and start it again")
            .await;
        self.0.store.close().await;
        remove_own_files(&self.0.config.data_dir);
        Ok(DataReport {
            message: "Sources, runs and settings are erased; archives were not touched. Quit Gleaner and start it again"
                .to_owned(),
            path: self.0.config.data_dir.display().to_string(),
            restart: true,
        })
    }

    /// No writes from here on; runs end with their checkpoint.
    async fn close(&self, why: &str) {
        *self.0.closed.lock().expect("no panic while held") = Some(why.to_owned());
        self.0.stop.cancel();
        self.0.tasks.close();
        let patience = std::time::Duration::from_secs(10);
        if tokio::time::timeout(patience, self.0.tasks.wait()).await.is_err() {
            tracing::warn!("some tasks did not stop in time");
        }
    }
}

/// Bytes of a folder; what cannot be read counts nothing.
pub(crate) fn size_of(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size_of(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// What Gleaner itself put into its data folder: an archive may lie there too, and stays.
fn remove_own_files(dir: &Path) {
    for name in [
        "gleaner.db",
        "gleaner.db-wal",
        "gleaner.db-shm",
        "http.token",
        "scheduler.lock",
    ] {
        // A file that was never there is as good as removed.
        let _ = fs::remove_file(dir.join(name));
    }
    for name in ["locks", "logs"] {
        let _ = fs::remove_dir_all(dir.join(name));
    }
    // Only goes when nothing else is in it.
    let _ = fs::remove_dir(dir);
}

fn write_pointer(pointer: &Path, folder: &Path) -> ApiResult<()> {
    let json = serde_json::to_vec_pretty(&Pointer {
        data_dir: folder.to_owned(),
    })
    .expect("plain data");
    pointer
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(pointer, json))
        .map_err(|e| cannot("written", pointer, &e))
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
