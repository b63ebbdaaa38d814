//! The web UI, embedded: files by their path, and the one page of the app for everything else.

use std::borrow::Cow;
use std::iter;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rust_embed::{Embed, EmbeddedFile};
use sha2::{Digest, Sha256};

use crate::error::HttpError;

#[derive(Embed)]
#[folder = "../../ui/build"]
#[allow_missing = true]
struct Ui;

/// The page that draws every address of the app.
const APP_PAGES: [&str; 2] = ["200.html", "index.html"];
/// Where the build puts what the page loads.
const SCRIPTS: &str = "_app/";
/// Files whose names change with their content.
const HASHED: &str = "_app/immutable/";

const NOT_BUILT: &str = "<!doctype html><title>Gleaner</title><h1>The pages are not built in</h1>\
    <p>Run <code>npm ci && npm run build</code> in <code>ui/</code>, then build Gleaner again. \
    The API works.</p>";

/// What is no operation: a file, or the app's page.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if path.starts_with("/api/") || path.starts_with("/sources/") {
        return HttpError::unknown(StatusCode::NOT_FOUND).into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return HttpError::unknown(StatusCode::METHOD_NOT_ALLOWED).into_response();
    }
    let path = path.trim_start_matches('/');
    match Ui::get(path) {
        Some(file) if is_built() => answer(path, file, &headers),
        // An old page asking for a script of an old build must not get HTML.
        None if path.starts_with(SCRIPTS) => HttpError::unknown(StatusCode::NOT_FOUND).into_response(),
        _ => app_page(&headers),
    }
}

/// Where there is no UI at all.
pub(crate) async fn nothing() -> HttpError {
    HttpError::unknown(StatusCode::NOT_FOUND)
}

fn app_page(headers: &HeaderMap) -> Response {
    let mut pages = APP_PAGES
        .iter()
        .filter_map(|name| Ui::get(name).map(|file| (*name, file)));
    match pages.next() {
        Some((name, file)) if is_built() => answer(name, file, headers),
        _ => page(
            StatusCode::SERVICE_UNAVAILABLE,
            Cow::Borrowed(NOT_BUILT.as_bytes()),
        ),
    }
}

/// A page without scripts is only the stand-in that lets the window compile before the UI is built.
fn is_built() -> bool {
    Ui::iter().any(|name| name.starts_with(SCRIPTS))
}

fn answer(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", STANDARD.encode(&file.metadata.sha256_hash()[..18]));
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|v| v.as_bytes() == etag.as_bytes());
    let mut response = match file.metadata.mimetype() {
        // Browsers put the headers of this answer over those they kept: its policy must be the page's.
        "text/html" if known => (StatusCode::NOT_MODIFIED, page_policy(&file.data)).into_response(),
        _ if known => StatusCode::NOT_MODIFIED.into_response(),
        "text/html" => page(StatusCode::OK, file.data),
        kind => (
            [(header::CONTENT_TYPE, with_charset(kind))],
            Body::from(file.data.into_owned()),
        )
            .into_response(),
    };
    let cache = if path.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

fn page(status: StatusCode, html: Cow<'static, [u8]>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let policy = page_policy(&html);
    (status, kind, policy, Body::from(html.into_owned())).into_response()
}

fn page_policy(html: &[u8]) -> [(HeaderName, String); 1] {
    let policy = policy(&String::from_utf8_lossy(html));
    [(header::CONTENT_SECURITY_POLICY, policy)]
}

/// Only our own files, and the inline scripts this very page was built with.
fn policy(html: &str) -> String {
    let own = iter::once("'self'".to_owned());
    let hashes =
        inline_scripts(html).map(|script| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(script))));
    let scripts = own.chain(hashes).collect::<Vec<_>>().join(" ");
    format!(
        "default-src 'self'; script-src {scripts}; style-src 'self'; img-src 'self' data: blob:; \
         connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Scripts without `src`, byte for byte.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script")?;
        (!attributes.contains("src=")).then_some(script)
    })
}

fn with_charset(kind: &str) -> String {
    let text = kind.starts_with("text/") || matches!(kind, "application/json" | "application/javascript");
    if text {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_names_the_inline_scripts_and_no_others() {
        let html = r#"<script src="/a.js"></script><script>alert(1)</script>"#;
        let scripts: Vec<_> = inline_scripts(html).collect();
        assert_eq!(scripts, ["alert(1)"]);
        // echo -n 'alert(1)' | openssl dgst -sha256 -binary | base64
        assert!(
            policy(html).contains("script-src 'self' 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=';")
        );
    }

    #[test]
    fn a_page_without_inline_scripts_allows_none() {
        assert!(policy("<p>hello</p>").contains("script-src 'self';"));
        assert!(!policy("").contains("unsafe"));
    }
}
