//! The data folder: back up, move, erase.

use axum::extract::State;
use gleaner_app::App;
use gleaner_app::view::{DataReport, EraseData, PathInput};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::{Problem, Reply};
use crate::json::Json;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(backup_data))
        .routes(routes!(move_data))
        .routes(routes!(erase_data))
}

/// Copies the data folder to a new place.
#[utoipa::path(post, path = "/api/data/backup", tag = "data", request_body = PathInput, responses(
    (status = 200, body = DataReport, description = "Where the copy lies"),
    (status = "default", body = Problem, description = "Why there is no copy"),
))]
async fn backup_data(State(app): State<App>, Json(to): Json<PathInput>) -> Reply<DataReport> {
    Ok(axum::Json(app.backup_data(to).await?))
}

/// Moves the data folder.
#[utoipa::path(post, path = "/api/data/move", tag = "data", request_body = PathInput, responses(
    (status = 200, body = DataReport, description = "Where it is now"),
    (status = "default", body = Problem, description = "Why it stays"),
))]
async fn move_data(State(app): State<App>, Json(to): Json<PathInput>) -> Reply<DataReport> {
    Ok(axum::Json(app.move_data(to).await?))
}

/// Erases the data folder; archives in targets stay.
#[utoipa::path(post, path = "/api/data/erase", tag = "data", request_body = EraseData, responses(
    (status = 200, body = DataReport, description = "What was erased"),
    (status = "default", body = Problem, description = "Why it stays"),
))]
async fn erase_data(State(app): State<App>, Json(wish): Json<EraseData>) -> Reply<DataReport> {
    Ok(axum::Json(app.erase_data(wish).await?))
}
