//! The only reader of the environment: where things are and whom to ask.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use directories::{ProjectDirs, UserDirs};
use gleaner_domain::Code;
use gleaner_sinks::S3Credentials;
use gleaner_telegram::{Api, DataCentres, Production};
use gleaner_vault::{KeyPlaces, Keyring, KeyringError};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{ApiError, ApiResult};

/// Where this process keeps its things and whom it asks.
#[derive(Debug, Clone)]
pub struct Config {
    /// Database, locks and tokens.
    pub data_dir: PathBuf,
    /// Logs.
    pub log_dir: PathBuf,
    /// Folder of the first LOCAL target.
    pub archive_dir: PathBuf,
    /// Address of the public pages.
    pub preview_url: Url,
    /// Most page requests a second; 0 lifts the cap (for servers of one's own).
    pub preview_rate: u32,
    /// Credentials for S3 from the AWS environment, until the vault keeps them.
    pub s3: Option<S3Credentials>,
    /// Where the key of sealed sessions may have been laid out.
    pub key_places: KeyPlaces,
    /// Another keyring than the system's: tests bring their own.
    pub keyring: Option<Keyring>,
    /// Where logins begin.
    pub centres: Arc<dyn DataCentres>,
    /// The application that logins are made as while the settings name none: of the demo alone.
    pub default_api: Option<Api>,
    /// Where a moved data folder is remembered; `None` when the environment names the folder.
    pub pointer: Option<PathBuf>,
}

/// Contents of the pointer file: where the data folder was moved to.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pointer {
    pub(crate) data_dir: PathBuf,
}

const PUBLIC_PAGES: &str = "https://t.me";
const POLITE_RATE: u32 = 5;

impl Config {
    /// Reads `GLEANER_DATA_DIR`, `GLEANER_PREVIEW_URL`, `GLEANER_PREVIEW_RATE`, `CREDENTIALS_DIRECTORY`,
    /// `GLEANER_ENCRYPTION_KEY_FILE`, `GLEANER_ENCRYPTION_KEY` and `AWS_*`;
    /// everything else is the OS's own place. `data_dir` (a command-line flag) wins.
    pub fn from_env(data_dir: Option<PathBuf>) -> ApiResult<Self> {
        let dirs = ProjectDirs::from("app", "gleaner", "Gleaner")
            .ok_or_else(|| ApiError::new(Code::Internal, "This account has no home folder"))?;
        let named = data_dir.or_else(|| variable("GLEANER_DATA_DIR").map(PathBuf::from));
        let preview_url = match variable("GLEANER_PREVIEW_URL") {
            Some(text) => parse_url(&text)?,
            None => parse_url(PUBLIC_PAGES)?,
        };
        let preview_rate = match variable("GLEANER_PREVIEW_RATE") {
            Some(text) => text.parse().map_err(|_| {
                ApiError::field(
                    "GLEANER_PREVIEW_RATE",
                    "must be a whole number of requests a second",
                )
            })?,
            None => POLITE_RATE,
        };
        let s3 = s3_credentials();
        let key_places = key_places();
        let (centres, default_api) = telegram()?;
        if let Some(named) = named {
            let data_dir = std::path::absolute(&named)
                .map_err(|e| ApiError::field("GLEANER_DATA_DIR", format!("{}: {e}", named.display())))?;
            return Ok(Self {
                log_dir: data_dir.join("logs"),
                archive_dir: data_dir.join("archive"),
                data_dir,
                preview_url,
                preview_rate,
                s3,
                key_places,
                keyring: None,
                centres,
                default_api,
                pointer: None,
            });
        }
        let pointer = dirs.config_dir().join("location.json");
        let data_dir = moved_to(&pointer).unwrap_or_else(|| dirs.data_local_dir().to_owned());
        Ok(Self {
            log_dir: os_log_dir(&dirs),
            archive_dir: UserDirs::new()
                .and_then(|user| user.document_dir().map(|d| d.join("Gleaner")))
                .unwrap_or_else(|| data_dir.join("archive")),
            data_dir,
            preview_url,
            preview_rate,
            s3,
            key_places,
            keyring: None,
            centres,
            default_api,
            pointer: Some(pointer),
        })
    }

