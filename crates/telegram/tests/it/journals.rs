//! Files of programs that run, or were killed while they wrote.

use std::fs;
use std::path::Path;

use gleaner_telegram::session_file::{self, SessionFileError as Error};
use sqlx::Connection as _;

use crate::made;

/// A transaction large enough that half of it is in the main file already.
const HALF_DONE: &str = "PRAGMA cache_size = 5; BEGIN;
    UPDATE sessions SET auth_key = randomblob(256), dc_id = 5;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO entities SELECT i, i, 'user' || i, NULL, 'Somebody', NULL FROM n;
    UPDATE entities SET name = name || name;";

#[tokio::test]
async fn what_a_killed_program_left_half_done_is_undone_in_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = made::file(folder.path(), &made::telethon(8)).await;
    let whole = fs::read(&path).unwrap();
    let mut database = made::open(&path).await;
    made::run(&mut database, HALF_DONE).await;
    assert_ne!(
        fs::read(&path).unwrap()[..whole.len()],
        whole,
        "nothing was half done"
    );

    // The program still runs: its own files are read beside it.
    read_without_a_trace(folder.path(), &path).await;

    // It is killed: what it leaves is what stands there now.
    let left = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), left.path().join(entry.file_name())).unwrap();
    }
    let path = left.path().join("made.session");
    assert!(left.path().join("made.session-journal").exists());
    read_without_a_trace(left.path(), &path).await;

    // Without the journal the same file is another one: the copy did need it.
    fs::remove_file(left.path().join("made.session-journal")).unwrap();
    let read = session_file::read(&path).await;
    assert!(!read.is_ok_and(|imported| imported.keys.auth_key.bytes() == &made::key()));

    made::run(&mut database, "ROLLBACK;").await;
    database.close().await.unwrap();
}

async fn read_without_a_trace(folder: &Path, path: &Path) {
    let before = made::everything(folder);
    let imported = session_file::read(path).await.unwrap();
    assert_eq!(imported.keys.auth_key.bytes(), &made::key());
    assert_eq!(imported.keys.dc_id, 2);
    assert!(made::everything(folder) == before, "reading wrote something");
}

#[tokio::test]
async fn what_is_only_in_the_write_ahead_log_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.session");
    let mut database = made::open(&path).await;
    made::run(&mut database, "PRAGMA journal_mode = WAL;").await;
    made::run(&mut database, &made::telethon(8)).await;
    assert!(folder.path().join("made.session-wal").exists());
    read_without_a_trace(folder.path(), &path).await;

    // Uploaded, the main file comes alone.
    let alone = fs::read(&path).unwrap();
    let error = session_file::read_bytes(&alone).await.unwrap_err();
    assert!(matches!(error, Error::NewestPartMissing), "{error}");

    // Closed, everything is in the main file, though it still says that it has a log.
    database.close().await.unwrap();
    let closed = fs::read(&path).unwrap();
    assert_eq!(closed[18..20], [2, 2]);
    session_file::read_bytes(&closed).await.unwrap();
    read_without_a_trace(folder.path(), &path).await;
}

#[tokio::test]
async fn no_copy_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = made::file(folder.path(), &made::telethon(8)).await;
    fs::write(folder.path().join("made.session-journal"), [0; 600]).unwrap();
    let copies = || {
        let entries = fs::read_dir(std::env::temp_dir()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with("gleaner-session-")).count()
    };
    // Other tests copy at the same time: only that it does not grow with every read can be seen.
    let before = copies();
    for _ in 0..50 {
        read_without_a_trace(folder.path(), &path).await;
    }
    assert!(copies() < before + 25);
}
