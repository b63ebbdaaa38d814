//! What changes in the app, told to the page.

use gleaner_app::App;
use gleaner_app::view::{Event, Tag};
use tauri::{AppHandle, Emitter};
use tokio::sync::broadcast::error::RecvError;

/// The name the page listens to.
const EVENT: &str = "gleaner-event";
/// How many missed changes are told again; a page that missed more reads everything anew anyway.
const MISSED: u32 = 10_000;

/// Passes every event on until the app ends. A page that is not there misses nothing: it reads
/// everything when it is made.
pub(crate) async fn to_the_page(handle: AppHandle, app: App) {
    let mut events = app.subscribe();
    let mut last = 0;
    loop {
        match events.recv().await {
            Ok(event) => {
                last = last.max(event.seq);
                tell(&handle, &event);
            }
            Err(RecvError::Lagged(_)) => tell_missed(&handle, &app, &mut last).await,
            Err(RecvError::Closed) => return,
        }
    }
}

/// Live figures are not told again: the next ones come within the second.
async fn tell_missed(handle: &AppHandle, app: &App, last: &mut i64) {
    match app.events_after(*last, MISSED).await {
        Ok(missed) => {
            for event in missed.into_iter().filter(|event| event.tag != Tag::Progress) {
                *last = (*last).max(event.seq);
                tell(handle, &event);
            }
        }
        Err(error) => tracing::warn!(%error, "missed events cannot be read"),
    }
}

fn tell(handle: &AppHandle, event: &Event) {
    if let Err(error) = handle.emit(EVENT, event) {
        tracing::warn!(%error, "the page was not told of a change");
    }
}
