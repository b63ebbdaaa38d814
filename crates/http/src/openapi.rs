//! The OpenAPI document: generated from the handlers, committed as `contract/openapi.json`.

use axum::Json;
use gleaner_app::ApiError;
use gleaner_app::view::Event;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::router;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Gleaner",
        description = "Turns Telegram channels into archives. Paths outside `/api/` are the contract's own.",
        license(name = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "contract", description = "Sources, exactly as the contract says"),
        (name = "sources", description = "Sources beyond the contract"),
        (name = "runs", description = "What goes on and what went on"),
        (name = "targets", description = "Where archives are kept"),
        (name = "settings", description = "Settings of this machine"),
        (name = "data", description = "The data folder"),
        (name = "events", description = "What changed"),
        (name = "auth", description = "Who may ask"),
    ),
    components(schemas(ApiError, Event)),
)]
pub(crate) struct Base;

/// The document as it is served and committed.
pub fn document() -> utoipa::openapi::OpenApi {
    router::api().into_openapi()
}

pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(openapi))
}

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "settings", responses(
    (status = 200, body = Object, description = "The OpenAPI document"),
))]
async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
