//! Which doors a request passes, in which order.
//!
//! Outermost first: an id and fixed headers, panics become 500, Host and Origin, a deadline,
//! then (for everything but pages and the code exchange) the token, then one handler.

use std::any::Any;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gleaner_app::{ApiError, App};
use gleaner_domain::Code;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::auth::{self, Access};
use crate::error::HttpError;
use crate::events::Closing;
use crate::{
    contract, contract_sessions, data, events, guard, openapi, pages, runs, sessions, settings, sources,
    targets,
};

const BODY_LIMIT: usize = 1024 * 1024;
/// The slowest request is a target's test over a bad line; what hangs longer hangs for ever.
const DEADLINE: Duration = Duration::from_mins(1);
/// Copying a data folder or deleting an archive takes as long as the disk takes.
const LONG_DEADLINE: Duration = Duration::from_hours(1);

/// All operations and the pages, for a server or a test.
pub fn router(app: App, access: Access) -> Router {
    build(app, access, Closing::default(), TaskTracker::new(), true)
}

/// The operations, by whether they need a token.
pub(crate) struct Api {
    guarded: OpenApiRouter<App>,
    open: OpenApiRouter<App>,
}

pub(crate) fn api() -> Api {
    let guarded = OpenApiRouter::new()
        .merge(contract::routes())
        .merge(contract_sessions::routes())
        .merge(sessions::routes())
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
        .layer(middleware::from_fn_with_state(work, deadline))
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

async fn deadline(State(work): State<TaskTracker>, request: Request, next: Next) -> Response {
    let limit = limit_of(request.method(), request.uri().path());
    if request.method().is_safe() {
        return match timeout(limit, next.run(request)).await {
            Ok(response) => response,
            Err(_) => HttpError::late("The answer took too long").into_response(),
        };
    }
    to_the_end(&work, limit, next.run(request)).await
}

fn limit_of(method: &Method, path: &str) -> Duration {
    let is_long = path.starts_with("/api/data/")
        || matches!(path, "/api/sources/bulk" | "/api/sources/import")
        || (method == Method::DELETE && path.starts_with("/sources/"));
    if is_long { LONG_DEADLINE } else { DEADLINE }
}

/// What changes something goes on by itself: a caller who hangs up, or who was not answered in
/// time, must not cut it in half. Only the waiting ends.
async fn to_the_end<F>(work: &TaskTracker, limit: Duration, answer: F) -> Response
where
    F: Future<Output = Response> + Send + 'static,
{
    match timeout(limit, work.spawn(answer)).await {
        Ok(Ok(response)) => response,
        Ok(Err(broken)) => match broken.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(stopped) => {
                let detail = format!("a handler was stopped: {stopped}");
                HttpError::from(ApiError::new(Code::Internal, detail)).into_response()
            }
        },
        Err(_) => {
            HttpError::late("This takes longer than anybody waits, and may still go on: look again later")
                .into_response()
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
    use futures::FutureExt;
    use rstest::rstest;
    use tokio::sync::oneshot;
    use tower::ServiceExt;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Work that waits for a sign, and what tells that it came to its end.
    fn work() -> (
        oneshot::Sender<()>,
        impl Future<Output = Response>,
        oneshot::Receiver<()>,
    ) {
        let (go, sign) = oneshot::channel::<()>();
        let (done, end) = oneshot::channel();
        let work = async move {
            sign.await.expect("a sign");
            done.send(()).expect("somebody listens");
            StatusCode::OK.into_response()
        };
        (go, work, end)
    }

    #[tokio::test]
    async fn who_hangs_up_does_not_cut_work_in_half() {
        let (go, work, end) = work();
        let caller = to_the_end(&TaskTracker::new(), PATIENCE, work).now_or_never();
        assert!(caller.is_none(), "the caller left without an answer");
        go.send(()).expect("the work goes on");
        timeout(PATIENCE, end).await.expect("in time").expect("the end");
    }

    #[tokio::test]
    async fn work_that_takes_long_goes_on_and_the_answer_says_so() {
        let (go, work, end) = work();
        let tracker = TaskTracker::new();
        let response = to_the_end(&tracker, Duration::ZERO, work).await;
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(
            response.headers().get(ERROR_CODE),
            None,
            "nothing is out of reach"
        );
        go.send(()).expect("the work goes on");
        timeout(PATIENCE, end).await.expect("in time").expect("the end");
        tracker.close();
        timeout(PATIENCE, tracker.wait()).await.expect("nothing is left");
    }

    #[rstest]
    #[case(Method::DELETE, "/sources/5", LONG_DEADLINE)]
    #[case(Method::POST, "/api/sources/bulk", LONG_DEADLINE)]
    #[case(Method::POST, "/api/sources/import", LONG_DEADLINE)]
    #[case(Method::POST, "/api/data/move", LONG_DEADLINE)]
    #[case(Method::GET, "/sources/5", DEADLINE)]
    #[case(Method::POST, "/api/auth/exchange", DEADLINE)]
    #[case(Method::DELETE, "/api/targets/5", DEADLINE)]
    fn only_what_the_disk_decides_may_take_long(
        #[case] method: Method,
        #[case] path: &str,
        #[case] limit: Duration,
    ) {
        assert_eq!(limit_of(&method, path), limit);
    }

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
