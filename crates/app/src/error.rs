//! The only error that crosses a boundary.

use gleaner_domain::Code;
use gleaner_store::{DatabaseError, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

/// What a shell tells its user. HTTP sends `detail` as the body and the rest as headers;
/// the window gets the whole struct.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error, ToSchema)]
#[error("{detail}")]
pub struct ApiError {
    /// For machines.
    pub code: Code,
    /// For people: what could not be done and why. The contract's words where it has them.
    pub detail: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Which fields of the request are wrong.
    pub fields: Vec<FieldError>,
    /// Seconds until trying again makes sense.
    pub retry_after_s: Option<u64>,
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Its name in the request.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What every use case returns.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// An error with the code's own hint.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            hint: code.hint().map(str::to_owned),
            fields: Vec::new(),
            retry_after_s: None,
        }
    }

    /// A wrong field; `detail` reads `<field>: <reason>`, as the contract's extension says.
    pub fn field(field: &str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        let mut error = Self::new(Code::InvalidInput, format!("{field}: {reason}"));
        error.fields.push(FieldError {
            field: field.to_owned(),
            reason,
        });
        error
    }

    /// The contract's 404 of a source.
    pub fn source_not_found() -> Self {
        Self::new(Code::SourceNotFound, "Source not found")
    }

    /// The contract's 404 of a session.
    pub fn session_not_found() -> Self {
        Self::new(Code::SessionNotFound, "Session not found")
    }

    /// The contract's 404 of a login in progress.
    pub fn temp_session_not_found() -> Self {
        Self::new(Code::TempSessionNotFound, "Temp session not found")
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::SourceNotFound => Self::source_not_found(),
            StoreError::TargetNotFound => Self::new(Code::TargetNotFound, "Target not found"),
            StoreError::RunNotFound => Self::new(Code::RunNotFound, "Run not found"),
            StoreError::DuplicateSource { existing } => Self::new(
                Code::DuplicateSource,
                format!("{existing} already scrapes this channel to this target"),
            ),
            StoreError::TargetInUse { sources } => {
                Self::new(Code::InUse, format!("Target is used by: {}", sources.join(", ")))
            }
            StoreError::SessionNotFound => Self::session_not_found(),
            StoreError::DuplicateSession { existing } => Self::new(
                Code::DuplicateSession,
                format!("{existing} is the name of another session"),
            ),
            StoreError::SessionInUse { sources } => {
                Self::new(Code::InUse, format!("Session is used by: {}", sources.join(", ")))
            }
            StoreError::NotPrimary => Self::new(
                Code::KeyWrong,
                "Another Gleaner changed the key meanwhile; nothing was kept",
            ),
            StoreError::AlreadyRunning => {
                Self::new(Code::AlreadyRunning, "A run of this source is under way")
            }
            StoreError::LeaseLost => Self::new(Code::LeaseLost, "Another run of this source took over"),
            StoreError::Database(cause) => {
                tracing::error!(error = %cause, "the local database failed");
                match cause {
                    // What SQLite itself says helps nobody but the log.
                    DatabaseError::Sql(_) | DatabaseError::Migration(_) | DatabaseError::Value { .. } => {
                        Self::new(Code::Database, "The local database cannot be used")
                    }
                    sentence => Self::new(Code::Database, sentence.to_string()),
                }
            }
        }
    }
}
