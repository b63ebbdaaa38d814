//! The contract's own paths of sessions, to the letter: `/sessions/…`.

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use gleaner_app::view::{
    ContractSession, Finalize, Message, OtpSent, OtpVerified, SendOtp, UploadSession, VerifyOtp,
};
use gleaner_app::{ApiError, App};
use gleaner_domain::SessionId;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::{HttpError, Problem, Reply};
use crate::json::{Json, Path, Query};

/// A session file; the largest real ones hold tens of thousands of peers and weigh some ten megabytes.
const FILE_LIMIT: usize = 50 * 1024 * 1024;
/// A name or a number.
const TEXT_LIMIT: usize = 4 * 1024;

pub(crate) fn routes() -> OpenApiRouter<App> {
    let upload = OpenApiRouter::new()
        .routes(routes!(upload_session_file))
        .layer(DefaultBodyLimit::max(FILE_LIMIT + 64 * 1024));
    OpenApiRouter::new()
        .routes(routes!(send_otp))
        .routes(routes!(verify_otp))
        .routes(routes!(finalize_session))
        .routes(routes!(list_sessions))
        .routes(routes!(delete_session))
        .merge(upload)
}

/// Send OTP (Step 1)
#[utoipa::path(post, path = "/sessions/send-otp", tag = "contract", request_body = SendOtp, responses(
    (status = 200, body = OtpSent, description = "The code is on its way"),
    (status = "default", body = Problem, description = "Why no code was sent"),
))]
async fn send_otp(State(app): State<App>, Json(wish): Json<SendOtp>) -> Reply<OtpSent> {
    Ok(axum::Json(app.send_otp(wish).await?))
}

/// Verify OTP (Step 2)
#[utoipa::path(post, path = "/sessions/verify-otp", tag = "contract", request_body = VerifyOtp, responses(
    (status = 200, body = OtpVerified, description = "Logged in, or the password is still missing"),
    (status = "default", body = Problem, description = "Why it was refused"),
))]
async fn verify_otp(State(app): State<App>, Json(code): Json<VerifyOtp>) -> Reply<OtpVerified> {
    Ok(axum::Json(app.verify_otp(code).await?))
}

/// Finalize Session (Step 3)
#[utoipa::path(post, path = "/sessions/finalize", tag = "contract", request_body = Finalize, responses(
    (status = 200, body = ContractSession, description = "The session, kept for good"),
    (status = "default", body = Problem, description = "Why it was not kept"),
))]
async fn finalize_session(State(app): State<App>, Json(wish): Json<Finalize>) -> Reply<ContractSession> {
    Ok(axum::Json(app.finalize_session(wish).await?))
}

/// What an upload holds.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form; it is read part by part")]
struct UploadForm {
    /// The user's name for the session.
    #[schema(example = "my_session", min_length = 1, max_length = 100)]
    session_name: String,
    /// The number of the account.
    #[schema(example = "+1234567890", max_length = 40)]
    phone_number: String,
    /// A `.session` file of Telethon, Pyrogram or Kurigram.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    session_file: String,
}

/// Upload Session File
#[utoipa::path(
    post, path = "/sessions/upload-file", tag = "contract",
    request_body(content = inline(UploadForm), content_type = "multipart/form-data"),
    responses(
        (status = 200, body = ContractSession, description = "The session, kept for good"),
        (status = "default", body = Problem, description = "Why it was not kept"),
    )
)]
async fn upload_session_file(State(app): State<App>, form: MultipartForm) -> Reply<ContractSession> {
    Ok(axum::Json(app.upload_session(form.read().await?).await?))
}

/// List All Sessions
#[utoipa::path(get, path = "/sessions/", tag = "contract", responses(
    (status = 200, body = Vec<ContractSession>, description = "All sessions, oldest first"),
    (status = "default", body = Problem, description = "Why there is no list"),
))]
async fn list_sessions(State(app): State<App>) -> Reply<Vec<ContractSession>> {
    Ok(axum::Json(app.list_sessions().await?))
}

/// What a delete takes besides the session.
#[derive(Deserialize)]
struct DeleteQuery {
    #[serde(default)]
    log_out: bool,
}

/// Delete Session
#[utoipa::path(delete, path = "/sessions/{id}", tag = "contract", params(
    ("id" = SessionId, Path),
    ("log_out" = Option<bool>, Query, description = "Also log it out at Telegram; it stays logged in if absent"),
), responses(
    (status = 200, body = Message, description = "It is deleted"),
    (status = "default", body = Problem, description = "Why it is not deleted"),
))]
async fn delete_session(
    State(app): State<App>,
    Path(id): Path<SessionId>,
    Query(query): Query<DeleteQuery>,
) -> Reply<Message> {
    Ok(axum::Json(app.delete_session(id, query.log_out).await?))
}

/// A form whose refusal has the contract's error form.
struct MultipartForm(Multipart);

impl<S: Send + Sync> axum::extract::FromRequest<S> for MultipartForm {
    type Rejection = HttpError;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, HttpError> {
        let form = Multipart::from_request(request, state).await;
        form.map(Self).map_err(|_| {
            HttpError::malformed(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Send the form as Content-Type: multipart/form-data, with its boundary",
            )
        })
    }
}

impl MultipartForm {
    async fn read(mut self) -> Result<UploadSession, HttpError> {
        let (mut name, mut phone, mut file) = (None, None, None);
        while let Some(field) = self.0.next_field().await.map_err(|e| broken(&e))? {
            match field.name() {
                Some("session_name") => {
                    once("session_name", name.is_none())?;
                    name = Some(text("session_name", field).await?);
                }
                Some("phone_number") => {
                    once("phone_number", phone.is_none())?;
                    phone = Some(text("phone_number", field).await?);
                }
                Some("session_file") => {
                    once("session_file", file.is_none())?;
                    file = Some(bounded("session_file", field, FILE_LIMIT).await?);
                }
                // Forms may hold more than we ask for; its bytes count all the same.
                _ => drop(bounded("form", field, TEXT_LIMIT).await?),
            }
        }
        let missing = |field: &str| HttpError::from(ApiError::field(field, "is required"));
        Ok(UploadSession {
            session_name: name.ok_or_else(|| missing("session_name"))?,
            phone_number: phone.ok_or_else(|| missing("phone_number"))?,
            file: file.ok_or_else(|| missing("session_file"))?,
        })
    }
}

/// Which of two would count is nothing to guess at; JSON is refused the same way.
fn once(name: &str, is_first: bool) -> Result<(), HttpError> {
    if is_first {
        return Ok(());
    }
    Err(ApiError::field(name, "is given twice").into())
}

async fn text(name: &str, field: Field<'_>) -> Result<String, HttpError> {
    let bytes = bounded(name, field, TEXT_LIMIT).await?;
    String::from_utf8(bytes.to_vec()).map_err(|_| ApiError::field(name, "must be UTF-8").into())
}

async fn bounded(name: &str, mut field: Field<'_>, most: usize) -> Result<Bytes, HttpError> {
    let mut bytes = BytesMut::new();
    while let Some(part) = field.chunk().await.map_err(|e| broken(&e))? {
        if bytes.len() + part.len() > most {
            return Err(ApiError::field(name, format!("at most {most} bytes")).into());
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes.freeze())
}

fn broken(error: &MultipartError) -> HttpError {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => HttpError::malformed(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The form is larger than this server accepts",
        ),
        _ => HttpError::malformed(
            StatusCode::BAD_REQUEST,
            "The form cannot be read: it is cut short or malformed",
        ),
    }
}
