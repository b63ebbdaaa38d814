//! Which doors a request passes, in which order.
//!
//! Outermost first: an id and fixed headers, panics become 500, Host and Origin, a deadline,
//! then (for everything but pages and the code exchange) the token, then one handler.

use std::any::Any;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gleaner_app::{ApiError, App};
use gleaner_domain::Code;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::auth::{self, Access};
use crate::error::HttpError;
use crate::events::Closing;
use crate::{contract, data, events, guard, openapi, pages, runs, settings, sources, targets};

const BODY_LIMIT: usize = 1024 * 1024;
/// The slowest request is a target's test over a bad line; what hangs longer hangs for ever.
const DEADLINE: Duration = Duration::from_mins(1);
/// Copying a data folder takes as long as the disk takes.
const DATA_DEADLINE: Duration = Duration::from_hours(1);

/// All operations and the pages, for a server or a test.
pub fn router(app: App, access: Access) -> Router {
    build(app, access, Closing::default(), true)
}

/// The operations, by whether they need a token.
pub(crate) struct Api {
    guarded: OpenApiRouter<App>,
    open: OpenApiRouter<App>,
}

pub(crate) fn api() -> Api {
    let guarded = OpenApiRouter::new()
        .merge(contract::routes())
        .merge(sources::routes())
        .merge(runs::routes())
        .merge(targets::routes())
        .merge(settings::routes())
        .merge(data::routes())
        .merge(events::routes())
        .merge(openapi::routes());
    Api {
        guarded,
        open: auth::routes(),
    }
}

impl Api {
    pub(crate) fn into_openapi(self) -> utoipa::openapi::OpenApi {
        let Self { guarded, mut open } = self;
        openapi::open_to_all(open.get_openapi_mut());
        let mut document = OpenApiRouter::<App>::with_openapi(openapi::Base::openapi())
            .merge(guarded)
            .merge(open)
            .into_openapi();
        openapi::complete(&mut document);
        document
    }
}

/// `work` holds what goes on although nobody may wait for it any more.
pub(crate) fn build(app: App, access: Access, closing: Closing, work: TaskTracker, ui: bool) -> Router {
    let Api { guarded, open } = api();
    let guarded = Router::from(guarded)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(access.clone(), auth::require));
    let open = Router::from(open).method_not_allowed_fallback(not_allowed);
    let all = if ui {
        guarded.merge(open).fallback(pages::serve)
    } else {
        guarded.merge(open).fallback(pages::nothing)
    };
    let cors = access.is_dev().then(cors);
    all.layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(Extension(access.clone()))
        .layer(Extension(closing))
        .layer(middleware::from_fn(deadline))
        .layer(tower::util::option_layer(cors))
        .layer(middleware::from_fn_with_state(access, guard::check))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn Any + Send>| {
            panicked(&*panic)
        }))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn(finish))
        .with_state(app)
}

async fn not_allowed() -> HttpError {
    HttpError::unknown(StatusCode::METHOD_NOT_ALLOWED)
}

/// Development mode alone: pages of a UI under development run on another port of this machine.
fn cors() -> CorsLayer {
    let here = |origin: &HeaderValue, _: &_| origin.to_str().is_ok_and(guard::is_loopback_origin);
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(here))
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION])
        .expose_headers([ERROR_CODE, header::RETRY_AFTER, REQUEST_ID])
}

const ERROR_CODE: HeaderName = HeaderName::from_static("x-error-code");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

async fn deadline(request: Request, next: Next) -> Response {
    let limit = if request.uri().path().starts_with("/api/data/") {
        DATA_DEADLINE
    } else {
        DEADLINE
    };
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            HttpError::from(ApiError::new(Code::Unreachable, "The request took too long")).into_response()
        }
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let detail = format!("a handler panicked: {}", text.unwrap_or("no message"));
    HttpError::from(ApiError::new(Code::Internal, detail)).into_response()
}

/// What every answer carries.
async fn finish(request: Request, next: Next) -> Response {
    let id = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 12]>());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    tracing::debug!(request = id, %method, path, status = response.status().as_u16(), "answered");
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_and_not_told() {
        let broken = Router::new()
            .route("/", get(|| async { panic!("the secret is 42") as StatusCode }))
            .layer(CatchPanicLayer::custom(|panic: Box<dyn Any + Send>| {
                panicked(&*panic)
            }));
        let response = broken
            .oneshot(Request::new(Body::empty()))
            .await
            .expect("an answer");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = to_bytes(response.into_body(), 1_000).await.expect("a body");
        assert_eq!(body, r#"{"detail":"Internal server error"}"#);
    }
}
