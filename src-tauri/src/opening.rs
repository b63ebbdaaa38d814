//! The ways in and out of the process: one instance a data folder, its arguments, its signals.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;

use gleaner_app::{ApiError, Config};
use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Wry};

use crate::window;

/// A second start shows the window of the first and ends.
///
/// A data folder that the environment names is another app: a demo must start beside the real one.
/// (Only Linux can tell them apart; elsewhere the identifier alone counts.)
pub(crate) fn single_instance(config: &Config) -> TauriPlugin<Wry> {
    let plugin = tauri_plugin_single_instance::Builder::new().callback(|handle, _arguments, _folder| {
        window::show(handle);
    });
    match config.pointer {
        Some(_) => plugin.build(),
        None => plugin.dbus_id(bus_name(&config.data_dir)).build(),
    }
}

fn bus_name(data_dir: &std::path::Path) -> String {
    let mut hasher = DefaultHasher::new();
    data_dir.hash(&mut hasher);
    // A part of a bus name may not begin with a digit.
    format!("app.gleaner.desktop.d{:x}", hasher.finish())
}

/// Whether the window waits in the tray until it is asked for.
pub(crate) fn minimized(arguments: impl IntoIterator<Item = String>) -> bool {
    arguments
        .into_iter()
        .skip(1)
        .any(|argument| argument == "--minimized")
}

/// Ctrl-C in a terminal and the end of the desktop session quit as the menu does: runs keep their
/// checkpoint. Heard from the moment this returns; must be called inside the runtime.
#[cfg(unix)]
pub(crate) fn quit_when_asked_to(handle: AppHandle) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        handle.exit(0);
    });
    Ok(())
}

/// Ctrl-C in a terminal quits as the menu does. Must be called inside the runtime.
#[cfg(windows)]
pub(crate) fn quit_when_asked_to(handle: AppHandle) -> std::io::Result<()> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    tokio::spawn(async move {
        interrupt.recv().await;
        handle.exit(0);
    });
    Ok(())
}

/// Says what went wrong where a terminal may show it.
pub(crate) fn complain(error: &ApiError) {
    let hint = error.hint.as_deref().unwrap_or_default();
    // Nobody may be listening: a desktop start has no terminal.
    _ = writeln!(std::io::stderr(), "gleaner-desktop: {error}. {hint}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn only_the_flag_starts_without_a_window() {
        assert!(minimized(arguments(&["gleaner-desktop", "--minimized"])));
        assert!(!minimized(arguments(&["gleaner-desktop"])));
        assert!(
            !minimized(arguments(&["--minimized"])),
            "the program's own name is no argument"
        );
    }

    #[test]
    fn a_bus_name_differs_by_folder_and_is_well_formed() {
        let one = bus_name("/data/one".as_ref());
        assert_ne!(one, bus_name("/data/two".as_ref()));
        assert_eq!(one, bus_name("/data/one".as_ref()));
        assert!(
            one.split('.')
                .all(|part| part.starts_with(|c: char| c.is_ascii_alphabetic())),
            "{one}"
        );
    }
}
