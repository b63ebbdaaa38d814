//! Targets: where archives are kept.

use axum::extract::State;
use gleaner_app::App;
use gleaner_app::view::{Message, SaveTarget, TargetReport, TargetRow};
use gleaner_domain::TargetUid;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::{Problem, Reply};
use crate::json::{Json, Path};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_targets, save_target))
        .routes(routes!(delete_target))
        .routes(routes!(test_target))
}

/// All targets.
#[utoipa::path(get, path = "/api/targets", tag = "targets", responses(
    (status = 200, body = Vec<TargetRow>, description = "All targets"),
    (status = "default", body = Problem, description = "Why there is no list"),
))]
async fn list_targets(State(app): State<App>) -> Reply<Vec<TargetRow>> {
    Ok(axum::Json(app.list_targets().await?))
}

/// Creates a target, or changes the one whose uid is given.
#[utoipa::path(post, path = "/api/targets", tag = "targets", request_body = SaveTarget, responses(
    (status = 200, body = TargetRow, description = "The target as it is now"),
    (status = "default", body = Problem, description = "Why it was not saved"),
))]
async fn save_target(State(app): State<App>, Json(target): Json<SaveTarget>) -> Reply<TargetRow> {
    Ok(axum::Json(app.save_target(target).await?))
}

/// Removes a target that no source uses.
#[utoipa::path(delete, path = "/api/targets/{uid}", tag = "targets", params(("uid" = TargetUid, Path)), responses(
    (status = 200, body = Message, description = "It is removed"),
    (status = "default", body = Problem, description = "Why it stays"),
))]
async fn delete_target(State(app): State<App>, Path(uid): Path<TargetUid>) -> Reply<Message> {
    Ok(axum::Json(app.delete_target(uid).await?))
}

/// Writes, reads and deletes in a target, and explains.
#[utoipa::path(post, path = "/api/targets/test", tag = "targets", request_body = SaveTarget, responses(
    (status = 200, body = TargetReport, description = "How it did, step by step"),
    (status = "default", body = Problem, description = "Why it was not tried"),
))]
async fn test_target(State(app): State<App>, Json(target): Json<SaveTarget>) -> Reply<TargetReport> {
    Ok(axum::Json(app.test_target(target).await?))
}
