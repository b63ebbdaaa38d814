//! The OpenAPI document: generated from the handlers, committed as `contract/openapi.json`.

use axum::Json;
use gleaner_app::ApiError;
use gleaner_app::view::Event;
use utoipa::OpenApi;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Header, OpenApi as OpenApiDocument, Ref, RefOr, Schema};
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
        (name = "contract", description = "Sessions and sources, exactly as the contract says"),
        (name = "sources", description = "Sources beyond the contract"),
        (name = "sessions", description = "Sessions beyond the contract: QR logins, checks, logins in progress"),
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

/// What no single handler says: how to show who asks, and the headers of every error.
pub(crate) fn complete(document: &mut OpenApiDocument) {
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(
        BEARER,
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("The token of the data folder, for scripts"))
                .build(),
        ),
    );
    let cookie = ApiKeyValue::with_description(
        "gleaner_8000",
        "What a browser gets for its one-time code; the name ends with the server's port",
    );
    components.add_security_scheme(COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    document.security = Some(
        [BEARER, COOKIE]
            .map(|name| SecurityRequirement::new(name, NONE))
            .to_vec(),
    );
    for operation in operations(document) {
        if let Some(RefOr::T(problem)) = operation.responses.responses.get_mut("default") {
            problem.headers.extend(error_headers());
        }
    }
}

/// Nobody needs to show who asks.
pub(crate) fn open_to_all(document: &mut OpenApiDocument) {
    for operation in operations(document) {
        operation.security = Some(Vec::new());
    }
}

const BEARER: &str = "bearer";
const COOKIE: &str = "cookie";
const NONE: [&str; 0] = [];

fn operations(document: &mut OpenApiDocument) -> impl Iterator<Item = &mut Operation> {
    document.paths.paths.values_mut().flat_map(|path| {
        [
            &mut path.get,
            &mut path.post,
            &mut path.put,
            &mut path.patch,
            &mut path.delete,
        ]
        .into_iter()
        .flatten()
    })
}

fn error_headers() -> [(String, RefOr<Header>); 2] {
    let header = |name: &str, schema: RefOr<Schema>, description: &str| {
        let header = HeaderBuilder::new()
            .schema(Some(schema))
            .description(Some(description));
        (name.to_owned(), header.build().into())
    };
    let whole = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    [
        header(
            "X-Error-Code",
            Ref::from_schema_name("Code").into(),
            "The error for machines; absent where no operation was reached",
        ),
        header(
            "Retry-After",
            RefOr::T(whole.into()),
            "Seconds until trying again makes sense; absent where waiting does not help",
        ),
    ]
}

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
