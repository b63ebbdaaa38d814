//! Reading requests: every refusal is `<field>: <reason>` in the contract's error form.
//!
//! 415 for a body that is not said to be JSON, 413 for one that is too big, 400 for one that
//! is no JSON at all, 422 for one that is JSON but not what was asked for.

use axum::body::Bytes;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use gleaner_app::ApiError;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::error::HttpError;

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

/// Parameters of the path.
pub(crate) struct Path<T>(pub(crate) T);

/// Parameters behind the question mark.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        if !says_json(request.headers()) {
            return Err(HttpError::malformed(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Send the body as Content-Type: application/json",
            ));
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|e| unreadable(&e))?;
        parse(&body).map(Self)
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HttpError> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => {
                let params = RawPathParams::from_request_parts(parts, state).await.ok();
                let field = params.iter().flatten().next().map_or("path", |(name, _)| name);
                Err(ApiError::field(field, path_reason(&rejection)).into())
            }
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HttpError> {
        match axum::extract::Query::<T>::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => {
                let text = rejection.body_text();
                let told = text
                    .strip_prefix("Failed to deserialize query string: ")
                    .unwrap_or(&text);
                let (field, reason) = match told.split_once(": ") {
                    Some((field, reason)) if is_word(field) => (field.to_owned(), reason.to_owned()),
                    _ => named_in(told).unwrap_or_else(|| ("query".to_owned(), told.to_owned())),
                };
                Err(ApiError::field(&field, reason).into())
            }
        }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, HttpError> {
    // serde would also read a list as the fields in order.
    if !body.trim_ascii_start().starts_with(b"{") {
        serde_json::from_slice::<IgnoredAny>(body).map_err(|e| not_json(&e))?;
        return Err(ApiError::field("body", "must be a JSON object").into());
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|e| refusal(&e))?;
    reader.end().map_err(|e| not_json(&e))?;
    Ok(value)
}

fn refusal(error: &serde_path_to_error::Error<serde_json::Error>) -> HttpError {
    if !error.inner().is_data() {
        return not_json(error.inner());
    }
    let path = error.path().to_string();
    let text = without_position(error.inner());
    let at = if path == "." { String::new() } else { path };
    let (field, reason) = match named_in(&text) {
        Some((name, reason)) if at.is_empty() || at.ends_with(&name) => {
            (if at.is_empty() { name } else { at }, reason)
        }
        Some((name, reason)) => (format!("{at}.{name}"), reason),
        None if at.is_empty() => ("body".to_owned(), said_plainly(&text)),
        None => (at, said_plainly(&text)),
    };
    ApiError::field(&field, reason).into()
}

fn not_json(error: &serde_json::Error) -> HttpError {
    HttpError::malformed(
        StatusCode::BAD_REQUEST,
        format!("The body is not valid JSON: {error}"),
    )
}

fn unreadable(rejection: &BytesRejection) -> HttpError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => HttpError::malformed(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The body is larger than this server accepts",
        ),
        status => HttpError::malformed(status, "The body could not be read"),
    }
}

/// ``missing field `name` `` and its kind: the field, and what is wrong with it.
fn named_in(text: &str) -> Option<(String, String)> {
    let (what, rest) = text.split_once(" `")?;
    let name = rest.split('`').next()?.to_owned();
    let reason = match what {
        "missing field" => "is required",
        "duplicate field" => "is given twice",
        _ => return None,
    };
    Some((name, reason.to_owned()))
}

/// `invalid type: string "x", expected u32` -> `expected u32, not string "x"`.
fn said_plainly(text: &str) -> String {
    ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|start| text.strip_prefix(start))
        .and_then(|rest| rest.rsplit_once(", expected "))
        .map_or_else(
            || text.to_owned(),
            |(got, wanted)| format!("expected {wanted}, not {got}"),
        )
}

/// The message without ` at line 1 column 20`, which helps nobody who fills in a form.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

fn path_reason(rejection: &PathRejection) -> &'static str {
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
        return "is not valid";
    };
    match failed.kind() {
        ErrorKind::ParseError { .. } | ErrorKind::ParseErrorAtKey { .. } => "must be a whole number",
        ErrorKind::InvalidUtf8InPathParam { .. } => "must be valid UTF-8",
        _ => "must be a uid",
    }
}

fn says_json(headers: &HeaderMap) -> bool {
    let Some(Ok(kind)) = headers.get(header::CONTENT_TYPE).map(|v| v.to_str()) else {
        return false;
    };
    let essence = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::response::IntoResponse;
    use gleaner_app::view::CreateSource;
    use rstest::rstest;

    use super::*;

    const WHOLE: &str = r#"{"name":"n","identifier":"@abcd","access_level":"public","target":"LOCAL""#;

    #[rstest]
    #[case("{}", 422, "name: is required")]
    #[case(r#"{"name":5}"#, 422, "name: expected a string, not integer `5`")]
    #[case(r#"{"name":"a","name":"b"}"#, 422, "name: is given twice")]
    #[case("[]", 422, "body: must be a JSON object")]
    #[case("7", 422, "body: must be a JSON object")]
    #[case(
        "",
        400,
        "The body is not valid JSON: EOF while parsing a value at line 1 column 0"
    )]
    #[case(
        "{",
        400,
        "The body is not valid JSON: EOF while parsing an object at line 1 column 1"
    )]
    #[tokio::test]
    async fn a_wrong_body_is_answered_in_one_sentence(
        #[case] body: &str,
        #[case] status: u16,
        #[case] detail: &str,
    ) {
        assert_eq!(told(body).await, (status, detail.to_owned()));
    }

    #[tokio::test]
    async fn a_wrong_field_deep_inside_is_named_with_its_path() {
        let body = format!(r#"{WHOLE},"policy":{{"recent_window":"many"}}}}"#);
        let (status, detail) = told(&body).await;
        assert_eq!(status, 422);
        assert!(
            detail.starts_with("policy.recent_window: expected u16"),
            "{detail}"
        );
        let (_, detail) = told(&format!(r#"{WHOLE},"schedule":{{"kind":"interval"}}}}"#)).await;
        assert_eq!(detail, "schedule.minutes: is required");
    }

    #[tokio::test]
    async fn text_after_the_document_is_not_json() {
        assert_eq!(told(&format!("{WHOLE}}} x")).await.0, 400);
    }

    async fn told(body: &str) -> (u16, String) {
        let error = parse::<CreateSource>(body.as_bytes()).expect_err(body);
        let response = error.into_response();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 10_000)
            .await
            .expect("a small body");
        let value: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        (status, value["detail"].as_str().expect("a text").to_owned())
    }
}
