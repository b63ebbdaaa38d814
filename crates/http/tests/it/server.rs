//! A real server on a free port over an empty data folder, stopped when dropped.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use gleaner_app::view::ImportString;
use gleaner_app::{App, Config};
use gleaner_http::server::Links;
use gleaner_http::{ServeConfig, Server, Token};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// No answer of this server may take longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct TestServer {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    pub(crate) token: Token,
    pub(crate) links: Links,
    client: reqwest::Client,
    stop: CancellationToken,
    dev: bool,
    dir: TempDir,
}

/// What the sessions of tests are sealed with.
const KEY: &str = "dGVzdC10ZXN0LXRlc3QtdGVzdC10ZXN0LXRlc3QtMTI=";

/// A status, the headers and the body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// The text of an error; its body must have no other key.
    pub(crate) fn detail(&self) -> String {
        let body = self.json();
        let object = body.as_object().expect("an error is an object");
        assert_eq!(object.len(), 1, "{body}");
        object["detail"]
            .as_str()
            .expect("the detail is one string")
            .to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |v| v.to_str().expect("plain text"))
    }
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_in(false).await
    }

    /// In the contract's development mode.
    pub(crate) async fn start_dev() -> Self {
        Self::start_in(true).await
    }

    /// In the contract's development mode, with accounts to log in to.
    pub(crate) async fn start_with_telegram(control: SocketAddr) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let mut config = Config::for_tests(dir.path(), "http://127.0.0.1:9");
        config.use_simulated_telegram(control, KEY);
        let app = App::start(config).await.expect("an app");
        Self::serve(app, dir, true).await
    }

    async fn start_in(dev: bool) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let app = app_in(&dir).await;
        Self::serve(app, dir, dev).await
    }

    async fn serve(app: App, dir: TempDir, dev: bool) -> Self {
        let token = Token::load_or_create(dir.path()).expect("a token");
        let mut config = ServeConfig::new(token.clone());
        config.bind = SocketAddr::from(([127, 0, 0, 1], 0));
        config.dev = dev;
        let server = Server::bind(app.clone(), config).await.expect("a free port");
        let (address, links, stop) = (server.address(), server.links(), CancellationToken::new());
        tokio::spawn(server.run(stop.clone()));
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .build()
            .expect("a client");
        Self {
            app,
            address,
            token,
            links,
            client,
            stop,
            dev,
            dir,
        }
    }

    /// A request as a script sends it: with the token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.anonymous(method, path);
        if self.dev {
            request
        } else {
            request.bearer_auth(self.token.reveal())
        }
    }

    pub(crate) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// A session file that nobody has: made by the app from a key of ours, and no session of it stays.
    pub(crate) async fn session_file(&self) -> Vec<u8> {
        let mut packed = vec![2, 127, 0, 0, 1, 0, 9];
        packed.extend((0..=255_u8).map(|at| at.wrapping_mul(167)));
        let wish = ImportString {
            session_name: "for a file".to_owned(),
            phone_number: String::new(),
            session_string: format!("1{}", URL_SAFE.encode(packed)),
        };
        let id = self.app.import_session_string(wish).await.expect("kept").id;
        let path = self.folder().join("made.session");
        self.app.export_session_file(id, &path).await.expect("written");
        self.app.delete_session(id, false).await.expect("deleted");
        let file = std::fs::read(&path).expect("it is there");
        std::fs::remove_file(path).expect("it is ours");
        file
    }

    /// The data folder.
    pub(crate) fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// Bytes as they are; what comes back until the connection ends.
    pub(crate) async fn raw(&self, request: &str) -> String {
        let talk = async {
            let mut stream = TcpStream::connect(self.address).await.expect("it listens");
            stream.write_all(request.as_bytes()).await.expect("it reads");
            let mut answer = Vec::new();
            // A server that refuses early may reset; what it said before counts.
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        };
        tokio::time::timeout(PATIENCE, talk)
            .await
            .expect("an answer in time")
    }

    /// Says something, and closes the connection in the middle of it; what is answered, if anything.
    pub(crate) async fn hang_up_after(&self, head: &[u8], body: &[u8]) -> String {
        let talk = async {
            let mut stream = TcpStream::connect(self.address).await.expect("it listens");
            stream.write_all(head).await.expect("it reads");
            stream.write_all(body).await.expect("it reads");
            stream.shutdown().await.expect("still open");
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        };
        tokio::time::timeout(PATIENCE, talk)
            .await
            .expect("it ends in time")
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) async fn app_in(dir: &TempDir) -> App {
    // Fails when another test of this process did it before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Nobody listens on port 9: these tests read no channel.
    let mut config = Config::for_tests(dir.path(), "http://127.0.0.1:9");
    // Neither Telegram nor the keyring of who runs the tests.
    config.use_simulated_telegram(SocketAddr::from(([127, 0, 0, 1], 9)), KEY);
    config.default_api = None;
    App::start(config).await.expect("a fresh data folder")
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer {
        status,
        headers,
        body: response.text().await.expect("a body"),
    }
}
