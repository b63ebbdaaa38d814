//! One polite, bounded request at a time. Which page to ask for is the caller's business.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use gleaner_domain::{Clock, Code, Retry};
use gleaner_scrape::{HistoryError, Pacer};
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode, redirect};
use url::{Host, Url};

use crate::patience::{Patience, Setback, retry_after};

/// How to reach t.me, or a server that speaks its pages.
#[derive(Debug, Clone)]
pub struct PreviewConfig {
    /// Where `/s/<name>` lies.
    pub base: Url,
    /// Requests for one page or file, the first one included.
    pub attempts: u32,
    /// Longest pause before the second request; doubles from there.
    pub base_delay: Duration,
    /// Pause after "too many requests" without a word on how long.
    pub flood_pause: Duration,
    /// Longest time to reach a server.
    pub connect_timeout: Duration,
    /// Longest time for a page, from the request to its last byte.
    pub request_timeout: Duration,
    /// Longest silence while a file arrives. A file as a whole may take as long as it likes.
    pub idle_timeout: Duration,
}

impl Default for PreviewConfig {
    fn default() -> Self {
        Self {
            base: Url::parse("https://t.me").expect("a constant address"),
            attempts: 5,
            base_delay: Duration::from_millis(500),
            flood_pause: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(30),
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum PreviewSetupError {
    /// The address of the pages cannot be used.
    #[error("the address of the preview pages must start with http:// or https://, not {0}")]
    BadBase(Url),
    /// TLS or the system's proxy settings.
    #[error("the HTTP client cannot be set up: {0}")]
    Http(#[from] reqwest::Error),
}

/// Asks for pages and files. Cheap to clone: connections and pace are shared.
#[derive(Clone)]
pub struct PreviewClient {
    http: reqwest::Client,
    config: Arc<PreviewConfig>,
    pacer: Arc<dyn Pacer>,
    clock: Arc<dyn Clock>,
}

/// What a page request can bring.
pub(crate) enum Answer {
    /// A page.
    Page(String),
    /// A redirect; it is never followed by itself.
    Elsewhere(Option<String>),
    /// 404 or 410.
    Missing,
}

/// No page of Telegram's is anywhere near as large.
const LARGEST_PAGE: usize = 4 << 20;

/// A wait longer than this ends the run with its checkpoint; a shorter one is sat out.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_mins(1);

impl PreviewClient {
    /// A client of its own pool of connections. The process must have installed a rustls
    /// crypto provider before: the shells do.
    pub fn new(
        config: PreviewConfig,
        pacer: Arc<dyn Pacer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PreviewSetupError> {
        if !matches!(config.base.scheme(), "http" | "https") || config.base.cannot_be_a_base() {
            return Err(PreviewSetupError::BadBase(config.base));
        }
        // The page's words ("edited", "subscribers") are read as English.
        let english = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static("en"))]);
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("Gleaner/", env!("CARGO_PKG_VERSION")))
            .default_headers(english)
            .redirect(redirect::Policy::none())
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.idle_timeout)
            .tcp_keepalive(Duration::from_mins(1))
            .pool_idle_timeout(Duration::from_secs(90));
        if is_loopback(&config.base) {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build()?,
            config: Arc::new(config),
            pacer,
            clock,
        })
    }

    /// Asks once for a page of `channel` ("@name").
    pub(crate) async fn page(&self, url: Url, channel: &str) -> Result<Answer, Setback<HistoryError>> {
        let host = self.page_host();
        self.take_turn(&host)
            .await
            .map_err(|wait| Setback::Final(asks_to_wait(&host, wait, channel)))?;
        let broken = |error: reqwest::Error| Setback::again(self.unreachable(channel, &cause(&error)));
        let request = self.http.get(url).timeout(self.config.request_timeout);
        let response = request.send().await.map_err(broken)?;
        match response.status() {
            StatusCode::OK => Ok(Answer::Page(self.text(response, channel).await?)),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Answer::Missing),
            status if status.is_redirection() => {
                let location = response.headers().get(header::LOCATION);
                Ok(Answer::Elsewhere(
                    location.and_then(|value| value.to_str().ok()).map(str::to_owned),
                ))
            }
            status => Err(self.refused(status, &response, channel).await),
        }
    }

    /// Waits for the turn to ask `host`. The error is a wait too long to be sat out.
    pub(crate) async fn take_turn(&self, host: &str) -> Result<(), Duration> {
        let wait = self.pacer.turn(host).await;
        if wait > LONGEST_WAIT {
            return Err(wait);
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    async fn text(&self, response: Response, channel: &str) -> Result<String, Setback<HistoryError>> {
        let mut body = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| Setback::again(self.unreachable(channel, &cause(&error))))?;
            if body.len() + chunk.len() > LARGEST_PAGE {
                return Err(Setback::again(unexpected(channel, "it is larger than 4 MiB")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(String::from_utf8(body)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    async fn refused(&self, status: StatusCode, response: &Response, channel: &str) -> Setback<HistoryError> {
        let host = self.page_host();
        let after = self.asked_to_wait(response, &host).await;
        match after {
            Some(wait) if wait > LONGEST_WAIT => Setback::Final(asks_to_wait(&host, wait, channel)),
            // Who still refuses at the last attempt is left alone for a while.
            Some(_) if status == StatusCode::TOO_MANY_REQUESTS => Setback::Again {
                error: asks_to_wait(&host, LONGEST_WAIT, channel),
                after,
            },
            after => Setback::Again {
                error: self.unreachable(channel, &format!("it answered {status}")),
                after,
            },
        }
    }

    /// How long an answer asks to leave its host alone; everybody else hears of it, too.
    pub(crate) async fn asked_to_wait(&self, response: &Response, host: &str) -> Option<Duration> {
        let header = response.headers().get(header::RETRY_AFTER);
        let said = header.and_then(|value| retry_after(value.to_str().ok()?, self.now()));
        let is_flood = response.status() == StatusCode::TOO_MANY_REQUESTS;
        let wait = said.or_else(|| is_flood.then_some(self.config.flood_pause))?;
        if !wait.is_zero() {
            self.pacer.hold(host, wait).await;
        }
        Some(wait)
    }

    pub(crate) fn unreachable(&self, channel: &str, why: &str) -> HistoryError {
        HistoryError {
            code: Code::Unreachable,
            detail: format!("{} did not give the page of {channel}: {why}", self.page_host()),
            retry: Retry::Backoff,
        }
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn base(&self) -> &Url {
        &self.config.base
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience {
            attempts: self.config.attempts,
            base_delay: self.config.base_delay,
        }
    }

    /// The pages' host: what politeness counts by.
    pub(crate) fn page_host(&self) -> String {
        host_of(self.base())
    }

    /// An address below the base.
    pub(crate) fn address(&self, segments: &[&str]) -> Url {
        let mut url = self.base().clone();
        url.set_query(None);
        url.set_fragment(None);
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

/// Host and, where it is not the usual one, port.
pub(crate) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The host wants to be left alone.
fn asks_to_wait(host: &str, wait: Duration, channel: &str) -> HistoryError {
    HistoryError {
        code: Code::FloodWait,
        detail: format!(
            "{host} asks to wait {} s before {channel} is read further",
            wait.as_secs()
        ),
        retry: Retry::After(wait),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(host)) => host == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The page is not what it should be.
pub(crate) fn unexpected(channel: &str, why: &str) -> HistoryError {
    HistoryError {
        code: Code::UnexpectedPage,
        detail: format!("the page of {channel} is not one that Gleaner understands: {why}"),
        retry: Retry::Backoff,
    }
}

/// A transport error in few words. Its address is left out: it may carry a token.
pub(crate) fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let mut deepest: &dyn std::error::Error = error;
    while let Some(next) = deepest.source() {
        deepest = next;
    }
    if error.is_connect() {
        return format!("no connection ({deepest})");
    }
    if error.is_body() || error.is_decode() {
        return format!("the answer broke off ({deepest})");
    }
    if std::ptr::eq(deepest, error as &dyn std::error::Error) {
        return "the request failed".to_owned();
    }
    format!("the connection broke ({deepest})")
}
