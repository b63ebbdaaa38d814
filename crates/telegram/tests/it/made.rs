//! Session files as each program and version makes them, from the statements in its sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};

/// A key that is easy to recognise, and no two bytes of it alike by accident.
pub(crate) fn key() -> [u8; 256] {
    std::array::from_fn(|at| (at as u8).wrapping_mul(167).wrapping_add(13))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// A Telethon file of any schema version, logged in at `127.0.0.1:4430`, data centre 2.
pub(crate) fn telethon(version: u32) -> String {
    let (sent, state, date) = (
        version >= 2,
        version >= 4,
        if version >= 7 { ", date integer" } else { "" },
    );
    let (columns, values) = match version {
        ..5 => ("", ""),
        5..8 => (", takeout_id integer", ", NULL"),
        _ => (", takeout_id integer, tmp_auth_key blob", ", NULL, x''"),
    };
    let sent = if sent {
        "CREATE TABLE sent_files (md5_digest blob, file_size integer, type integer, id integer, hash integer, \
         primary key(md5_digest, file_size, type));"
    } else {
        ""
    };
    let state = if state {
        "CREATE TABLE update_state (id integer primary key, pts integer, qts integer, date integer, seq integer);
         INSERT INTO update_state VALUES (0, 1, 2, 1700000000.5, 3);"
    } else {
        ""
    };
    let key = hex(&key());
    format!(
        "CREATE TABLE version (version integer primary key);
         CREATE TABLE sessions (dc_id integer primary key, server_address text, port integer, auth_key blob{columns});
         CREATE TABLE entities (id integer primary key, hash integer not null, username text, phone integer, name text{date});
         {sent}{state}
         INSERT INTO version VALUES ({version});
         INSERT INTO entities (id, hash, name) VALUES (-1001234567890, 42, 'Gleanings');
         INSERT INTO sessions VALUES (2, '127.0.0.1', 4430, x'{key}'{values});"
    )
}

/// A file of Pyrogram's (schema 1 to 3) or Kurigram's (4 to 7), logged in at data centre 4.
pub(crate) fn pyrogram(version: u32) -> String {
    let (address, address_value) = if version >= 7 {
        (" server_address TEXT, port INTEGER,", " '127.0.0.1', 4430,")
    } else {
        ("", "")
    };
    let (api_id, api_id_value) = if version >= 3 {
        (" api_id INTEGER,", " 12345,")
    } else {
        ("", "")
    };
    let username = if version < 4 { "username TEXT," } else { "" };
    let usernames = if version >= 4 {
        "CREATE TABLE usernames (id INTEGER, username TEXT, FOREIGN KEY (id) REFERENCES peers(id));
         CREATE INDEX idx_usernames_username ON usernames (username);"
    } else {
        ""
    };
    let state = if version >= 5 {
        "CREATE TABLE update_state (id INTEGER PRIMARY KEY, pts INTEGER, qts INTEGER, date INTEGER, seq INTEGER);"
    } else {
        ""
    };
    let key = hex(&key());
    format!(
        "CREATE TABLE sessions (dc_id INTEGER PRIMARY KEY,{address}{api_id} test_mode INTEGER, auth_key BLOB,
             date INTEGER NOT NULL, user_id INTEGER, is_bot INTEGER);
         CREATE TABLE peers (id INTEGER PRIMARY KEY, access_hash INTEGER, type INTEGER NOT NULL, {username}
             phone_number TEXT, last_update_on INTEGER NOT NULL DEFAULT (CAST(STRFTIME('%s', 'now') AS INTEGER)));
         {usernames}{state}
         CREATE TABLE version (number INTEGER PRIMARY KEY);
         CREATE INDEX idx_peers_id ON peers (id);
         CREATE INDEX idx_peers_phone_number ON peers (phone_number);
         CREATE TRIGGER trg_peers_last_update_on AFTER UPDATE ON peers BEGIN
             UPDATE peers SET last_update_on = CAST(STRFTIME('%s', 'now') AS INTEGER) WHERE id = NEW.id;
         END;
         INSERT INTO version VALUES ({version});
         INSERT INTO sessions VALUES (4,{address_value}{api_id_value} 0, x'{key}', 1700000000, 6000000000, 0);"
    )
}

pub(crate) async fn open(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    options.disable_statement_logging().connect().await.unwrap()
}

pub(crate) async fn run(database: &mut SqliteConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(database)
        .await
        .unwrap_or_else(|cause| panic!("{cause}: {sql}"));
}

/// A database in memory, as the bytes of its file.
pub(crate) async fn bytes(sql: &str) -> Vec<u8> {
    let options = SqliteConnectOptions::new().in_memory(true);
    let mut database = options.disable_statement_logging().connect().await.unwrap();
    run(&mut database, sql).await;
    database.serialize(None).await.unwrap().to_vec()
}

/// A database on the disk, closed.
pub(crate) async fn file(folder: &Path, sql: &str) -> PathBuf {
    let path = folder.join("made.session");
    let mut database = open(&path).await;
    run(&mut database, sql).await;
    database.close().await.unwrap();
    path
}

/// Everything in a folder: name, content, time of the last change. Equal before and after says that
/// nothing was written.
pub(crate) fn everything(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let entries = fs::read_dir(folder).unwrap();
    let entry = entries.map(|entry| {
        let path = entry.unwrap().path();
        let changed = fs::metadata(&path).unwrap().modified().unwrap();
        (path.clone(), (fs::read(&path).unwrap(), changed))
    });
    entry.collect()
}
