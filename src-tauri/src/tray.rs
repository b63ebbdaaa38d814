//! The tray: state at a glance and the four things one wants without a window.
//!
//! On Linux a tray tells of no clicks, so the menu holds everything.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use gleaner_app::view::{BulkAction, BulkSources, EditSettings, Overview, Tag};
use gleaner_app::{ApiResult, App};
use tauri::menu::{Menu, MenuEvent, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, MouseButtonState, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager, Wry};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::window;

const TRAY: &str = "tray";
const STATE: &str = "state";
const SHOW: &str = "show";
const SCRAPE: &str = "scrape";
const PAUSE: &str = "pause";
const QUIT: &str = "quit";

/// How often, and how far apart, a start without a window looks for the tray.
const HOST_LOOKS: u32 = 20;
const HOST_PAUSE: Duration = Duration::from_millis(500);

/// Kept by the app once the icon is made.
struct Icon;

/// The lines of the menu that change.
struct Lines {
    state: MenuItem<Wry>,
    pause: MenuItem<Wry>,
}

/// Puts the icon into the tray and keeps its menu true. Without a tray the app goes on, and closing
/// the window then quits it.
pub(crate) fn start(handle: &AppHandle, app: &App) {
    // The library that talks to the tray is loaded at run time and panics where it is missing.
    match catch_unwind(AssertUnwindSafe(|| make(handle))) {
        Ok(Ok(lines)) => {
            handle.manage(Icon);
            tauri::async_runtime::spawn(keep_true(handle.clone(), Arc::new(lines), app.clone()));
        }
        Ok(Err(error)) => tracing::warn!(%error, "no tray"),
        Err(_) => tracing::warn!("no tray: the library for it is missing"),
    }
}

/// Whether there is an icon to come back through, and a desktop that shows it. Asks the desktop, so
/// not for use in a task.
pub(crate) fn is_there(handle: &AppHandle) -> bool {
    handle.try_state::<Icon>().is_some() && desktop_shows_icons()
}

/// Stays without a window while there is a tray, and shows it where there is none. At login the
/// desktop may start its tray after us.
pub(crate) async fn or_window(handle: AppHandle) {
    for _ in 0..HOST_LOOKS {
        let asked = handle.clone();
        if matches!(
            tokio::task::spawn_blocking(move || is_there(&asked)).await,
            Ok(true)
        ) {
            return;
        }
        tokio::time::sleep(HOST_PAUSE).await;
    }
    tracing::warn!("no tray to wait in: the window is shown");
    window::show(&handle);
}

/// On Linux an icon is made also where nothing shows it, as on a plain GNOME. Trays older than
/// this name are not asked for: better to quit there than to go on unseen.
#[cfg(target_os = "linux")]
fn desktop_shows_icons() -> bool {
    host_is_there().unwrap_or_else(|error| {
        tracing::warn!(%error, "the desktop does not say whether it has a tray");
        false
    })
}

#[cfg(target_os = "linux")]
fn host_is_there() -> zbus::Result<bool> {
    let bus = zbus::blocking::connection::Builder::session()?
        .method_timeout(Duration::from_secs(2))
        .build()?;
    let watcher = zbus::names::BusName::try_from("org.kde.StatusNotifierWatcher")?;
    Ok(zbus::blocking::fdo::DBusProxy::new(&bus)?.name_has_owner(watcher)?)
}

#[cfg(not(target_os = "linux"))]
fn desktop_shows_icons() -> bool {
    true
}

fn make(handle: &AppHandle) -> tauri::Result<Lines> {
    let line = |id: &str, text: &str| MenuItem::with_id(handle, id, text, id != STATE, None::<&str>);
    let lines = Lines {
        state: line(STATE, "Gleaner")?,
        pause: line(PAUSE, "Pause all")?,
    };
    let menu = Menu::with_items(
        handle,
        &[
            &lines.state,
            &PredefinedMenuItem::separator(handle)?,
            &line(SHOW, "Show Gleaner")?,
            &line(SCRAPE, "Scrape all now")?,
            &lines.pause,
            &PredefinedMenuItem::separator(handle)?,
            &line(QUIT, "Quit Gleaner")?,
        ],
    )?;
    let icon = handle
        .default_window_icon()
        .cloned()
        .expect("tauri.conf.json names the icons");
    TrayIconBuilder::with_id(TRAY)
        .icon(icon)
        .tooltip("Gleaner")
        .menu(&menu)
        .show_menu_on_left_click(false)
        .on_menu_event(on_menu)
        .on_tray_icon_event(|tray, event| {
            if let TrayIconEvent::Click {
                button: MouseButton::Left,
                button_state: MouseButtonState::Up,
                ..
            } = event
            {
                window::show(tray.app_handle());
            }
        })
        .build(handle)?;
    Ok(lines)
}

