//! Sources beyond the contract: rich rows, edits, pauses, bulk work, what was kept.

use axum::extract::{DefaultBodyLimit, State};
use gleaner_app::App;
use gleaner_app::view::{
    BulkReport, BulkSources, Completeness, DayCount, EditSource, ImportReport, ImportSources, MessageRow,
    RunRow, SourceDetail, SourceRow,
};
use gleaner_domain::SourceId;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::{Problem, Reply};
use crate::json::{Json, Path, Query};

/// A pasted list may be a million characters; JSON escapes make it longer.
const IMPORT_LIMIT: usize = 2 * 1024 * 1024;

pub(crate) fn routes() -> OpenApiRouter<App> {
    let import = OpenApiRouter::new()
        .routes(routes!(import_sources))
        .layer(DefaultBodyLimit::max(IMPORT_LIMIT));
    OpenApiRouter::new()
        .routes(routes!(list_source_rows))
        .routes(routes!(newest_source_rows))
        .routes(routes!(get_source_detail, edit_source))
        .routes(routes!(pause_source))
        .routes(routes!(resume_source))
        .routes(routes!(run_source))
        .routes(routes!(bulk_sources))
        .routes(routes!(source_completeness))
        .routes(routes!(source_days))
        .routes(routes!(source_messages))
        .merge(import)
}

/// All sources as rows of the table.
#[utoipa::path(get, path = "/api/sources", tag = "sources", responses(
    (status = 200, body = Vec<SourceRow>, description = "All sources, oldest first"),
    (status = "default", body = Problem, description = "Why there is no list"),
))]
async fn list_source_rows(State(app): State<App>) -> Reply<Vec<SourceRow>> {
    Ok(axum::Json(app.list_source_rows().await?))
}

/// The newest sources, newest first: what a table shows while thousands are still on their way.
#[utoipa::path(get, path = "/api/sources/newest", tag = "sources", params(Newest), responses(
    (status = 200, body = Vec<SourceRow>, description = "The newest sources, newest first"),
    (status = "default", body = Problem, description = "Why there is no list"),
))]
async fn newest_source_rows(State(app): State<App>, Query(part): Query<Newest>) -> Reply<Vec<SourceRow>> {
    Ok(axum::Json(app.newest_source_rows(part.limit).await?))
}

/// Which of the newest sources.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Newest {
    /// At most so many; 100 if absent, 500 at most.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// One source in full.
#[utoipa::path(get, path = "/api/sources/{id}", tag = "sources", params(("id" = SourceId, Path)), responses(
    (status = 200, body = SourceDetail, description = "The source"),
    (status = "default", body = Problem, description = "Why it cannot be shown"),
))]
async fn get_source_detail(State(app): State<App>, Path(id): Path<SourceId>) -> Reply<SourceDetail> {
    Ok(axum::Json(app.get_source_detail(id).await?))
}

/// Changes a source; what is absent stays.
#[utoipa::path(
    patch, path = "/api/sources/{id}", tag = "sources", params(("id" = SourceId, Path)),
    request_body = EditSource,
    responses(
        (status = 200, body = SourceRow, description = "The source as it is now"),
        (status = "default", body = Problem, description = "Why it was not changed"),
    )
)]
async fn edit_source(
    State(app): State<App>,
    Path(id): Path<SourceId>,
    Json(edit): Json<EditSource>,
) -> Reply<SourceRow> {
    Ok(axum::Json(app.edit_source(id, edit).await?))
}

/// Stops a source's schedule.
#[utoipa::path(post, path = "/api/sources/{id}/pause", tag = "sources", params(("id" = SourceId, Path)), responses(
    (status = 200, body = SourceRow, description = "The source as it is now"),
    (status = "default", body = Problem, description = "Why it is not paused"),
))]
async fn pause_source(State(app): State<App>, Path(id): Path<SourceId>) -> Reply<SourceRow> {
    Ok(axum::Json(app.pause_source(id).await?))
}

