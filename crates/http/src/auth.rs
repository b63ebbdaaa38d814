//! The inner door: who asks?
//!
//! Scripts show the token as a bearer; browsers swap the one-time code of a printed address for
//! a cookie that no script can read. Pages themselves are open: they hold no data.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json as Body};
use gleaner_app::view::Message;
use gleaner_app::{ApiError, App};
use gleaner_domain::Code;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::{HttpError, Problem};
use crate::guard::Hosts;
use crate::json::Json;
use crate::token::{Codes, Token, Visits};

/// Who may ask, and under which names. Clones share codes and visits.
#[derive(Debug, Clone)]
pub struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// `None` in development mode.
    token: Option<Token>,
    hosts: Hosts,
    /// Cookies ignore ports, so two servers on one machine need two names.
    cookie: String,
    codes: Mutex<Codes>,
    visits: Mutex<Visits>,
}

impl Access {
    /// Whoever has the token, or a cookie bought with a one-time code.
    pub fn with_token(token: Token, hosts: Hosts, port: u16) -> Self {
        Self::new(Some(token), hosts, port)
    }

    /// The contract's development mode: whoever is on this machine.
    pub fn dev(hosts: Hosts, port: u16) -> Self {
        Self::new(None, hosts, port)
    }

    /// A code for one browser: works once, for a minute.
    pub fn fresh_code(&self) -> Token {
        lock(&self.0.codes).issue(Instant::now())
    }

    /// Whether anybody on this machine may ask.
    pub fn is_dev(&self) -> bool {
        self.0.token.is_none()
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.0.hosts
    }

    fn new(token: Option<Token>, hosts: Hosts, port: u16) -> Self {
        Self(Arc::new(Inner {
            token,
            hosts,
            cookie: format!("gleaner_{port}"),
            codes: Mutex::default(),
            visits: Mutex::default(),
        }))
    }

    fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(token) = &self.0.token else {
            return Ok(());
        };
        if foreign_page(headers) {
            return Err(ApiError::new(
                Code::Forbidden,
                "Requests from other sites are not honoured",
            ));
        }
        if bearer(headers).is_some_and(|shown| token.matches(shown)) {
            return Ok(());
        }
        let known =
            cookies(headers, &self.0.cookie).any(|shown| lock(&self.0.visits).knows(shown, Instant::now()));
        if known {
            Ok(())
        } else {
            Err(ApiError::new(Code::Unauthorized, "Sign in first"))
        }
    }

    fn cookie_for(&self, visit: &Token) -> HeaderValue {
        let text = format!(
            "{}={}; Path=/; HttpOnly; SameSite=Strict",
            self.0.cookie,
            visit.reveal()
        );
        HeaderValue::from_str(&text).expect("a name and base64 are plain text")
    }
}

/// Lets pass who may ask.
pub(crate) async fn require(State(access): State<Access>, request: Request, next: Next) -> Response {
    match access.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => HttpError::from(error).into_response(),
    }
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(exchange_code))
}

/// The code of a printed address.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ExchangeCode {
    /// What followed `#code=`.
    code: String,
}

/// Swaps a one-time code for a cookie.
#[utoipa::path(post, path = "/api/auth/exchange", tag = "auth", request_body = ExchangeCode, responses(
    (status = 200, body = Message, description = "Signed in; the cookie is set"),
    (status = "default", body = Problem, description = "The code was used before, or is older than a minute"),
))]
async fn exchange_code(
    Extension(access): Extension<Access>,
    Json(wish): Json<ExchangeCode>,
) -> Result<impl IntoResponse, HttpError> {
    let now = Instant::now();
    if !access.is_dev() && !lock(&access.0.codes).redeem(&wish.code, now) {
        let detail = "This address was used before or is older than a minute";
        return Err(ApiError::new(Code::Unauthorized, detail).into());
    }
    let visit = lock(&access.0.visits).begin(now);
    let cookie = AppendHeaders([(header::SET_COOKIE, access.cookie_for(&visit))]);
    Ok((
        cookie,
        Body(Message {
            message: "Signed in".to_owned(),
        }),
    ))
}

/// Browsers say where a request comes from, also where no Origin is sent; other clients do not.
fn foreign_page(headers: &HeaderMap) -> bool {
    headers
        .get_all("sec-fetch-site")
        .iter()
        .any(|site| site != "same-origin" && site != "none")
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (scheme, shown) = values.next()?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && values.next().is_none()).then_some(shown)
}

fn cookies<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(move |(key, value)| (key == name).then_some(value))
}

/// Nothing here can be left half done by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