#[expect(clippy::needless_pass_by_value, reason = "the signature is Tauri's")]
fn on_menu(handle: &AppHandle, event: MenuEvent) {
    let app = handle.state::<App>().inner().clone();
    match event.id().as_ref() {
        SHOW => window::show(handle),
        SCRAPE => in_background("scrape all", async move { scrape_all(&app).await }),
        PAUSE => in_background("pause all", async move { pause_or_resume(&app).await }),
        QUIT => handle.exit(0),
        _ => {}
    }
}

fn in_background(what: &'static str, work: impl Future<Output = ApiResult<()>> + Send + 'static) {
    tauri::async_runtime::spawn(async move {
        if let Err(error) = work.await {
            tracing::error!(code = %error.code, "{what}: {error}");
        }
    });
}

/// Every source that is not paused. Those that run already say so, which is no failure here.
async fn scrape_all(app: &App) -> ApiResult<()> {
    let rows = app.list_source_rows().await?;
    let ids = rows
        .iter()
        .filter(|row| row.paused_at.is_none())
        .map(|row| row.id)
        .collect();
    app.bulk_sources(BulkSources {
        ids,
        action: BulkAction::Run,
    })
    .await?;
    Ok(())
}

/// Pausing all stops the schedule of this computer, and leaves alone which sources are paused by hand.
async fn pause_or_resume(app: &App) -> ApiResult<()> {
    let scheduler = !app.scheduler_is_on().await?;
    app.edit_settings(EditSettings {
        scheduler: Some(scheduler),
        ..EditSettings::default()
    })
    .await?;
    Ok(())
}

async fn keep_true(handle: AppHandle, lines: Arc<Lines>, app: App) {
    let mut events = app.subscribe();
    loop {
        if let Err(error) = write(&handle, &lines, &app).await {
            tracing::warn!(%error, "the tray shows old figures");
        }
        if !something_changed(&mut events).await {
            return;
        }
    }
}

/// Waits for a change that the menu shows; a burst of them counts as one. False once the app ends.
async fn something_changed(events: &mut Receiver<gleaner_app::view::Event>) -> bool {
    loop {
        match events.recv().await {
            Ok(event) if matches!(event.tag, Tag::Progress | Tag::Messages | Tag::Targets) => {}
            Ok(_) | Err(RecvError::Lagged(_)) => break,
            Err(RecvError::Closed) => return false,
        }
    }
    while let Ok(_) | Err(TryRecvError::Lagged(_)) = events.try_recv() {}
    true
}

/// Has the event loop write the lines, and does not wait for it: it may be ending, which waits for this
/// task.
async fn write(
    handle: &AppHandle,
    lines: &Arc<Lines>,
    app: &App,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (overview, scheduler) = (app.overview().await?, app.scheduler_is_on().await?);
    let lines = Arc::clone(lines);
    handle.run_on_main_thread(move || {
        let state = lines.state.set_text(state_line(&overview, scheduler));
        let pause = lines
            .pause
            .set_text(if scheduler { "Pause all" } else { "Resume all" });
        if let Err(error) = state.and(pause) {
            tracing::warn!(%error, "the tray shows old figures");
        }
    })?;
    Ok(())
}

/// State at a glance: what goes on first, then what is wrong, then how much there is.
fn state_line(overview: &Overview, scheduler: bool) -> String {
    let sources = match overview.sources {
        0 => return "No sources yet".to_owned(),
        1 => "1 source".to_owned(),
        many => format!("{many} sources"),
    };
    let under_way = overview.running + overview.queued;
    let state = match under_way {
        0 if !scheduler => "Paused".to_owned(),
        0 => "Up to date".to_owned(),
        some => format!("Scraping {some}"),
    };
    match overview.failing {
        0 => format!("{state} · {sources}"),
        failing => format!("{state} · {failing} failing of {sources}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overview(sources: u32, failing: u32, running: u32) -> Overview {
        Overview {
            sources,
            paused: 0,
            failing,
            running,
            queued: 0,
            messages: 0,
            next_run_at: None,
        }
    }

    #[test]
    fn the_state_line_says_what_goes_on_then_what_is_wrong_then_how_much_there_is() {
        assert_eq!(state_line(&overview(0, 0, 0), true), "No sources yet");
        assert_eq!(state_line(&overview(1, 0, 0), true), "Up to date · 1 source");
        assert_eq!(state_line(&overview(31, 0, 2), true), "Scraping 2 · 31 sources");
        assert_eq!(
            state_line(&overview(31, 4, 0), true),
            "Up to date · 4 failing of 31 sources"
        );
        assert_eq!(state_line(&overview(31, 0, 0), false), "Paused · 31 sources");
    }
}
