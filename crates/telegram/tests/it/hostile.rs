//! Files made to do harm.

use std::fs;
use std::time::{Duration, Instant};

use gleaner_telegram::session_file::{self, SessionFileError as Error};
use rstest::rstest;
use sqlx::Connection as _;

use crate::made;

const SOON: Duration = Duration::from_secs(1);

async fn refused(sql: &str) -> Error {
    let bytes = made::bytes(sql).await;
    let started = Instant::now();
    let error = session_file::read_bytes(&bytes).await.unwrap_err();
    assert!(started.elapsed() < SOON, "{:?}: {error}", started.elapsed());
    error
}

/// A Telethon file whose table of accounts is something that runs when it is read.
fn with_sessions(sessions: &str) -> String {
    format!(
        "CREATE TABLE version (version integer primary key); INSERT INTO version VALUES (8);
         CREATE TABLE entities (id); CREATE TABLE sent_files (id); {sessions}"
    )
}

#[tokio::test]
async fn a_view_is_not_run() {
    let endless = "CREATE VIEW sessions AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n)
                   SELECT count(*) AS dc_id, '127.0.0.1' AS server_address, 1 AS port, x'' AS auth_key FROM n;";
    let error = refused(&with_sessions(endless)).await;
    assert!(matches!(error, Error::SomethingElse(_)), "{error}");
}

#[tokio::test]
async fn a_generated_column_is_not_computed() {
    let huge = "CREATE TABLE sessions (dc_id integer primary key, server_address text, port integer,
                    auth_key blob GENERATED ALWAYS AS (zeroblob(900000000)) VIRTUAL);
                INSERT INTO sessions VALUES (2, '127.0.0.1', 443);";
    let error = refused(&with_sessions(huge)).await;
    assert!(matches!(error, Error::Damaged(_)), "{error}");
}

#[tokio::test]
async fn a_virtual_table_is_not_opened() {
    let fts = "CREATE VIRTUAL TABLE sessions USING fts5(dc_id, server_address, port, auth_key);
               INSERT INTO sessions VALUES (2, '127.0.0.1', 443, 'x');";
    let error = refused(&with_sessions(fts)).await;
    assert!(matches!(error, Error::SomethingElse(_)), "{error}");
}

#[tokio::test]
async fn a_schema_of_ten_thousands_of_tables_is_given_up() {
    // All in one page: they need not even take room.
    let many = "PRAGMA writable_schema = ON; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
        INSERT INTO sqlite_schema SELECT 'table', 't' || i, 't' || i, 2, 'CREATE TABLE t' || i || '(a)' FROM n;";
    let error = refused(&(made::telethon(8) + many)).await;
    assert!(matches!(error, Error::Excessive), "{error}");
}

#[tokio::test]
async fn a_schema_of_wide_tables_takes_no_memory_to_speak_of() {
    let columns: Vec<_> = (0..1_900).map(|column| format!("c{column}")).collect();
    let many = format!(
        "PRAGMA writable_schema = ON; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO sqlite_schema SELECT 'table', 't' || i, 't' || i, 2, 'CREATE TABLE t' || i || '({})' FROM n;",
        columns.join(","),
    );
    let bytes = made::bytes(&(made::telethon(8) + &many)).await;
    // Making it took memory as well; Linux forgets that peak when asked.
    let before = fs::write("/proc/self/clear_refs", "5").ok().and_then(|()| peak());
    let error = session_file::read_bytes(&bytes).await.unwrap_err();
    assert!(matches!(error, Error::Excessive), "{error}");
    if let (Some(before), Some(after)) = (before, peak()) {
        println!(
            "{} MiB of schema; peak {before} KiB, then {after} KiB",
            bytes.len() >> 20
        );
        assert!(after < before + (64 << 10), "{before} KiB, then {after} KiB");
    }
}

