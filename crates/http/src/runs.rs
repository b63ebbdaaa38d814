//! Runs: what goes on, what went on, and how to stop it.

use axum::Json;
use axum::extract::State;
use gleaner_app::App;
use gleaner_app::view::{RunDetail, RunFilter, RunRow};
use gleaner_domain::{RunState, RunUid, SourceId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::{Problem, Reply};
use crate::json::{Path, Query};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_runs))
        .routes(routes!(get_run))
        .routes(routes!(cancel_run))
}

/// Runs, newest first.
#[utoipa::path(get, path = "/api/runs", tag = "runs", params(
    ("source_id" = Option<SourceId>, Query, description = "Only of this source"),
    ("state" = Option<RunState>, Query, description = "Only in this state"),
    ("over" = Option<bool>, Query, description = "Only runs that are over (`true`), or only those that wait or go on (`false`)"),
    ("search" = Option<String>, Query, description = "Only of sources whose name or identifier contains this"),
    ("before" = Option<RunUid>, Query, description = "Only older than this run"),
    ("limit" = Option<u32>, Query, description = "At most so many; 100 if absent, 500 at most"),
), responses(
    (status = 200, body = Vec<RunRow>, description = "Runs, newest first"),
    (status = "default", body = Problem, description = "Why there is no list"),
))]
async fn list_runs(State(app): State<App>, Query(filter): Query<RunFilter>) -> Reply<Vec<RunRow>> {
    Ok(Json(app.list_runs(filter).await?))
}

/// One run with its log.
#[utoipa::path(get, path = "/api/runs/{uid}", tag = "runs", params(("uid" = RunUid, Path)), responses(
    (status = 200, body = RunDetail, description = "The run"),
    (status = "default", body = Problem, description = "Why it cannot be shown"),
))]
async fn get_run(State(app): State<App>, Path(uid): Path<RunUid>) -> Reply<RunDetail> {
    Ok(Json(app.get_run(uid).await?))
}

/// Stops a run; its checkpoint stays.
#[utoipa::path(post, path = "/api/runs/{uid}/cancel", tag = "runs", params(("uid" = RunUid, Path)), responses(
    (status = 200, body = RunRow, description = "The run as it is now"),
    (status = "default", body = Problem, description = "Why it goes on"),
))]
async fn cancel_run(State(app): State<App>, Path(uid): Path<RunUid>) -> Reply<RunRow> {
    Ok(Json(app.cancel_run(uid).await?))
}
