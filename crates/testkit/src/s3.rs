//! A server that speaks the real S3 protocol, with signature check, over a plain folder.
//!
//! Protocol and storage are the `s3s-fs` library; here are only its start, its end and its faults.
//! Objects are files under `<dir>/<bucket>/`, so they outlive the server and tests may look at them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;

use crate::serve::{Server, Wire};

/// A running S3 server. Dropping it ends it at once; the folder stays unless it was a temporary one.
#[derive(Debug)]
pub struct S3Server {
    server: Server,
    shared: Arc<Shared>,
    dir: PathBuf,
    /// Removed after the server, when the folder is ours.
    _temporary: Option<TempDir>,
}

/// Faults of the server, by the number of the request since they were set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct S3Faults {
    /// Waits before every answer.
    pub latency: Duration,
    /// Every nth request answers 503 `SlowDown` and does nothing.
    pub refuse_every: Option<u32>,
    /// Every nth request is reset and does nothing.
    pub reset_every: Option<u32>,
    /// Every nth request is carried out, and its answer lost in a reset.
    pub lose_answer_every: Option<u32>,
}

#[derive(Debug)]
struct Shared {
    service: S3Service,
    counter: Mutex<Counter>,
}

#[derive(Debug, Default)]
struct Counter {
    faults: S3Faults,
    since_set: u32,
    requests: usize,
    injected: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Refuse,
    Reset,
    LoseAnswer,
}

impl S3Server {
    /// Serves `dir` (made when missing) on a free port to whoever signs with these keys.
    pub async fn start(dir: impl AsRef<Path>, access_key: &str, secret_key: &str) -> io::Result<Self> {
        Self::start_on(0, dir, access_key, secret_key).await
    }

    /// The same on a port of one's choice: after a restart the server is where it was.
    pub async fn start_on(
        port: u16,
        dir: impl AsRef<Path>,
        access_key: &str,
        secret_key: &str,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(&dir)?;
        let dir = dir.as_ref().canonicalize()?;
        let files = FileSystem::new(&dir).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(access_key, secret_key));
        let shared = Arc::new(Shared {
            service: builder.build(),
            counter: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let server = Server::start(port, |_| router).await?;
        Ok(Self {
            server,
            shared,
            dir,
            _temporary: None,
        })
    }

    /// Serves a temporary folder that goes with the server.
    pub async fn temporary(access_key: &str, secret_key: &str) -> io::Result<Self> {
        let folder = TempDir::new()?;
        let server = Self::start(folder.path(), access_key, secret_key).await?;
        Ok(Self {
            _temporary: Some(folder),
            ..server
        })
    }

    /// Makes an empty bucket; one that exists stays as it is.
    pub fn create_bucket(&self, name: &str) -> io::Result<()> {
        std::fs::create_dir_all(self.dir.join(name))
    }

    /// `http://127.0.0.1:PORT`; buckets are the first part of the path.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Its port, to start again at the same place.
    pub fn port(&self) -> u16 {
        self.server.address().port()
    }

    /// The folder with the buckets.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Sets faults; counting starts again.
    pub fn set_faults(&self, faults: S3Faults) {
        let mut counter = self.shared.counter();
        (counter.faults, counter.since_set) = (faults, 0);
    }

    /// Requests that arrived since the start.
    pub fn requests(&self) -> usize {
        self.shared.counter().requests
    }

    /// Faults that really happened since the start.
    pub fn faults_injected(&self) -> usize {
        self.shared.counter().injected
    }

    /// Ends it and waits until its port is free; the folder stays unless it was a temporary one.
    pub async fn stop(self) {
        self.server.stop().await;
    }

    /// Serves until the process ends.
    pub async fn forever(self) {
        self.server.forever().await;
    }
}

impl S3Faults {
    fn due(&self, number: u32) -> Option<Fault> {
        let due = |every: Option<u32>| every.is_some_and(|every| every > 0 && number.is_multiple_of(every));
        [
            (self.refuse_every, Fault::Refuse),
            (self.reset_every, Fault::Reset),
            (self.lose_answer_every, Fault::LoseAnswer),
        ]
        .into_iter()
        .find_map(|(every, fault)| due(every).then_some(fault))
    }
}

impl Shared {
    fn counter(&self) -> MutexGuard<'_, Counter> {
        self.counter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> (Duration, Option<Fault>) {
        let mut counter = self.counter();
        counter.requests += 1;
        counter.since_set += 1;
        let due = counter.faults.due(counter.since_set);
        counter.injected += usize::from(due.is_some());
        (counter.faults.latency, due)
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (latency, due) = shared.next();
    tokio::time::sleep(latency).await;
    let wire = request
        .extensions()
        .get::<Wire>()
        .cloned()
        .expect("requests come over a wire");
    match due {
        None => carry_out(&shared, request).await,
        Some(Fault::Refuse) => slow_down(),
        Some(Fault::Reset) => {
            wire.reset_after(0);
            slow_down()
        }
        Some(Fault::LoseAnswer) => {
            let response = carry_out(&shared, request).await;
            wire.reset_after(0);
            response
        }
    }
}

async fn carry_out(shared: &Shared, request: Request) -> Response {
    match shared
        .service
        .call(request.map(s3s::Body::http_body_unsync))
        .await
    {
        Ok(response) => response.map(Body::new),
        Err(error) => {
            tracing::warn!(?error, "the S3 library failed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn slow_down() -> Response {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                <Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(header::CONTENT_TYPE, "application/xml")],
        body,
    )
        .into_response()
}
