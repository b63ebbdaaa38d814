//! Files of a public channel, fetched from Telegram's CDN.

use async_trait::async_trait;
use futures::StreamExt as _;
use gleaner_scrape::{FileRef, MediaBody, MediaError, MediaFetcher};
use reqwest::header::{self, HeaderMap};
use reqwest::{Response, StatusCode};
use url::Url;

use crate::client::{LONGEST_WAIT, PreviewClient, cause, host_of};
use crate::hosts::{may_fetch, serves_pages};
use crate::patience::Setback;

/// Fetches the files that pages show.
pub struct PreviewFiles {
    client: PreviewClient,
}

/// Redirects followed for one file.
const REDIRECTS: usize = 3;

#[async_trait]
impl MediaFetcher for PreviewFiles {
    async fn fetch(&self, file: &FileRef) -> Result<MediaBody, MediaError> {
        let url = self.resolve(&file.locator)?;
        let (result, _) = self
            .client
            .patience()
            .repeat(|| {
                let url = url.clone();
                async move { self.request(url).await }
            })
            .await;
        Ok(body(result?))
    }
}

impl PreviewFiles {
    /// A fetcher on the client's connections.
    pub fn new(client: PreviewClient) -> Self {
        Self { client }
    }

    /// The address of a file, if it is one we may ask.
    fn resolve(&self, locator: &str) -> Result<Url, MediaError> {
        let absolute = locator.strip_prefix("//").map(|rest| format!("https://{rest}"));
        let url = self
            .client
            .base()
            .join(absolute.as_deref().unwrap_or(locator))
            .map_err(|_| never("the page gives an address for the file that is none"))?;
        self.allow(url)
    }

    fn allow(&self, url: Url) -> Result<Url, MediaError> {
        if may_fetch(&url, self.client.base()) {
            return Ok(url);
        }
        let host = url.host_str().unwrap_or("nowhere");
        Err(never(&format!(
            "the file lies on {host}, which is not Telegram's"
        )))
    }

    /// Asks once, following redirects by hand, until a body begins.
    async fn request(&self, mut url: Url) -> Result<Response, Setback<MediaError>> {
        for _ in 0..=REDIRECTS {
            // The CDN is built for files; whoever serves pages, too, is asked at the pages' pace.
            if serves_pages(&url, self.client.base()) {
                let turn = self.client.take_turn(&host_of(&url)).await;
                turn.map_err(|_| Setback::Final(later("the file's server asks to wait")))?;
            }
            let broken = |error: reqwest::Error| {
                Setback::again(later(&format!("the file did not come: {}", cause(&error))))
            };
            // Compression is for pages; a file's announced size must be that of its bytes.
            let request = self
                .client
                .http()
                .get(url.clone())
                .header(header::ACCEPT_ENCODING, "identity");
            let response = request.send().await.map_err(broken)?;
            let status = response.status();
            if !status.is_redirection() {
                return self.judge(status, response, &host_of(&url)).await;
            }
            let location = response
                .headers()
                .get(header::LOCATION)
                .and_then(|value| value.to_str().ok());
            let target = location
                .and_then(|location| url.join(location).ok())
                .ok_or_else(|| Setback::again(later("the file's address redirects nowhere")))?;
            url = self.allow(target).map_err(Setback::Final)?;
        }
        Err(Setback::Final(later("the file's address redirects in circles")))
    }

    async fn judge(
        &self,
        status: StatusCode,
        response: Response,
        host: &str,
    ) -> Result<Response, Setback<MediaError>> {
        match status {
            // A login page of some network in between would otherwise be kept as the picture.
            StatusCode::OK if is_web_page(response.headers()) => {
                Err(Setback::again(later("a web page came in place of the file")))
            }
            StatusCode::OK => Ok(response),
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                Err(Setback::Final(later("the link to the file expired")))
            }
            status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                let error = later(&format!("the file's server answered {status}"));
                match self.client.asked_to_wait(&response, host).await {
                    Some(wait) if wait > LONGEST_WAIT => Err(Setback::Final(error)),
                    after => Err(Setback::Again { error, after }),
                }
            }
            status => Err(Setback::Final(never(&format!(
                "the file's server answered {status}"
            )))),
        }
    }
}

fn body(response: Response) -> MediaBody {
    let mime = mime(response.headers());
    let size = response.content_length();
    let stream = response
        .bytes_stream()
        .map(|chunk| chunk.map_err(|error| later(&format!("the file broke off: {}", cause(&error)))))
        .boxed();
    MediaBody { stream, size, mime }
}

fn mime(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    (!kind.is_empty()).then_some(kind)
}

fn is_web_page(headers: &HeaderMap) -> bool {
    mime(headers).is_some_and(|kind| kind == "text/html")
}

fn never(detail: &str) -> MediaError {
    MediaError {
        detail: detail.to_owned(),
        retryable: false,
    }
}

fn later(detail: &str) -> MediaError {
    MediaError {
        detail: detail.to_owned(),
        retryable: true,
    }
}
