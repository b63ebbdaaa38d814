//! The window: made when it is asked for, gone when it is closed. An app in the tray keeps no page.

use tauri::webview::NewWindowResponse;
use tauri::{AppHandle, Manager, Url, WebviewWindowBuilder};

/// The label of the one window, in tauri.conf.json and in its capability.
pub(crate) const MAIN: &str = "main";

/// Brings the window to the front; makes it if there is none. Returns before it is there.
pub(crate) fn show(handle: &AppHandle) {
    let handle = handle.clone();
    // Never in a handler of the event loop: making a window waits for that very loop. Nor in a task: it
    // would hold a thread of theirs for as long.
    tauri::async_runtime::spawn_blocking(move || {
        if let Err(error) = bring_forward(&handle) {
            tracing::error!(%error, "the window cannot be shown");
        }
    });
}

fn bring_forward(handle: &AppHandle) -> tauri::Result<()> {
    let Some(window) = handle.get_webview_window(MAIN) else {
        return make(handle);
    };
    window.unminimize()?;
    window.show()?;
    window.set_focus()
}

fn make(handle: &AppHandle) -> tauri::Result<()> {
    let windows = &handle.config().app.windows;
    let config = windows
        .iter()
        .find(|window| window.label == MAIN)
        .expect("tauri.conf.json has the window");
    let own = handle.config().build.dev_url.clone().filter(|_| tauri::is_dev());
    WebviewWindowBuilder::from_config(handle, config)?
        .on_navigation(move |url| is_ours(url, own.as_ref()))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()?;
    Ok(())
}

/// Whether an address is a page of ours: the embedded one, or Vite's while developing.
fn is_ours(url: &Url, own: Option<&Url>) -> bool {
    let embedded = match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => url.host_str() == Some("tauri.localhost"),
        _ => false,
    };
    embedded || own.is_some_and(|own| own.origin() == url.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(url: &str) -> bool {
        is_ours(&url.parse().unwrap(), None)
    }

    #[test]
    fn only_the_embedded_pages_are_ours() {
        assert!(ours("tauri://localhost/sources"));
        assert!(ours("http://tauri.localhost/runs"));
        for foreign in [
            "https://t.me/euronews",
            "http://localhost/",
            "http://127.0.0.1:1420/",
            "tauri://elsewhere/",
            "https://tauri.localhost.example.org/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/html,x",
        ] {
            assert!(!ours(foreign), "{foreign}");
        }
    }

    #[test]
    fn while_developing_the_page_comes_from_vite() {
        let vite: Url = "http://127.0.0.1:1420/".parse().unwrap();
        assert!(is_ours(
            &"http://127.0.0.1:1420/sources".parse().unwrap(),
            Some(&vite)
        ));
        assert!(!is_ours(
            &"http://127.0.0.1:1421/sources".parse().unwrap(),
            Some(&vite)
        ));
    }
}