/// Most memory this process ever held, in KiB, where the system tells.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test]
async fn a_name_that_is_no_text_does_no_harm() {
    // The bytes of a name and of a type, made invalid UTF-8 behind SQLite's back.
    let sql = made::telethon(8) + "CREATE TABLE tableqqq (columnww kindzzzz);";
    let mut bytes = made::bytes(&sql).await;
    for (old, new) in [
        (b"tableqqq", b"\xff\xfebleqqq"),
        (b"columnww", b"\xff\xfelumnww"),
        (b"kindzzzz", b"\xff\xfendzzzz"),
    ] {
        let places: Vec<_> = (0..bytes.len() - 8)
            .filter(|at| &bytes[*at..at + 8] == old)
            .collect();
        assert!(!places.is_empty());
        for at in places {
            bytes[at..at + 8].copy_from_slice(new);
        }
    }
    session_file::read_bytes(&bytes).await.unwrap();
}

/// A journal that is part of a change across several databases names a *super-journal*; playing it
/// back deletes that file, wherever it is. SQLite itself does so: the test shows that first.
#[rstest]
#[case::whole(0xd9)]
// SQLite looks for the name even where the rest is no journal.
#[case::spoilt(0x77)]
#[tokio::test]
async fn a_journal_cannot_delete_a_file(#[case] first: u8) {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious.txt");
    let path = made::file(folder.path(), &made::telethon(8)).await;
    let journal = folder.path().join("made.session-journal");
    let main = fs::read(&path).unwrap();
    let mut hostile = journal_naming(precious.to_str().unwrap(), &main);
    hostile[0] = first;
    let place = || {
        fs::write(&precious, "years of work").unwrap();
        fs::write(&journal, &hostile).unwrap();
    };

    place();
    let error = session_file::read(&path).await.unwrap_err();
    assert!(matches!(error, Error::ForeignJournal), "{error}");
    assert!(precious.exists());

    place();
    let mut database = made::open(&path).await;
    made::run(&mut database, "SELECT * FROM sessions").await;
    database.close().await.unwrap();
    assert!(
        !precious.exists(),
        "SQLite no longer deletes: this defence may go"
    );
}

/// A rollback journal that puts the first page back, with a super-journal's name at its end.
fn journal_naming(name: &str, main: &[u8]) -> Vec<u8> {
    const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    const SECTOR: usize = 512;
    let page = usize::from(u16::from_be_bytes([main[16], main[17]]));
    let number = |value: usize| u32::try_from(value).unwrap().to_be_bytes();
    let mut journal = MAGIC.to_vec();
    for value in [1, 0, main.len() / page, SECTOR, page] {
        journal.extend(number(value));
    }
    journal.resize(SECTOR, 0);
    journal.extend(number(1));
    journal.extend(&main[..page]);
    // The checksum adds every 200th byte from the end, on top of the nonce, which is 0 here.
    let sampled = (1..)
        .map(|n| page.checked_sub(200 * n))
        .map_while(|at| at)
        .filter(|at| *at > 0);
    journal.extend(number(sampled.map(|at| usize::from(main[at])).sum()));
    // The page that holds SQLite's lock byte marks the name's beginning.
    journal.extend(number(0x4000_0000 / page + 1));
    journal.extend(name.as_bytes());
    journal.extend(number(name.len()));
    journal.extend(number(name.bytes().map(usize::from).sum()));
    journal.extend(MAGIC);
    journal
}

#[tokio::test]
async fn a_journal_cannot_fill_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = made::file(folder.path(), &made::telethon(8)).await;
    let mut journal = journal_naming("x", &fs::read(&path).unwrap());
    journal.truncate(journal.len() - 8);
    journal[16..20].copy_from_slice(&u32::MAX.to_be_bytes());
    fs::write(folder.path().join("made.session-journal"), journal).unwrap();
    let error = session_file::read(&path).await.unwrap_err();
    assert!(matches!(error, Error::TooBig(_)), "{error}");
}
