//! Does to an answer what the fault switch says.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::{StreamExt as _, stream};

use super::Shared;
use super::faults::{Drip, Fault, FaultCounts, Malformed};
use super::journal::PathKind;
use crate::serve::Wire;
use crate::world::draw::Draw;

/// Bytes of the answer's head that still arrive before a reset.
const RESET_AFTER: u16 = 24;

/// Outermost layer: journals every request and breaks those whose turn it is.
pub(crate) async fn inject(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let entry = shared.journal.arrive(request.uri());
    let kind = PathKind::of(request.uri().path());
    let (number, faults, due) = shared.faults.next(kind == PathKind::File);
    let count = |which: fn(&mut FaultCounts) -> &mut usize| shared.faults.count(which);

    let wait = faults.latency + jitter(faults.jitter, number);
    if !wait.is_zero() {
        count(|counts| &mut counts.delayed);
        tokio::time::sleep(wait).await;
    }
    let response = match due {
        None => next.run(request).await,
        Some(Fault::Stall) => {
            count(|counts| &mut counts.stalls);
            match std::future::pending::<Infallible>().await {}
        }
        Some(Fault::Reset) => {
            count(|counts| &mut counts.resets);
            let wire = request
                .extensions()
                .get::<Wire>()
                .expect("requests come over a wire");
            wire.reset_after(RESET_AFTER);
            // Long enough for the order to bite in the head, whatever the answer would have been.
            return html(StatusCode::OK, "<!DOCTYPE html>".repeat(64));
        }
        Some(Fault::Status(status, retry_after_s)) => {
            count(|counts| &mut counts.statuses);
            status_answer(status, retry_after_s)
        }
        Some(Fault::Redirect(to)) => {
            count(|counts| &mut counts.redirects);
            redirect(&to.unwrap_or_else(|| elsewhere(&shared.base, kind, request.uri())))
        }
        Some(Fault::Cut) => {
            count(|counts| &mut counts.cuts);
            cut(next.run(request).await).await
        }
        Some(Fault::Malformed(how)) => {
            count(|counts| &mut counts.malformed);
            request.extensions_mut().insert(how);
            next.run(request).await
        }
    };
    entry.answered(response.status());
    match faults.slow_drip {
        Some(drip) => {
            count(|counts| &mut counts.drips);
            slowly(response, drip).await
        }
        None => response,
    }
}

/// Innermost layer, under the compression: damages the page when [`inject`] says so.
pub(crate) async fn damage(request: Request, next: Next) -> Response {
    let how = request.extensions().get::<Malformed>().copied();
    let response = next.run(request).await;
    let Some(how) = how else { return response };
    let (mut parts, body) = response.into_parts();
    let page = String::from_utf8(whole(body).await.to_vec()).expect("pages are UTF-8");
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(damaged(&page, how)))
}

/// A page, damaged. A page without messages comes back truncated or as it was.
fn damaged(page: &str, how: Malformed) -> String {
    const MESSAGE: &str = "<div class=\"tgme_widget_message_wrap";
    match how {
        Malformed::Truncated => {
            let half = page.len() / 2;
            let tag = half + page[ceil(page, half)..].find("<div class").unwrap_or_default();
            page[..ceil(page, tag + 7)].to_owned()
        }
        Malformed::UnclosedQuote => {
            let Some(at) = page.find("data-post=\"") else {
                return page.to_owned();
            };
            let value = at + "data-post=\"".len();
            let Some(end) = page[value..].find('"') else {
                return page.to_owned();
            };
            format!("{}{}", &page[..value + end], &page[value + end + 1..])
        }
        Malformed::Garbage => {
            let garbage = format!("</p></b>\u{0}&#xZZ;&amp<x y='1' <>< <!--- - ->{MESSAGE}\"><i></div></a>");
            page.replace(MESSAGE, &format!("{garbage}{MESSAGE}"))
        }
        Malformed::Deep => page.replacen(MESSAGE, &format!("{}{MESSAGE}", "<div><b>".repeat(1_000)), 1),
        Malformed::Empty => String::new(),
        Malformed::Foreign => {
            "<html><head><title>Sign in to the hotel Wi-Fi</title></head><body></body></html>".to_owned()
        }
    }
}

/// The next place a text may be cut.
fn ceil(text: &str, at: usize) -> usize {
    (at..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len())
}

fn jitter(most: Duration, number: u32) -> Duration {
    let most = most.as_micros() as u64;
    if most == 0 {
        return Duration::ZERO;
    }
    Duration::from_micros(Draw::of(&[u64::from(number), 0x3177]).between(0, most))
}

fn status_answer(status: u16, retry_after_s: Option<u64>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = html(status, format!("<html><body><h1>{status}</h1></body></html>"));
    if let Some(seconds) = retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Where a faulty redirect leads unless the test says: files to themselves, pages to the landing page.
fn elsewhere(base: &str, kind: PathKind, uri: &Uri) -> String {
    match kind {
        PathKind::File => {
            let glue = if uri.query().is_some() { '&' } else { '?' };
            format!("{base}{uri}{glue}hop=1")
        }
        _ => format!(
            "{base}/{}",
            uri.path().trim_start_matches("/s/").trim_start_matches('/')
        ),
    }
}

pub(crate) fn redirect(to: &str) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}

pub(crate) fn html(status: StatusCode, page: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// Promises the whole body and breaks off after half of it.
async fn cut(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = whole(body).await;
    parts
        .headers
        .insert(header::CONTENT_LENGTH, (bytes.len().max(1) as u64).into());
    let half: Result<Bytes, io::Error> = Ok(bytes.slice(..bytes.len() / 2));
    let end = stream::once(async {
        // Gives way once, so that the half is sent before the connection breaks.
        tokio::task::yield_now().await;
        Err(io::Error::other("cut on demand"))
    });
    Response::from_parts(parts, Body::from_stream(stream::iter([half]).chain(end)))
}

/// The whole body, bit by bit.
async fn slowly(response: Response, drip: Drip) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = whole(body).await;
    parts
        .headers
        .insert(header::CONTENT_LENGTH, (bytes.len() as u64).into());
    let size = drip.bytes.max(1);
    let pieces = (0..bytes.len())
        .step_by(size)
        .map(move |at| bytes.slice(at..bytes.len().min(at + size)));
    let paced = stream::iter(pieces.enumerate()).then(move |(index, piece)| async move {
        if index > 0 {
            tokio::time::sleep(drip.pause).await;
        }
        Ok::<_, Infallible>(piece)
    });
    Response::from_parts(parts, Body::from_stream(paced))
}

/// Everything here was made in this process, so it fits into memory; a body already cut stays cut short.
async fn whole(body: Body) -> Bytes {
    axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default()
}
