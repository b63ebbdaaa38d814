//! Sessions beyond the contract: rich rows, QR logins, logins in progress, checks, the key, the API id.

use axum::extract::State;
use gleaner_app::App;
use gleaner_app::view::{
    EditSession, EditTelegram, ImportString, KeyStatus, Message, SessionRow, StartQr, TelegramSettings,
    TempPassword, TempSession,
};
use gleaner_domain::SessionId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::error::{Problem, Reply};
use crate::json::{Json, Path};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_session_rows))
        .routes(routes!(edit_session))
        .routes(routes!(check_session))
        .routes(routes!(import_session_string))
        .routes(routes!(start_qr))
        .routes(routes!(get_temp_session, cancel_temp_session))
        .routes(routes!(resend_code))
        .routes(routes!(give_temp_password))
        .routes(routes!(telegram_settings, edit_telegram_settings))
        .routes(routes!(key_status))
        .routes(routes!(retry_key))
}

/// All sessions as rows of the list.
#[utoipa::path(get, path = "/api/sessions", tag = "sessions", responses(
    (status = 200, body = Vec<SessionRow>, description = "All sessions, oldest first"),
    (status = "default", body = Problem, description = "Why there is no list"),
))]
async fn list_session_rows(State(app): State<App>) -> Reply<Vec<SessionRow>> {
    Ok(axum::Json(app.list_session_rows().await?))
}

/// Gives a session another name.
#[utoipa::path(
    patch, path = "/api/sessions/{id}", tag = "sessions", params(("id" = SessionId, Path)),
    request_body = EditSession,
    responses(
        (status = 200, body = SessionRow, description = "The session as it is now"),
        (status = "default", body = Problem, description = "Why it was not changed"),
    )
)]
async fn edit_session(
    State(app): State<App>,
    Path(id): Path<SessionId>,
    Json(edit): Json<EditSession>,
) -> Reply<SessionRow> {
    Ok(axum::Json(app.edit_session(id, edit).await?))
}

/// Asks Telegram whether a session works.
#[utoipa::path(post, path = "/api/sessions/{id}/check", tag = "sessions", params(("id" = SessionId, Path)), responses(
    (status = 200, body = SessionRow, description = "The session, with what was seen"),
    (status = "default", body = Problem, description = "Why nobody could be asked"),
))]
async fn check_session(State(app): State<App>, Path(id): Path<SessionId>) -> Reply<SessionRow> {
    Ok(axum::Json(app.check_session(id).await?))
}

/// Keeps a session that is given as a text.
#[utoipa::path(
    post, path = "/api/sessions/import-string", tag = "sessions", request_body = ImportString,
    responses(
        (status = 200, body = SessionRow, description = "The session, kept for good"),
        (status = "default", body = Problem, description = "Why it was not kept"),
    )
)]
async fn import_session_string(State(app): State<App>, Json(wish): Json<ImportString>) -> Reply<SessionRow> {
    Ok(axum::Json(app.import_session_string(wish).await?))
}

/// Begins a login by QR code.
#[utoipa::path(post, path = "/api/temp-sessions/qr", tag = "sessions", request_body = StartQr, responses(
    (status = 200, body = TempSession, description = "The login, with the first code"),
    (status = "default", body = Problem, description = "Why there is no code"),
))]
async fn start_qr(State(app): State<App>, Json(wish): Json<StartQr>) -> Reply<TempSession> {
    Ok(axum::Json(app.start_qr(wish).await?))
}

/// A login in progress.
#[utoipa::path(get, path = "/api/temp-sessions/{id}", tag = "sessions", params(("id" = Uuid, Path)), responses(
    (status = 200, body = TempSession, description = "What it waits for"),
    (status = "default", body = Problem, description = "Why it cannot be shown"),
))]
async fn get_temp_session(State(app): State<App>, Path(id): Path<Uuid>) -> Reply<TempSession> {
    Ok(axum::Json(app.get_temp_session(id).await?))
}

/// Ends a login in progress.
#[utoipa::path(delete, path = "/api/temp-sessions/{id}", tag = "sessions", params(("id" = Uuid, Path)), responses(
    (status = 200, body = Message, description = "It is over"),
    (status = "default", body = Problem, description = "Why it goes on"),
))]
async fn cancel_temp_session(State(app): State<App>, Path(id): Path<Uuid>) -> Reply<Message> {
    Ok(axum::Json(app.cancel_temp_session(id).await?))
}

/// Asks for another code.
#[utoipa::path(post, path = "/api/temp-sessions/{id}/resend", tag = "sessions", params(("id" = Uuid, Path)), responses(
    (status = 200, body = TempSession, description = "The login, with where the code went"),
    (status = "default", body = Problem, description = "Why no code was sent"),
))]
async fn resend_code(State(app): State<App>, Path(id): Path<Uuid>) -> Reply<TempSession> {
    Ok(axum::Json(app.resend_code(id).await?))
}

/// Gives the password after a QR login.
#[utoipa::path(
    post, path = "/api/temp-sessions/{id}/password", tag = "sessions", params(("id" = Uuid, Path)),
    request_body = TempPassword,
    responses(
        (status = 200, body = TempSession, description = "The login, ready to be kept"),
        (status = "default", body = Problem, description = "Why it was refused"),
    )
)]
async fn give_temp_password(
    State(app): State<App>,
    Path(id): Path<Uuid>,
    Json(wish): Json<TempPassword>,
) -> Reply<TempSession> {
    Ok(axum::Json(app.give_temp_password(id, wish).await?))
}

/// With what logins are made.
#[utoipa::path(get, path = "/api/settings/telegram", tag = "settings", responses(
    (status = 200, body = TelegramSettings, description = "What is set; secrets are never shown"),
    (status = "default", body = Problem, description = "Why it cannot be shown"),
))]
async fn telegram_settings(State(app): State<App>) -> Reply<TelegramSettings> {
    Ok(axum::Json(app.telegram_settings().await?))
}

/// Changes with what logins are made; what is absent stays.
#[utoipa::path(patch, path = "/api/settings/telegram", tag = "settings", request_body = EditTelegram, responses(
    (status = 200, body = TelegramSettings, description = "What is set now"),
    (status = "default", body = Problem, description = "Why it was not changed"),
))]
async fn edit_telegram_settings(
    State(app): State<App>,
    Json(edit): Json<EditTelegram>,
) -> Reply<TelegramSettings> {
    Ok(axum::Json(app.edit_telegram_settings(edit).await?))
}

/// Whether the key of the sessions is there.
#[utoipa::path(get, path = "/api/key", tag = "settings", responses(
    (status = 200, body = KeyStatus, description = "What was found, and what to do"),
    (status = "default", body = Problem, description = "Why nobody could look"),
))]
async fn key_status(State(app): State<App>) -> Reply<KeyStatus> {
    Ok(axum::Json(app.key_status().await?))
}

/// Looks for the key again, now that somebody unlocked or started the keyring.
#[utoipa::path(post, path = "/api/key/retry", tag = "settings", responses(
    (status = 200, body = KeyStatus, description = "What was found, and what to do"),
    (status = "default", body = Problem, description = "Why nobody could look"),
))]
async fn retry_key(State(app): State<App>) -> Reply<KeyStatus> {
    Ok(axum::Json(app.retry_key().await?))
}
