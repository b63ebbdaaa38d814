//! Folders of this process.

use std::fs;
use std::path::{Path, PathBuf};

use gleaner_domain::{Code, SourceUid};

use crate::{ApiError, ApiResult, Config};

/// Creates what must be there. The data folder is for its owner alone.
pub(crate) fn prepare(config: &Config) -> ApiResult<()> {
    for dir in [&config.data_dir, &config.log_dir, &locks(config)] {
        fs::create_dir_all(dir).map_err(|e| {
            ApiError::new(
                Code::Database,
                format!("The folder {} cannot be created: {e}", dir.display()),
            )
        })?;
    }
    own(&config.data_dir).map_err(|e| {
        ApiError::new(
            Code::Database,
            format!("The folder {}: {e}", config.data_dir.display()),
        )
    })
}

/// The file whose lock proves that a run of this source is alive.
pub(crate) fn source_lock(config: &Config, source: SourceUid) -> PathBuf {
    locks(config).join(format!("source-{source}.lock"))
}

/// The file whose lock proves that somebody uses this auth key.
pub(crate) fn session_lock(config: &Config, auth_key_id: &str) -> PathBuf {
    locks(config).join(format!("session-{auth_key_id}.lock"))
}

/// The file whose lock lets one process make the first key.
pub(crate) fn key_lock(config: &Config) -> PathBuf {
    locks(config).join("key.lock")
}

/// The file whose lock makes a process the one that runs what is due.
pub(crate) fn scheduler_lock(config: &Config) -> PathBuf {
    config.data_dir.join("scheduler.lock")
}

/// The file that every process on the data folder locks; see [`crate::presence`].
pub(crate) fn presence_lock(config: &Config) -> PathBuf {
    presence_lock_in(&config.data_dir)
}

pub(crate) fn presence_lock_in(data_dir: &Path) -> PathBuf {
    data_dir.join("presence.lock")
}

fn locks(config: &Config) -> PathBuf {
    config.data_dir.join("locks")
}

/// Closes a folder to everybody but its owner.
#[cfg(unix)]
pub(crate) fn own(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the profile folder is private to its user already on Windows"
)]
pub(crate) fn own(_dir: &Path) -> std::io::Result<()> {
    Ok(())
}
