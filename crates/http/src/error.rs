//! `ApiError` as a response: the status, a body of exactly `{"detail": "…"}`, the rest as headers.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gleaner_app::ApiError;
use gleaner_domain::Code;
use serde::Serialize;
use utoipa::ToSchema;

/// What a handler answers.
pub(crate) type Reply<T> = Result<Json<T>, HttpError>;

/// The body of every answer that is not a success.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What could not be done and why, for people.
    #[schema(example = "Source not found")]
    pub(crate) detail: String,
}

/// Why a request was not honoured.
#[derive(Debug)]
pub(crate) struct HttpError {
    status: StatusCode,
    code: Option<Code>,
    detail: String,
    retry_after_s: Option<u64>,
}

impl HttpError {
    /// A request whose form is wrong: not JSON, too big, no such field.
    pub(crate) fn malformed(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: Some(Code::InvalidInput),
            detail: detail.into(),
            retry_after_s: None,
        }
    }

    /// An answer that did not come in time.
    pub(crate) fn late(detail: &str) -> Self {
        Self {
            status: StatusCode::GATEWAY_TIMEOUT,
            code: None,
            detail: detail.to_owned(),
            retry_after_s: None,
        }
    }

    /// A request that no handler has ever heard of.
    pub(crate) fn unknown(status: StatusCode) -> Self {
        let detail = status.canonical_reason().unwrap_or("Not Found").to_owned();
        Self {
            status,
            code: None,
            detail,
            retry_after_s: None,
        }
    }
}

impl From<ApiError> for HttpError {
    fn from(error: ApiError) -> Self {
        let status = status_of(error.code);
        let detail = if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(code = %error.code, detail = error.detail, "a request failed");
            "Internal server error".to_owned()
        } else {
            error.detail
        };
        Self {
            status,
            code: Some(error.code),
            detail,
            retry_after_s: error.retry_after_s,
        }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(Problem { detail: self.detail })).into_response();
        let headers = response.headers_mut();
        if let Some(code) = self.code {
            headers.insert("x-error-code", HeaderValue::from_static(code.as_str()));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The contract's rows where it has them; no wildcard, so that a new code is a decision.
fn status_of(code: Code) -> StatusCode {
    match code {
        Code::InvalidInput => StatusCode::UNPROCESSABLE_ENTITY,
        Code::SessionRequired
        | Code::InvalidPhone
        | Code::PhoneBanned
        | Code::InvalidCode
        | Code::InvalidPassword
        | Code::SessionNotVerified
        | Code::NotASession => StatusCode::BAD_REQUEST,
        Code::Unauthorized => StatusCode::UNAUTHORIZED,
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::TempSessionNotFound
        | Code::SourceNotFound
        | Code::SessionNotFound
        | Code::RunNotFound
        | Code::TargetNotFound => StatusCode::NOT_FOUND,
        Code::DuplicateSource
        | Code::DuplicateSession
        | Code::ApiNotSet
        | Code::ApiInvalid
        | Code::SessionDead
        | Code::InUse
        | Code::AlreadyRunning
        | Code::LeaseLost
        | Code::ChannelUnknown
        | Code::ChannelNoPreview
        | Code::NotAChannel
        | Code::ChannelBanned
        | Code::ChannelReplaced
        | Code::TargetDenied
        | Code::TargetForeign
        | Code::ArchiveMissing
        | Code::ArchiveDamaged => StatusCode::CONFLICT,
        Code::FloodWait | Code::DailyCapReached => StatusCode::TOO_MANY_REQUESTS,
        Code::Unreachable | Code::UnexpectedPage | Code::TargetUnreachable => StatusCode::BAD_GATEWAY,
        Code::KeyringLocked
        | Code::KeyringAbsent
        | Code::KeyGone
        | Code::KeyWrong
        | Code::DiskFull
        | Code::Interrupted
        | Code::NotAvailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Database | Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Code::SourceNotFound, 404)]
    #[case(Code::SessionRequired, 400)]
    #[case(Code::InvalidInput, 422)]
    #[case(Code::DuplicateSource, 409)]
    #[case(Code::FloodWait, 429)]
    #[case(Code::Internal, 500)]
    fn a_code_has_one_status(#[case] code: Code, #[case] status: u16) {
        assert_eq!(status_of(code).as_u16(), status);
    }

    #[test]
    fn a_defect_is_not_told_to_the_world() {
        let error = HttpError::from(ApiError::new(Code::Database, "/home/ann/gleaner.db is locked"));
        assert_eq!(error.detail, "Internal server error");
    }

    #[test]
    fn a_wait_travels_in_the_header() {
        let mut wait = ApiError::new(Code::FloodWait, "Telegram asks to wait 30 s");
        wait.retry_after_s = Some(30);
        let response = HttpError::from(wait).into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "30");
        assert_eq!(response.headers()["x-error-code"], "FLOOD_WAIT");
    }
}
