//! What changed, as server-sent events: stored ones first, then live ones, without a gap.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as Frame, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use gleaner_app::App;
use gleaner_app::view::{Event, Tag};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::Problem;
use crate::json::Query;

const KEEP_ALIVE: Duration = Duration::from_secs(15);
const PAGE: u32 = 500;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(events))
}

/// Where to go on.
#[derive(Deserialize)]
struct From {
    after: Option<i64>,
}

/// Changes as they happen.
///
/// `id` is the event's number and `data` the event as JSON. With `after` (or `Last-Event-ID`,
/// which browsers send when they reconnect) stored events after that number come first. A number that was
/// never given out, as after data was erased, brings one event for each tag: read everything again.
#[utoipa::path(get, path = "/api/events", tag = "events", params(
    ("after" = Option<i64>, Query, description = "Only events after this number; only new ones if absent"),
), responses(
    (status = 200, body = Event, content_type = "text/event-stream", description = "The stream"),
    (status = "default", body = Problem, description = "Why there is no stream"),
))]
async fn events(
    State(app): State<App>,
    Extension(Closing(closing)): Extension<Closing>,
    headers: HeaderMap,
    Query(from): Query<From>,
) -> Sse<impl Stream<Item = Result<Frame, Infallible>>> {
    // What the browser last heard is newer than what its address says.
    let after = last_event_id(&headers).or(from.after);
    let feed = Feed {
        live: app.subscribe(),
        app,
        ready: VecDeque::new(),
        last: after.unwrap_or(0),
        behind: after.is_some(),
    };
    let frames = stream::unfold(feed, |mut feed| async {
        feed.next().await.map(|event| (event, feed))
    })
    .map(|event| Ok(frame(&event)))
    .take_until(closing.cancelled_owned());
    Sse::new(frames).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

/// Ends every stream when the server stops; without it a stop would wait for the browsers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Closing(pub(crate) CancellationToken);

/// One listener's place in the history of changes.
struct Feed {
    app: App,
    live: Receiver<Event>,
    ready: VecDeque<Event>,
    /// The number of the last stored event told.
    last: i64,
    /// Whether stored events must be read before live ones make sense.
    behind: bool,
}

impl Feed {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.last = event.seq;
                return Some(event);
            }
            if self.behind {
                self.catch_up().await?;
                continue;
            }
            match self.live.recv().await {
                Ok(event) if event.tag == Tag::Progress => return Some(event),
                Ok(event) if event.seq > self.last => self.ready.push_back(event),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// `None` ends the stream; the browser comes back by itself and goes on where it was.
    async fn catch_up(&mut self) -> Option<()> {
        let page = self.app.events_after(self.last, PAGE).await.ok()?;
        // A page may be short of what is none of a browser's business: only an empty one is the end.
        self.behind = !page.is_empty();
        self.ready.extend(page);
        Some(())
    }
}

fn frame(event: &Event) -> Frame {
    let frame = Frame::default().data(serde_json::to_string(event).unwrap_or_default());
    match event.tag {
        // Not stored: a browser that reconnects goes on after the last stored one.
        Tag::Progress => frame,
        _ => frame.id(event.seq.to_string()),
    }
}

fn last_event_id(headers: &HeaderMap) -> Option<i64> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}
