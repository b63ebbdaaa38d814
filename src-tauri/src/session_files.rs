//! Session and recovery files on this computer: chosen in the system's dialogs, or dropped on the window.
//!
//! Paths and secrets stay on this side: the page gets a token for a file that was chosen, and hears where
//! something was written. Absent: what a session file holds (`gleaner-app`).

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use gleaner_app::view::{KeyStatus, SessionRow};
use gleaner_app::{ApiError, ApiResult, App, ExposeSecret as _, SecretString, private_file};
use gleaner_domain::SessionId;
use rfd::{AsyncFileDialog, FileHandle};
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, DragDropEvent, Emitter, Manager, State, WebviewWindow, Window, WindowEvent};
use uuid::Uuid;

use crate::dialogs;

/// The name the page listens to for files that were dropped.
const DROPPED: &str = "gleaner-session-dropped";
/// Files a person chose and has not yet imported; more are forgotten, oldest first.
const HELD: usize = 8;

/// Files that were chosen, by the token the page has for them.
#[derive(Default)]
pub(crate) struct HeldFiles(Mutex<Vec<(Uuid, PathBuf)>>);

/// A chosen file as the page sees it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HeldFile {
    token: Uuid,
    name: String,
    size: u64,
}

/// How a session is written.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExportForm {
    TelethonFile,
    TelethonString,
}

/// Where something was written.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Written {
    path: String,
}

impl HeldFiles {
    fn hold(&self, path: &Path) -> Option<HeldFile> {
        let meta = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let token = Uuid::new_v4();
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= HELD {
            held.remove(0);
        }
        held.push((token, path.to_owned()));
        Some(HeldFile {
            token,
            name: path.file_name()?.to_string_lossy().into_owned(),
            size: meta.len(),
        })
    }

    fn find(&self, token: Uuid) -> ApiResult<PathBuf> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held.iter().find(|(known, _)| *known == token);
        found
            .map(|(_, path)| path.clone())
            .ok_or_else(|| ApiError::field("session_file", "choose the file again"))
    }
}

/// A session file chosen by the person; `None` when cancelled.
#[tauri::command]
pub(crate) async fn host_choose_session_file(
    window: WebviewWindow,
    held: State<'_, HeldFiles>,
) -> ApiResult<Option<HeldFile>> {
    dialogs::needed().await?;
    let dialog = AsyncFileDialog::new()
        .set_title("Choose a session file")
        .add_filter("Telegram sessions", &["session"])
        .add_filter("All files", &["*"])
        .set_parent(&window);
    Ok(dialog.pick_file().await.and_then(|file| held.hold(file.path())))
}

/// Keeps the session of a file that was chosen or dropped.
#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn host_import_session(
    app: State<'_, App>,
    held: State<'_, HeldFiles>,
    token: Uuid,
    session_name: String,
    phone_number: String,
) -> ApiResult<SessionRow> {
    let path = held.find(token)?;
    app.import_session_file(&path, &session_name, &phone_number).await
}

/// Writes a session where the person says; `None` when cancelled.
#[tauri::command]
pub(crate) async fn host_export_session(
    window: WebviewWindow,
    app: State<'_, App>,
    id: SessionId,
    form: ExportForm,
) -> ApiResult<Option<Written>> {
    let name = match form {
        ExportForm::TelethonFile => "telegram.session",
        ExportForm::TelethonString => "telegram-session.txt",
    };
    let Some(file) = place(&window, "Export the session", name).await? else {
        return Ok(None);
    };
    match form {
        ExportForm::TelethonFile => app.export_session_file(id, file.path()).await?,
        ExportForm::TelethonString => {
            let text = app.export_session_string(id).await?;
            private_file::write_new(file.path(), text.expose_secret().as_bytes())?;
        }
    }
    Ok(Some(written(&file)))
}

/// Writes a recovery file where the person says; `None` when cancelled.
#[tauri::command]
pub(crate) async fn host_save_recovery(
    window: WebviewWindow,
    app: State<'_, App>,
    passphrase: String,
) -> ApiResult<Option<Written>> {
    // First the passphrase is judged: a dialog for nothing would be a nuisance.
    let text = app.export_key(SecretString::from(passphrase)).await?;
    let Some(file) = place(&window, "Save the recovery file", "gleaner-recovery.json").await? else {
        return Ok(None);
    };
    private_file::write_new(file.path(), text.as_bytes())?;
    app.recovery_was_saved().await?;
    Ok(Some(written(&file)))
}

/// Puts the key of a recovery file back; `None` when cancelled.
#[tauri::command]
pub(crate) async fn host_restore_recovery(
    window: WebviewWindow,
    app: State<'_, App>,
    passphrase: String,
) -> ApiResult<Option<KeyStatus>> {
    dialogs::needed().await?;
    let dialog = AsyncFileDialog::new()
        .set_title("Choose the recovery file")
        .add_filter("Recovery files", &["json"])
        .add_filter("All files", &["*"])
        .set_parent(&window);
    let Some(file) = dialog.pick_file().await else {
        return Ok(None);
    };
    let text = tokio::fs::read_to_string(file.path())
        .await
        .map_err(|error| ApiError::field("file", format!("cannot be read: {error}")))?;
    app.import_key(text, SecretString::from(passphrase))
        .await
        .map(Some)
}

/// Tells the page of a session file that was dropped on the window.
pub(crate) fn on_window_event(window: &Window, event: &WindowEvent) {
    let WindowEvent::DragDrop(DragDropEvent::Drop { paths, .. }) = event else {
        return;
    };
    let handle: &AppHandle = window.app_handle();
    let Some(file) = paths
        .first()
        .and_then(|path| handle.state::<HeldFiles>().hold(path))
    else {
        return;
    };
    if let Err(error) = handle.emit(DROPPED, file) {
        tracing::warn!(%error, "the page was not told of a dropped file");
    }
}

async fn place(window: &WebviewWindow, title: &str, name: &str) -> ApiResult<Option<FileHandle>> {
    dialogs::needed().await?;
    let dialog = AsyncFileDialog::new()
        .set_title(title)
        .set_file_name(name)
        .set_parent(window);
    Ok(dialog.save_file().await)
}

fn written(file: &FileHandle) -> Written {
    Written {
        path: file.path().to_string_lossy().into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_file_is_known_by_its_token_alone() {
        let held = HeldFiles::default();
        let folder = std::env::temp_dir();
        assert!(held.hold(&folder).is_none(), "a folder is no file");
        let own = std::env::current_exe().unwrap();
        let file = held.hold(&own).unwrap();
        assert_eq!(held.find(file.token).unwrap(), own);
        assert!(held.find(Uuid::new_v4()).is_err());
    }

    #[test]
    fn old_choices_are_forgotten() {
        let held = HeldFiles::default();
        let own = std::env::current_exe().unwrap();
        let first = held.hold(&own).unwrap();
        for _ in 0..HELD {
            held.hold(&own).unwrap();
        }
        assert!(held.find(first.token).is_err());
    }
}
