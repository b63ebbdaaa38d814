//! The contract's own paths, to the letter: `/sources/` and `/sources/{id}`.

use axum::extract::State;
use gleaner_app::App;
use gleaner_app::view::{ContractSource, CreateSource, Message};
use gleaner_domain::SourceId;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::{Problem, Reply};
use crate::json::{Json, Path, Query};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_source, list_sources))
        .routes(routes!(get_source, delete_source))
}

/// Create Source
#[utoipa::path(post, path = "/sources/", tag = "contract", request_body = CreateSource, responses(
    (status = 200, body = ContractSource, description = "The new source"),
    (status = "default", body = Problem, description = "Why it was not created"),
))]
async fn create_source(State(app): State<App>, Json(new): Json<CreateSource>) -> Reply<ContractSource> {
    Ok(axum::Json(app.create_source(new).await?))
}

/// List All Sources
#[utoipa::path(get, path = "/sources/", tag = "contract", responses(
    (status = 200, body = Vec<ContractSource>, description = "All sources, oldest first"),
    (status = "default", body = Problem, description = "Why there is no list"),
))]
async fn list_sources(State(app): State<App>) -> Reply<Vec<ContractSource>> {
    Ok(axum::Json(app.list_sources().await?))
}

/// Get Source by ID
#[utoipa::path(get, path = "/sources/{id}", tag = "contract", params(("id" = SourceId, Path)), responses(
    (status = 200, body = ContractSource, description = "The source"),
    (status = "default", body = Problem, description = "Why it cannot be shown"),
))]
async fn get_source(State(app): State<App>, Path(id): Path<SourceId>) -> Reply<ContractSource> {
    Ok(axum::Json(app.get_source(id).await?))
}

/// What a delete takes besides the source.
#[derive(Deserialize)]
struct DeleteQuery {
    #[serde(default)]
    files: bool,
}

/// Delete Source
#[utoipa::path(delete, path = "/sources/{id}", tag = "contract", params(
    ("id" = SourceId, Path),
    ("files" = Option<bool>, Query, description = "Also delete its files; they stay if absent"),
), responses(
    (status = 200, body = Message, description = "It is deleted"),
    (status = "default", body = Problem, description = "Why it is not deleted"),
))]
async fn delete_source(
    State(app): State<App>,
    Path(id): Path<SourceId>,
    Query(query): Query<DeleteQuery>,
) -> Reply<Message> {
    Ok(axum::Json(app.delete_source(id, query.files).await?))
}
