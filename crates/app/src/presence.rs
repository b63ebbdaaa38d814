//! Who has the data folder open.
//!
//! Every app shares a lock on one file for as long as it lives; the OS frees it with the process, however it
//! ends. Who moves or erases the folder must have that lock alone: on Unix another process would go on writing
//! into a file without a name, on Windows the removal would fail. The file itself always stays, so that
//! whoever comes next locks the same one.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Mutex;

use gleaner_domain::Code;

use crate::{ApiError, ApiResult, Config, places};

/// This process's share of the data folder.
pub(crate) struct Presence(Mutex<Option<File>>);

impl Presence {
    /// Takes a share; refused while another process moves or erases the folder.
    pub(crate) fn enter(config: &Config) -> ApiResult<Self> {
        let path = places::presence_lock(config);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| unusable(&path, &e))?;
        match file.try_lock_shared() {
            Ok(()) => Ok(Self(Mutex::new(Some(file)))),
            Err(TryLockError::WouldBlock) => Err(ApiError::new(
                Code::InUse,
                format!(
                    "{} was moved or erased by a Gleaner that is still open: quit it, then start again",
                    config.data_dir.display()
                ),
            )),
            Err(TryLockError::Error(e)) => Err(unusable(&path, &e)),
        }
    }

    /// Takes the folder for this process alone. Refused, with the share kept, while others have it open.
    pub(crate) fn alone(&self, config: &Config) -> ApiResult<()> {
        let held = self.0.lock().expect("no panic while held");
        let Some(file) = &*held else {
            return Err(ApiError::new(Code::NotAvailable, "Gleaner is quitting"));
        };
        let failed = |e: &std::io::Error| unusable(&places::presence_lock(config), e);
        // Not every system turns a shared lock into an exclusive one in place.
        file.unlock().map_err(|e| failed(&e))?;
        match file.try_lock() {
            Ok(()) => Ok(()),
            Err(error) => {
                // In the moment between, somebody else may have taken the folder: then it is theirs.
                let _ = file.try_lock_shared();
                Err(match error {
                    TryLockError::WouldBlock => ApiError::new(
                        Code::InUse,
                        "Gleaner is open elsewhere: close every other window, server and command on this data \
                         folder, then try again",
                    ),
                    TryLockError::Error(e) => failed(&e),
                })
            }
        }
    }

    /// Shares the folder again.
    pub(crate) fn share(&self) {
        if let Some(file) = &*self.0.lock().expect("no panic while held") {
            let shared = file.unlock().and_then(|()| Ok(file.try_lock_shared()?));
            if let Err(error) = shared {
                tracing::warn!(%error, "this process no longer says that it has the data folder open");
            }
        }
    }

    /// Gives the share back, once nothing of the folder is open any more.
    pub(crate) fn leave(&self) {
        drop(self.0.lock().expect("no panic while held").take());
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> ApiError {
    ApiError::new(
        Code::Database,
        format!("The lock file {} cannot be used: {error}", path.display()),
    )
}
