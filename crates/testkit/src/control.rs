//! A port through which another process changes the world, sets faults and asks for the truth.
//!
//! JSON over HTTP; every error is `{"detail": "..."}`. Unlike the site it never fails on purpose.

use std::io;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::preview::{Faults, PreviewSite, Shared};
use crate::serve::Server;
use crate::telegram::{self, TelegramServer};
use crate::world::RichText;
use crate::{Standing, WorldHandle};

/// A running control port. Dropping it ends it; the site stays.
#[derive(Debug)]
pub struct ControlPort {
    server: Server,
}

impl ControlPort {
    /// Opens a port (0 takes a free one) to the world and the faults of a site.
    pub async fn start(site: &PreviewSite, port: u16) -> io::Result<Self> {
        Self::open(router(site.shared()), port).await
    }

    /// The same, and to the accounts, keys and faults of a Telegram.
    pub async fn with_telegram(site: &PreviewSite, telegram: &TelegramServer, port: u16) -> io::Result<Self> {
        let routes = router(site.shared()).merge(telegram::control::router(telegram));
        Self::open(routes, port).await
    }

    /// To a Telegram alone.
    pub async fn of_telegram(telegram: &TelegramServer, port: u16) -> io::Result<Self> {
        Self::open(telegram::control::router(telegram), port).await
    }

    async fn open(routes: Router, port: u16) -> io::Result<Self> {
        let server = Server::start(port, |_| routes).await?;
        Ok(Self { server })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.server.address())
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/control/channels", get(channels))
        .route("/control/truth", get(truth))
        .route("/control/journal", get(journal))
        .route("/control/append", post(append))
        .route("/control/edit", post(edit))
        .route("/control/delete", post(delete))
        .route("/control/views", post(views))
        .route("/control/standing", post(standing))
        .route("/control/channel-id", post(channel_id))
        .route("/control/faults", post(faults))
        .route("/control/expire-links", post(expire_links))
        .route("/control/reset-counts", post(reset_counts))
        .with_state(shared)
}

type Site = State<Arc<Shared>>;

/// What can be wrong with a request.
pub(crate) enum Refusal {
    NoChannel(String),
    NoMessage(u32),
    /// Nobody and nothing goes by this.
    NotFound(String),
    Bad(&'static str),
    /// What was asked cannot be done now.
    Conflict(String),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Self::NoChannel(name) => (StatusCode::NOT_FOUND, format!("no channel is named {name}")),
            Self::NoMessage(id) => (
                StatusCode::NOT_FOUND,
                format!("message {id} does not exist or cannot be changed"),
            ),
            Self::NotFound(detail) => (StatusCode::NOT_FOUND, detail),
            Self::Conflict(detail) => (StatusCode::CONFLICT, detail),
            Self::Bad(detail) => (StatusCode::UNPROCESSABLE_ENTITY, detail.to_owned()),
        };
        (status, Json(json!({ "detail": detail }))).into_response()
    }
}

pub(crate) type Answer = Result<Json<Value>, Refusal>;

fn known(shared: &Shared, channel: &str) -> Result<WorldHandle, Refusal> {
    let known = shared.world.knows(channel);
    known
        .then(|| shared.world.clone())
        .ok_or_else(|| Refusal::NoChannel(channel.to_owned()))
}

async fn channels(State(shared): Site) -> Json<Value> {
    let world = shared.world.read();
    let rows = world.channels().iter().map(|channel| {
        json!({
            "name": channel.name(),
            "id": channel.id(),
            "title": channel.title(),
            "standing": channel.standing(),
            "newest_id": channel.newest_id(),
            "messages": channel.live_ids().count(),
        })
    });
    Json(rows.collect())
}

#[derive(Deserialize)]
struct TruthQuery {
    channel: String,
    /// Hashing every file takes a while; `false` leaves them out.
    #[serde(default = "yes")]
    media: bool,
}

fn yes() -> bool {
    true
}

