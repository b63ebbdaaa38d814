//! A login for other programs: a file and a string that Telethon opens.
//!
//! Both are the account itself, unencrypted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use secrecy::SecretString;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use zeroize::{Zeroize as _, Zeroizing};

use crate::keys::{AuthKey, SessionKeys};

/// Writes a new session file for Telethon, readable by its owner alone (on Windows: by whom the
/// folder lets in).
///
/// The schema is version 7: Telethon 1.25 to 1.39 open it as it is, later ones upgrade it on opening.
pub async fn telethon_file(keys: &SessionKeys, path: &Path) -> Result<(), ExportError> {
    let bytes = database(keys).await?;
    let path = path.to_owned();
    let written = tokio::task::spawn_blocking(move || write(&path, &bytes)).await;
    written.unwrap_or_else(|stopped| Err(ExportError::Write(stopped.into())))
}

/// A session string for Telethon.
pub fn telethon_string(keys: &SessionKeys) -> Result<SecretString, ExportError> {
    let dc_id = u8::try_from(keys.dc_id).map_err(|_| ExportError::DcId(keys.dc_id))?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(1 + 16 + 2 + AuthKey::LENGTH));
    bytes.push(dc_id);
    match keys.address.ip() {
        IpAddr::V4(ip) => bytes.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => bytes.extend_from_slice(&ip.octets()),
    }
    bytes.extend_from_slice(&keys.address.port().to_be_bytes());
    bytes.extend_from_slice(keys.auth_key.bytes());
    let mut text = String::with_capacity(370);
    text.push('1');
    URL_SAFE.encode_string(&*bytes, &mut text);
    Ok(text.into())
}

/// Why a login could not be given out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Something has that name; it is left as it is.
    #[error("a file with this name is there already; nothing was written over it")]
    Exists,
    /// The file system refused.
    #[error("the session file cannot be written: {0}")]
    Write(#[source] io::Error),
    /// The file could not be put together.
    #[error("the session file cannot be made: {0}")]
    Make(#[source] sqlx::Error),
    /// Session strings have one byte for it.
    #[error("data centre {0} does not fit a session string")]
    DcId(i32),
}

/// As Telethon 1.39 creates them (`sessions/sqlite.py`).
const SCHEMA: &str = "
    CREATE TABLE version (version integer primary key);
    CREATE TABLE sessions (
        dc_id integer primary key,
        server_address text,
        port integer,
        auth_key blob,
        takeout_id integer
    );
    CREATE TABLE entities (
        id integer primary key,
        hash integer not null,
        username text,
        phone integer,
        name text,
        date integer
    );
    CREATE TABLE sent_files (
        md5_digest blob,
        file_size integer,
        type integer,
        id integer,
        hash integer,
        primary key(md5_digest, file_size, type)
    );
    CREATE TABLE update_state (
        id integer primary key,
        pts integer,
        qts integer,
        date integer,
        seq integer
    );
    INSERT INTO version VALUES (7);
";

/// In memory: a file would leave its journal, readable by others, beside it for a moment.
async fn database(keys: &SessionKeys) -> Result<Zeroizing<Vec<u8>>, ExportError> {
    let options = SqliteConnectOptions::new()
        .in_memory(true)
        .disable_statement_logging();
    let mut database = options.connect().await.map_err(ExportError::Make)?;
    let make = async {
        sqlx::raw_sql(SCHEMA).execute(&mut database).await?;
        sqlx::query("INSERT INTO sessions VALUES (?, ?, ?, ?, NULL)")
            .bind(keys.dc_id)
            .bind(keys.address.ip().to_string())
            .bind(keys.address.port())
            .bind(keys.auth_key.bytes().as_slice())
            .execute(&mut database)
            .await?;
        let mut bytes = database.serialize(None).await?;
        let copy = Zeroizing::new(bytes.to_vec());
        bytes.zeroize();
        database.close().await?;
        Ok(copy)
    };
    make.await.map_err(ExportError::Make)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match options.open(path) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => return Err(ExportError::Exists),
        file => file.map_err(ExportError::Write)?,
    };
    fill(file, bytes).map_err(|cause| {
        // Half a session is none. If it cannot even be removed, the first cause matters more.
        drop(fs::remove_file(path));
        ExportError::Write(cause)
    })
}

fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}