    /// Logs in to the simulated Telegram behind this control port, and seals with this key.
    #[cfg(feature = "demo")]
    pub fn use_simulated_telegram(&mut self, control: std::net::SocketAddr, key: &str) {
        let (centres, api) = simulated(control);
        self.centres = centres;
        self.default_api = Some(api);
        self.key_places.key_value = Some(SecretString::from(key));
    }

    /// A configuration that touches neither environment nor home: for tests. No rate cap.
    pub fn for_tests(data_dir: &Path, preview_url: &str) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            log_dir: data_dir.join("logs"),
            archive_dir: data_dir.join("archive"),
            preview_url: preview_url.parse().expect("tests pass a valid address"),
            preview_rate: 0,
            s3: None,
            key_places: KeyPlaces::default(),
            // Never the keyring of whoever runs the tests.
            keyring: Some(Keyring::over(|| {
                Err(KeyringError::Absent(
                    "tests have none unless they bring one".to_owned(),
                ))
            })),
            centres: Arc::new(Production),
            default_api: None,
            pointer: None,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the front door of the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn parse_url(text: &str) -> ApiResult<Url> {
    let wrong = |why: &str| ApiError::field("GLEANER_PREVIEW_URL", why);
    let url: Url = text
        .parse()
        .map_err(|_| wrong("must be an address such as https://t.me"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err(wrong("must start with http:// or https://")),
    }
}

fn s3_credentials() -> Option<S3Credentials> {
    Some(S3Credentials {
        access_key_id: variable("AWS_ACCESS_KEY_ID")?,
        secret_access_key: variable("AWS_SECRET_ACCESS_KEY")?,
        session_token: variable("AWS_SESSION_TOKEN"),
    })
}

/// In the documented order; the vault reads them.
fn key_places() -> KeyPlaces {
    KeyPlaces {
        credentials_directory: variable("CREDENTIALS_DIRECTORY").map(PathBuf::from),
        key_file: variable("GLEANER_ENCRYPTION_KEY_FILE").map(PathBuf::from),
        key_value: variable("GLEANER_ENCRYPTION_KEY").map(SecretString::from),
    }
}

/// Telegram itself.
#[cfg(not(feature = "demo"))]
#[expect(clippy::unnecessary_wraps, reason = "its twin of the demo can fail")]
fn telegram() -> ApiResult<(Arc<dyn DataCentres>, Option<Api>)> {
    Ok((Arc::new(Production), None))
}

/// The simulated Telegram, where the environment names one.
#[cfg(feature = "demo")]
fn telegram() -> ApiResult<(Arc<dyn DataCentres>, Option<Api>)> {
    let Some(control) = variable("GLEANER_DEMO_TELEGRAM") else {
        return Ok((Arc::new(Production), None));
    };
    let wrong = || {
        ApiError::field(
            "GLEANER_DEMO_TELEGRAM",
            "must be an address such as 127.0.0.1:4000",
        )
    };
    let (centres, api) = simulated(control.parse().map_err(|_| wrong())?);
    // Without it a person is asked for one, as with Telegram itself.
    let named = variable("GLEANER_DEMO_API").is_some();
    Ok((centres, named.then_some(api)))
}

/// The simulated Telegram behind this control port, and an application that it takes.
#[cfg(feature = "demo")]
fn simulated(control: std::net::SocketAddr) -> (Arc<dyn DataCentres>, Api) {
    let api = Api {
        id: 1,
        hash: SecretString::from("0".repeat(32)),
    };
    (Arc::new(gleaner_telegram::demo::Simulated::new(control)), api)
}

fn moved_to(pointer: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(pointer).ok()?;
    serde_json::from_str::<Pointer>(&text).ok().map(|p| p.data_dir)
}

/// Logs go where each OS looks for them: `~/Library/Logs` on macOS, beside the data elsewhere,
/// `$XDG_STATE_HOME` on Linux.
fn os_log_dir(dirs: &ProjectDirs) -> PathBuf {
    if cfg!(target_os = "macos")
        && let Some(user) = UserDirs::new()
    {
        return user.home_dir().join("Library/Logs/Gleaner");
    }
    dirs.state_dir()
        .unwrap_or_else(|| dirs.data_local_dir())
        .join("logs")
}
