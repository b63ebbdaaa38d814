//! Whose session a database is, and the account in it.
//!
//! Told apart by the column of the table `version`: `version` is Telethon's, `number` Pyrogram's.
//! Columns of `sessions` are found by name, since each version of each program has others.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::database::{Database, failed};
use super::{Bytes, SessionFileError};
use crate::imported::{Imported, Origin, Raw, shown};

/// Largest key that is fetched, in bytes; real ones have 256.
const MOST_KEY: usize = 4096;

pub(super) async fn read(database: &mut Database) -> Result<Imported, SessionFileError> {
    let tables = tables(database).await?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    if tables.is_empty() {
        return Err(SessionFileError::EmptyDatabase);
    }
    if has("dc_home") && has("dc_option") {
        return Err(SessionFileError::Grammers);
    }
    if !has("version") || !has("sessions") {
        return Err(something_else(&tables));
    }
    let versions = columns(database, "version").await?;
    let told = |name: &str| versions.iter().any(|column| column == name);
    let (column, telethon) = match (told("version"), told("number")) {
        (true, _) => ("version", true),
        (_, true) => ("number", false),
        _ => return Err(something_else(&tables)),
    };
    let version = integer("version", column);
    let rows = database.rows(format!("SELECT {version} FROM main.version LIMIT 1"));
    let version = match rows.await?.first() {
        Some(row) => row.try_get_unchecked::<Option<i64>, _>(0).map_err(failed)?,
        None => None,
    };
    let version = version.ok_or(SessionFileError::WrongKind("version"))?;
    let origin = match version {
        _ if telethon => Origin::Telethon { version },
        ..4 => Origin::Pyrogram { version },
        _ => Origin::Kurigram { version },
    };
    account(database, origin).await
}

async fn account(database: &mut Database, origin: Origin) -> Result<Imported, SessionFileError> {
    let columns = columns(database, "sessions").await?;
    let has = |name: &str| columns.iter().any(|column| column == name);
    let number = |name: &str| {
        if has(name) {
            integer(name, name)
        } else {
            format!("NULL AS {name}")
        }
    };
    if !has("dc_id") || !has("auth_key") {
        return Err(SessionFileError::Damaged(
            "its table of accounts misses columns".to_owned(),
        ));
    }
    let address = if has("server_address") {
        "typeof(server_address) AS kind, \
         CASE WHEN octet_length(server_address) <= 256 THEN CAST(server_address AS BLOB) END AS host"
    } else {
        "'null' AS kind, NULL AS host"
    };
    let numbers = ["dc_id", "port", "api_id", "test_mode", "user_id", "is_bot"].map(number);
    let query = format!(
        "SELECT {}, {address}, typeof(auth_key) AS key_kind, octet_length(auth_key) AS key_size, \
         CASE WHEN typeof(auth_key) = 'blob' AND octet_length(auth_key) <= {MOST_KEY} THEN auth_key END AS key \
         FROM main.sessions LIMIT 2",
        numbers.join(", "),
    );
    let rows = database.rows(query).await?;
    match rows.as_slice() {
        [] => Err(SessionFileError::NoAccount),
        [row] => parse(row, origin),
        _ => Err(SessionFileError::SeveralAccounts),
    }
}

fn parse(row: &SqliteRow, origin: Origin) -> Result<Imported, SessionFileError> {
    let number = |name| row.try_get_unchecked::<Option<i64>, _>(name).map_err(failed);
    let text = |name| row.try_get_unchecked::<String, _>(name).map_err(failed);
    let key = row
        .try_get_unchecked::<Option<Vec<u8>>, _>("key")
        .map_err(failed)?;
    let key = Bytes::new(key.unwrap_or_default());
    match (&*text("key_kind")?, number("key_size")?) {
        ("blob", Some(size)) if size > MOST_KEY as i64 => {
            return Err(too_long(size));
        }
        ("blob" | "null", _) => {}
        _ => return Err(SessionFileError::WrongKind("auth_key")),
    }
    let host = row
        .try_get_unchecked::<Option<Vec<u8>>, _>("host")
        .map_err(failed)?;
    let host = host.map(|host| String::from_utf8_lossy(&host).into_owned());
    let host = match &*text("kind")? {
        "null" => None,
        "text" => Some(host.unwrap_or_else(|| "(a very long text)".to_owned())),
        _ => return Err(SessionFileError::WrongKind("server_address")),
    };
    let port = number("port")?;
    let flag = |name| number(name).map(|value| value.map(|value| value != 0));
    let raw = Raw {
        origin,
        dc_id: number("dc_id")?,
        address: host
            .as_deref()
            .filter(|host| !host.is_empty())
            .map(|host| (host, port)),
        test: flag("test_mode")?.unwrap_or(false),
        key: &key,
        user_id: number("user_id")?,
        api_id: number("api_id")?,
        is_bot: flag("is_bot")?,
    };
    Ok(raw.parse()?)
}

fn too_long(size: i64) -> SessionFileError {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    SessionFileError::Field(crate::keys::AuthKeyError::WrongLength(size).into())
}

/// A column as an integer, or NULL when it is anything else.
fn integer(name: &str, column: &str) -> String {
    format!("CASE WHEN typeof({column}) = 'integer' THEN {column} END AS {name}")
}

/// The ordinary tables: a view or a virtual table runs code when it is read.
async fn tables(database: &mut Database) -> Result<Vec<String>, SessionFileError> {
    let query = "SELECT CAST(substr(name, 1, 100) AS BLOB) FROM main.sqlite_schema \
                 WHERE type = 'table' AND sql LIKE 'CREATE TABLE%' LIMIT 100";
    names(database, query.to_owned()).await
}

/// The stored columns: a generated one runs code when it is read.
async fn columns(database: &mut Database, table: &str) -> Result<Vec<String>, SessionFileError> {
    let query = format!(
        "SELECT CAST(name AS BLOB) FROM pragma_table_xinfo('{table}', 'main') WHERE hidden = 0 LIMIT 100"
    );
    names(database, query).await
}

async fn names(database: &mut Database, query: String) -> Result<Vec<String>, SessionFileError> {
    let rows = database.rows(query).await?;
    let name = |row: &SqliteRow| {
        let name = row.try_get_unchecked::<Option<Vec<u8>>, _>(0).map_err(failed)?;
        Ok(String::from_utf8_lossy(&name.unwrap_or_default()).into_owned())
    };
    rows.iter().map(name).collect()
}

fn something_else(tables: &[String]) -> SessionFileError {
    const MOST: usize = 6;
    let mut names: Vec<_> = tables.iter().take(MOST).map(|table| shown(table)).collect();
    if tables.len() > MOST {
        names.push("…".to_owned());
    }
    SessionFileError::SomethingElse(names.join(", "))
}
