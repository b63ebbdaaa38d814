//! What only the computer in front of the person can do: its dialogs, its file manager, its browser.

use std::path::{Path, PathBuf};

use gleaner_app::{ApiError, ApiResult};
use gleaner_domain::Code;
use rfd::{AsyncFileDialog, MessageDialog, MessageLevel};
use tauri::{Url, WebviewWindow};

/// Where the app's own links lead. Links in scraped text are shown as text.
const LINKED_HOSTS: &[&str] = &[
    "t.me",
    "telegram.me",
    "telegram.org",
    "my.telegram.org",
    "core.telegram.org",
];

/// Refuses where this desktop has no file dialogs: each would look as if the person had cancelled it.
#[cfg_attr(
    not(target_os = "linux"),
    expect(clippy::unused_async, reason = "only Linux has to ask")
)]
pub(crate) async fn needed() -> ApiResult<()> {
    #[cfg(target_os = "linux")]
    if !tokio::task::spawn_blocking(are_there).await.unwrap_or(false) {
        let mut none = ApiError::new(Code::NotAvailable, "This desktop has no file dialogs");
        none.hint = Some(
            "Install xdg-desktop-portal or zenity, or use gleaner session on the command line.".to_owned(),
        );
        return Err(none);
    }
    Ok(())
}

/// Whether one of the two ways to a dialog is open. Asks other programs, so not for use in a task.
#[cfg(target_os = "linux")]
fn are_there() -> bool {
    let zenity = || std::process::Command::new("zenity").arg("--version").output();
    portal_is_there().unwrap_or(false) || zenity().is_ok_and(|output| output.status.success())
}

#[cfg(target_os = "linux")]
fn portal_is_there() -> zbus::Result<bool> {
    const PORTAL: &str = "org.freedesktop.portal.Desktop";
    let bus = zbus::blocking::connection::Builder::session()?
        .method_timeout(std::time::Duration::from_secs(2))
        .build()?;
    let bus = zbus::blocking::fdo::DBusProxy::new(&bus)?;
    let runs = bus.name_has_owner(zbus::names::BusName::try_from(PORTAL)?)?;
    Ok(runs
        || bus
            .list_activatable_names()?
            .iter()
            .any(|name| name.as_str() == PORTAL))
}

/// A folder chosen by the person; `None` when cancelled, or when this desktop has no dialogs.
#[tauri::command]
pub(crate) async fn host_choose_folder(window: WebviewWindow) -> Option<String> {
    let dialog = AsyncFileDialog::new()
        .set_title("Choose a folder")
        .set_parent(&window);
    dialog
        .pick_folder()
        .await
        .map(|folder| folder.path().to_string_lossy().into_owned())
}

/// Shows a folder, or a file in its folder, in the system's file manager.
#[tauri::command]
pub(crate) async fn host_reveal(path: PathBuf) -> ApiResult<()> {
    let shown = revealable(&path)?;
    // The file manager may be slow to answer; it must not hold up anything else.
    let opened = tokio::task::spawn_blocking(move || open(&shown)).await;
    opened.map_err(|_| failed("the file manager"))?
}

/// What may be revealed: something that is there, by its full path.
fn revealable(path: &Path) -> ApiResult<PathBuf> {
    if !path.is_absolute() {
        return Err(ApiError::field("path", "must be an absolute path"));
    }
    path.canonicalize()
        .map_err(|error| ApiError::field("path", format!("{}: {error}", path.display())))
}

fn open(path: &Path) -> ApiResult<()> {
    // Opening a folder shows it; opening a file might run it, so a file is only pointed at.
    let folder = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(path)
    };
    let pointed_at = path.is_file() && tauri_plugin_opener::reveal_item_in_dir(path).is_ok();
    if pointed_at {
        return Ok(());
    }
    tauri_plugin_opener::open_path(folder, None::<&str>).map_err(|_| failed("the file manager"))
}

/// Opens one of the app's own links in the browser.
#[tauri::command]
pub(crate) async fn host_open_url(url: String) -> ApiResult<()> {
    let url = allowed(&url)?;
    let opened =
        tokio::task::spawn_blocking(move || tauri_plugin_opener::open_url(url.as_str(), None::<&str>)).await;
    opened
        .map_err(|_| failed("the browser"))?
        .map_err(|_| failed("the browser"))
}

fn allowed(url: &str) -> ApiResult<Url> {
    let refused = || ApiError::field("url", "only https addresses of Telegram are opened");
    let url: Url = url.parse().map_err(|_| refused())?;
    let host_is_known = url.host_str().is_some_and(|host| LINKED_HOSTS.contains(&host));
    let plain = url.scheme() == "https"
        && url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none();
    if plain && host_is_known {
        Ok(url)
    } else {
        Err(refused())
    }
}

fn failed(what: &str) -> ApiError {
    ApiError::new(Code::Internal, format!("{what} does not start"))
}

/// Tells the person in a dialog of the system. Without one it is lost; the log has it too.
pub(crate) fn show_error(title: &str, error: &ApiError) {
    let text = match &error.hint {
        Some(hint) => format!("{}\n\n{hint}", error.detail),
        None => error.detail.clone(),
    };
    MessageDialog::new()
        .set_level(MessageLevel::Error)
        .set_title(title)
        .set_description(text)
        .show();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_https_links_to_telegram_are_opened() {
        assert!(allowed("https://t.me/harbour/12").is_ok());
        assert!(allowed("https://my.telegram.org/apps").is_ok());
        for refused in [
            "http://t.me/x",
            "https://t.me.example.org/x",
            "https://t.me@example.org/",
            "https://user:word@t.me/",
            "https://t.me:8443/x",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "/etc/passwd",
            "",
        ] {
            assert!(allowed(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn only_what_is_there_is_revealed() {
        assert!(revealable(Path::new("relative/path")).is_err());
        assert!(revealable(Path::new("/no/such/place/at/all")).is_err());
        assert!(revealable(&std::env::temp_dir()).is_ok());
    }
}
