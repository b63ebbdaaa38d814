//! The file itself: opening, refusing, backing up.

use std::path::Path;

use gleaner_store::{DatabaseError, Store, StoreError};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use crate::world::World;

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}", path.display()))
        .await
        .expect("a plain connection")
}

#[tokio::test]
async fn a_file_of_a_newer_format_is_refused_and_says_so() {
    let world = World::new().await;
    world.store.close().await;
    let mut newer = raw(&world.path).await;
    sqlx::query("PRAGMA user_version = 7")
        .execute(&mut newer)
        .await
        .expect("a newer format");
    newer.close().await.expect("closed");

    let error = Store::open(&world.path).await.expect_err("it is newer");
    assert!(
        matches!(
            error,
            StoreError::Database(DatabaseError::Newer {
                found: 7,
                known: 1,
                ..
            })
        ),
        "{error:?}"
    );
    assert!(error.to_string().contains("update Gleaner"), "{error}");
}

#[tokio::test]
async fn a_newer_file_that_only_added_something_is_used() {
    let world = World::new().await;
    world.store.close().await;
    let mut newer = raw(&world.path).await;
    for sql in [
        "CREATE TABLE later (a INTEGER)",
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (29990101000000, 'later', TRUE, x'00', 1)",
    ] {
        sqlx::query(sql).execute(&mut newer).await.expect("added");
    }
    newer.close().await.expect("closed");
    assert_eq!(world.again().await.targets().await.expect("targets").len(), 1);
}

#[tokio::test]
async fn what_is_no_database_is_called_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gleaner.db");
    std::fs::write(&path, vec![b'x'; 10_000]).expect("written");
    let error = Store::open(&path).await.expect_err("not a database");
    assert!(
        matches!(error, StoreError::Database(DatabaseError::Damaged { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_page_overwritten_with_noise_is_found_when_the_file_is_opened() {
    let world = World::new().await;
    for n in 0..50 {
        world.source(&format!("@channel_{n}")).await;
    }
    world.store.close().await;
    let mut bytes = std::fs::read(&world.path).expect("the file");
    for page in 1..bytes.len() / 4096 {
        bytes[page * 4096..page * 4096 + 200].fill(0xa5);
    }
    std::fs::write(&world.path, bytes).expect("written");
    let error = Store::open(&world.path).await.expect_err("damaged");
    assert!(
        matches!(error, StoreError::Database(DatabaseError::Damaged { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Store::open(&folder.path().join("no/gleaner.db"))
        .await
        .expect_err("no folder");
    assert!(
        error.to_string().contains("gleaner.db cannot be opened"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_may_open_a_new_file_at_the_same_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gleaner.db");
    let openings: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            tokio::spawn(async move { Store::open(&path).await })
        })
        .collect();
    for opening in openings {
        let store = opening.await.expect("no panic").expect("opened");
        assert_eq!(store.last_seq().await.expect("a number"), 0);
    }
}

#[tokio::test]
async fn a_closed_file_stands_alone() {
    let world = World::new().await;
    world.source("@news_one").await;
    world.store.close().await;
    let log = world.path.with_extension("db-wal");
    assert!(!log.exists(), "the write-ahead log is folded into the file");
    assert_eq!(world.again().await.sources().await.expect("sources").len(), 1);
}

#[tokio::test]
async fn a_backup_opens_and_holds_what_was_there() {
    let world = World::new().await;
    let source = world.source("@news_one").await;
    let backup = world.path.with_file_name("backup it's.db");
    world.store.backup_to(&backup).await.expect("a backup");
    world.source("@news_two").await;

    let restored = Store::open(&backup).await.expect("the backup opens");
    assert_eq!(restored.sources().await.expect("sources"), [source]);
    assert_eq!(restored.targets().await.expect("targets").len(), 1);
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_a_failed_one_leaves_nothing() {
    let world = World::new().await;
    let taken = world.path.with_file_name("taken.db");
    std::fs::write(&taken, "mine").expect("written");
    let error = world.store.backup_to(&taken).await.expect_err("it exists");
    assert!(
        matches!(error, StoreError::Database(DatabaseError::Exists { .. })),
        "{error:?}"
    );
    assert_eq!(std::fs::read_to_string(&taken).expect("still there"), "mine");

    let nowhere = world.path.with_file_name("no").join("backup.db");
    let error = world.store.backup_to(&nowhere).await.expect_err("no such folder");
    assert!(error.to_string().contains("cannot be written"), "{error}");
}

#[tokio::test]
async fn while_writing_is_held_others_wait_and_a_close_turns_them_away() {
    let world = World::new().await;
    let waiting = |store: gleaner_store::Store| tokio::spawn(async move { store.set_setting("a", &1).await });

    let held = world.store.hold().await.expect("held");
    let waits = waiting(world.store.clone());
    tokio::task::yield_now().await;
    let copy = world.path.with_extension("copy");
    world.store.backup_to(&copy).await.expect("copied meanwhile");
    drop(held);
    waits.await.expect("no panic").expect("written once it may");

    let held = world.store.hold().await.expect("held");
    let waits = waiting(world.store.clone());
    tokio::task::yield_now().await;
    held.close().await;
    waits.await.expect("no panic").expect_err("too late");
    let copy = gleaner_store::Store::open(&copy).await.expect("whole");
    assert_eq!(copy.setting::<i32>("a").await.expect("read"), None);
}
