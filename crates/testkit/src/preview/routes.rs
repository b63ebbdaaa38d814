//! Paths of the site.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use axum::{Json, Router, middleware};
use tower_http::compression::{CompressionLayer, CompressionLevel};

use super::inject::{damage, html, inject, redirect};
use super::media::Scene;
use super::paging::{Cursor, window};
use super::{Shared, landing, page};
use crate::world::media::{FileKey, Part};
use crate::world::{Standing, World, media};

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/s/{name}", any(posts))
        .route("/s/{name}/{id}", any(posts_around))
        .route("/file/{name}", get(file))
        .route("/{name}", get(land))
        .route("/{name}/{id}", get(framed))
        .layer(middleware::from_fn(damage))
        // Small levels: tests wait for answers, nobody waits for the last percent.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(middleware::from_fn_with_state(shared.clone(), inject))
        .with_state(shared)
}

async fn posts(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let get = |key: &str| query.get(key).map(String::as_str);
    history(&shared, &name, &headers, |newest| {
        Cursor::parse(get("before"), get("after"), newest)
    })
}

async fn posts_around(
    State(shared): State<Arc<Shared>>,
    Path((name, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    history(&shared, &name, &headers, |newest| {
        id.parse()
            .ok()
            .filter(|id| (1..=newest).contains(id))
            .map_or(Cursor::Newest, Cursor::Around)
    })
}

fn history(shared: &Shared, name: &str, headers: &HeaderMap, cursor: impl FnOnce(u32) -> Cursor) -> Response {
    let world = shared.world.read();
    let Some(scene) =
        scene(shared, &world, name).filter(|scene| scene.channel.standing() == Standing::Public)
    else {
        return redirect(&format!("{}/{name}", shared.base));
    };
    let cursor = cursor(scene.channel.newest_id());
    let window = window(scene.channel, cursor);
    let rendered_at = world.now().timestamp();
    // Scripts of the real page ask this way when a reader scrolls; the answer is a string in JSON.
    if headers
        .get("x-requested-with")
        .is_some_and(|value| value == "XMLHttpRequest")
    {
        return Json(page::history(&scene, &window, rendered_at)).into_response();
    }
    html(StatusCode::OK, page::page(&scene, cursor, &window, rendered_at))
}

async fn land(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Response {
    if !is_a_name(&name) {
        return redirect("https://telegram.org/");
    }
    let world = shared.world.read();
    let page = scene(&shared, &world, &name)
        .map_or_else(|| landing::nobody(&name), |scene| landing::landing(&scene));
    html(StatusCode::OK, page)
}

/// One post for a frame on somebody's site; only what stands in for one that is not shown.
async fn framed(State(shared): State<Arc<Shared>>, Path((name, _)): Path<(String, String)>) -> Response {
    let world = shared.world.read();
    let standing = scene(&shared, &world, &name).map_or(Standing::Unknown, |scene| scene.channel.standing());
    html(StatusCode::OK, landing::framed(standing, &name))
}

async fn file(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let token = query.get("token").map(String::as_str);
    let found = shared.resolve(&name, token).and_then(|key| {
        let world = shared.world.read();
        file_of(&world, key, &shared.drawn)
    });
    match found {
        Some((bytes, mime)) => {
            ([(header::CONTENT_TYPE, HeaderValue::from_static(mime))], bytes).into_response()
        }
        None => html(
            StatusCode::NOT_FOUND,
            "<html><body><h1>404 Not Found</h1></body></html>".to_owned(),
        ),
    }
}

/// The bytes behind a key; a deleted post's files and replaced ones are gone.
fn file_of(world: &World, key: FileKey, drawn: &Drawn) -> Option<(Bytes, &'static str)> {
    let channel = world.channels().get(usize::from(key.channel))?;
    if key.part != Part::Main {
        return Some((media::thumb_bytes(channel, key.message), media::mime_of("jpg")));
    }
    let post = channel.post(key.message)?;
    if !post.file_is_public() || post.file_version != key.version {
        return None;
    }
    let mime = post.file_extension().map(media::mime_of)?;
    Some((drawn.file(key, || media::file_bytes(channel, &post))?, mime))
}

/// Files drawn before, up to a bound: a test may scrape the same channel hundreds of times.
#[derive(Debug, Default)]
pub(crate) struct Drawn(Mutex<HashMap<u64, Bytes>>);

const MOST_DRAWN: usize = 8_000;

impl Drawn {
    /// A key names the file's version, so what was drawn for it stays true.
    fn file(&self, key: FileKey, draw: impl FnOnce() -> Option<Bytes>) -> Option<Bytes> {
        let number = key.to_number();
        let before = self.0.lock().expect("no panic while held").get(&number).cloned();
        if before.is_some() {
            return before;
        }
        let file = draw()?;
        let mut drawn = self.0.lock().expect("no panic while held");
        if drawn.len() < MOST_DRAWN {
            drawn.insert(number, file.clone());
        }
        Some(file)
    }
}

fn scene<'a>(shared: &'a Shared, world: &'a World, name: &str) -> Option<Scene<'a>> {
    let index = world.index_of(name)?;
    Some(Scene {
        shared,
        channel: &world.channels()[index],
        index: index as u16,
    })
}

/// Names Telegram accepts; others end at its home page.
fn is_a_name(name: &str) -> bool {
    (4..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