/// Every living message: id, hash of its text, and kind, size and hash of its file.
async fn truth(State(shared): Site, Query(query): Query<TruthQuery>) -> Answer {
    let world = known(&shared, &query.channel)?;
    let rows = world.live_ids(&query.channel).into_iter().filter_map(|id| {
        let post = world.post(&query.channel, id)?;
        let file = if query.media {
            world.media_bytes(&query.channel, id, 0)
        } else {
            None
        };
        Some(json!({
            "id": id,
            "date": post.date,
            "album": post.album,
            "text_sha256": sha256(post.text.string().as_bytes()),
            "media": post.media_kind().map(|kind| json!({
                "kind": kind,
                "public": post.file_is_public(),
                "size": file.as_ref().map(bytes::Bytes::len),
                "sha256": file.as_ref().map(|bytes| sha256(bytes)),
            })),
        }))
    });
    let messages: Vec<Value> = rows.collect();
    Ok(Json(json!({
        "channel": query.channel,
        "channel_id": world.channel_id(&query.channel),
        "newest_id": world.newest_id(&query.channel),
        "messages": messages,
    })))
}

async fn journal(State(shared): Site) -> Json<Value> {
    Json(json!({
        "requests": shared.journal.requests(),
        "cursors": shared.journal.cursors(),
        "max_in_flight": shared.journal.max_in_flight(),
        "faults": shared.faults.counts(),
    }))
}

#[derive(Deserialize)]
struct Append {
    channel: String,
    #[serde(default = "one")]
    count: u32,
    /// Instead of drawn posts: one with this text.
    text: Option<String>,
}

fn one() -> u32 {
    1
}

async fn append(State(shared): Site, Json(order): Json<Append>) -> Answer {
    let world = known(&shared, &order.channel)?;
    if order.count > 100_000 {
        return Err(Refusal::Bad("count: at most 100000 at once"));
    }
    let ids = match &order.text {
        Some(text) => vec![world.push_text(&order.channel, text)],
        None => world.append(&order.channel, order.count),
    };
    Ok(Json(json!({ "ids": ids })))
}

#[derive(Deserialize)]
struct Edit {
    channel: String,
    id: u32,
    text: String,
}

async fn edit(State(shared): Site, Json(order): Json<Edit>) -> Answer {
    let world = known(&shared, &order.channel)?;
    let done = world.edit(&order.channel, order.id, RichText::plain(&order.text));
    done.then(|| Json(json!({ "id": order.id })))
        .ok_or(Refusal::NoMessage(order.id))
}

#[derive(Deserialize)]
struct Delete {
    channel: String,
    id: u32,
}

async fn delete(State(shared): Site, Json(order): Json<Delete>) -> Answer {
    let world = known(&shared, &order.channel)?;
    let done = world.delete(&order.channel, order.id);
    done.then(|| Json(json!({ "id": order.id })))
        .ok_or(Refusal::NoMessage(order.id))
}

#[derive(Deserialize)]
struct Views {
    channel: String,
    /// All living messages when absent.
    id: Option<u32>,
    by: u64,
}

async fn views(State(shared): Site, Json(order): Json<Views>) -> Answer {
    let world = known(&shared, &order.channel)?;
    let ids = order
        .id
        .map_or_else(|| world.live_ids(&order.channel), |id| vec![id]);
    let changed = ids
        .iter()
        .filter(|id| world.bump_views(&order.channel, **id, order.by))
        .count();
    Ok(Json(json!({ "changed": changed })))
}

#[derive(Deserialize)]
struct SetStanding {
    channel: String,
    standing: Standing,
}

async fn standing(State(shared): Site, Json(order): Json<SetStanding>) -> Answer {
    known(&shared, &order.channel)?.set_standing(&order.channel, order.standing);
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct SetChannelId {
    channel: String,
    id: i64,
}

async fn channel_id(State(shared): Site, Json(order): Json<SetChannelId>) -> Answer {
    let world = known(&shared, &order.channel)?;
    if order.id <= 0 {
        return Err(Refusal::Bad("id: a bare positive number"));
    }
    world.set_channel_id(&order.channel, order.id);
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct SetFaults {
    #[serde(default)]
    scope: Scope,
    faults: Faults,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum Scope {
    #[default]
    All,
    Pages,
    Files,
}

async fn faults(State(shared): Site, Json(order): Json<SetFaults>) -> Json<Value> {
    match order.scope {
        Scope::All => shared.faults.set(order.faults),
        Scope::Pages => shared.faults.pages(order.faults),
        Scope::Files => shared.faults.files(order.faults),
    }
    Json(json!({}))
}

async fn expire_links(State(shared): Site) -> Json<Value> {
    shared.expire_links();
    Json(json!({}))
}

async fn reset_counts(State(shared): Site) -> Json<Value> {
    shared.journal.reset();
    Json(json!({}))
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