/// Starts a paused source's schedule again.
#[utoipa::path(post, path = "/api/sources/{id}/resume", tag = "sources", params(("id" = SourceId, Path)), responses(
    (status = 200, body = SourceRow, description = "The source as it is now"),
    (status = "default", body = Problem, description = "Why it is still paused"),
))]
async fn resume_source(State(app): State<App>, Path(id): Path<SourceId>) -> Reply<SourceRow> {
    Ok(axum::Json(app.resume_source(id).await?))
}

/// Queues a run of a source; the process that holds the scheduler runs it.
#[utoipa::path(post, path = "/api/sources/{id}/run", tag = "sources", params(("id" = SourceId, Path)), responses(
    (status = 200, body = RunRow, description = "The queued run"),
    (status = "default", body = Problem, description = "Why it is not queued"),
))]
async fn run_source(State(app): State<App>, Path(id): Path<SourceId>) -> Reply<RunRow> {
    Ok(axum::Json(app.run_source(id).await?))
}

/// Does one thing with many sources.
#[utoipa::path(post, path = "/api/sources/bulk", tag = "sources", request_body = BulkSources, responses(
    (status = 200, body = BulkReport, description = "What became of each"),
    (status = "default", body = Problem, description = "Why nothing was done"),
))]
async fn bulk_sources(State(app): State<App>, Json(bulk): Json<BulkSources>) -> Reply<BulkReport> {
    Ok(axum::Json(app.bulk_sources(bulk).await?))
}

/// Adds many sources from a pasted list.
#[utoipa::path(post, path = "/api/sources/import", tag = "sources", request_body = ImportSources, responses(
    (status = 200, body = ImportReport, description = "What became of each line"),
    (status = "default", body = Problem, description = "Why nothing was added"),
))]
async fn import_sources(State(app): State<App>, Json(list): Json<ImportSources>) -> Reply<ImportReport> {
    Ok(axum::Json(app.import_sources(list).await?))
}

/// Which ids are kept, empty or not asked about yet.
#[utoipa::path(
    get, path = "/api/sources/{id}/completeness", tag = "sources", params(("id" = SourceId, Path)),
    responses(
        (status = 200, body = Completeness, description = "The picture"),
        (status = "default", body = Problem, description = "Why there is none"),
    )
)]
async fn source_completeness(State(app): State<App>, Path(id): Path<SourceId>) -> Reply<Completeness> {
    Ok(axum::Json(app.source_completeness(id).await?))
}

/// Messages per day.
#[utoipa::path(get, path = "/api/sources/{id}/days", tag = "sources", params(("id" = SourceId, Path)), responses(
    (status = 200, body = Vec<DayCount>, description = "Days with messages, oldest first"),
    (status = "default", body = Problem, description = "Why there are none"),
))]
async fn source_days(State(app): State<App>, Path(id): Path<SourceId>) -> Reply<Vec<DayCount>> {
    Ok(axum::Json(app.source_days(id).await?))
}

/// Which part of the messages.
#[derive(Deserialize)]
struct Part {
    before: Option<u32>,
    limit: Option<u32>,
}

/// Kept messages, newest first.
#[utoipa::path(get, path = "/api/sources/{id}/messages", tag = "sources", params(
    ("id" = SourceId, Path),
    ("before" = Option<u32>, Query, description = "Only ids below this one"),
    ("limit" = Option<u32>, Query, description = "At most so many"),
), responses(
    (status = 200, body = Vec<MessageRow>, description = "Messages, newest first"),
    (status = "default", body = Problem, description = "Why there are none"),
))]
async fn source_messages(
    State(app): State<App>,
    Path(id): Path<SourceId>,
    Query(part): Query<Part>,
) -> Reply<Vec<MessageRow>> {
    Ok(axum::Json(
        app.source_messages(id, part.before, part.limit).await?,
    ))
}
