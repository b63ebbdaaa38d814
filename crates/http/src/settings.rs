//! Settings of this machine, and the state at a glance.

use axum::extract::State;
use gleaner_app::App;
use gleaner_app::view::{EditSettings, Overview, Settings};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::{Problem, Reply};
use crate::json::Json;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_settings, edit_settings))
        .routes(routes!(overview))
}

/// Settings of this machine.
#[utoipa::path(get, path = "/api/settings", tag = "settings", responses(
    (status = 200, body = Settings, description = "The settings"),
    (status = "default", body = Problem, description = "Why they cannot be shown"),
))]
async fn get_settings(State(app): State<App>) -> Reply<Settings> {
    Ok(axum::Json(app.get_settings().await?))
}

/// Changes settings; what is absent stays.
#[utoipa::path(patch, path = "/api/settings", tag = "settings", request_body = EditSettings, responses(
    (status = 200, body = Settings, description = "The settings as they are now"),
    (status = "default", body = Problem, description = "Why they were not changed"),
))]
async fn edit_settings(State(app): State<App>, Json(edit): Json<EditSettings>) -> Reply<Settings> {
    Ok(axum::Json(app.edit_settings(edit).await?))
}

/// State at a glance.
#[utoipa::path(get, path = "/api/overview", tag = "settings", responses(
    (status = 200, body = Overview, description = "Counts and the next due time"),
    (status = "default", body = Problem, description = "Why it cannot be told"),
))]
async fn overview(State(app): State<App>) -> Reply<Overview> {
    Ok(axum::Json(app.overview().await?))
}
