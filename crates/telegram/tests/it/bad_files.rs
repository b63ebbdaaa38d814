//! What is no session says why, in words.

use std::fs;
use std::path::Path;

use gleaner_telegram::session_file::{self, MOST_BYTES, SessionFileError as Error};
use gleaner_telegram::{AuthKeyError, FieldError, Imported};
use rstest::rstest;

use crate::made;

async fn refused(sql: &str) -> Error {
    let bytes = made::bytes(sql).await;
    let in_memory = session_file::read_bytes(&bytes).await.unwrap_err();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.session");
    fs::write(&path, bytes).unwrap();
    let on_disk = read_untouched(&path).await.unwrap_err();
    assert_eq!(in_memory.to_string(), on_disk.to_string());
    on_disk
}

async fn read_untouched(path: &Path) -> Result<Imported, Error> {
    let folder = path.parent().unwrap();
    let before = made::everything(folder);
    let read = session_file::read(path).await;
    assert!(made::everything(folder) == before, "reading wrote something");
    read
}

async fn refused_content(content: &[u8]) -> Error {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.session");
    fs::write(&path, content).unwrap();
    read_untouched(&path).await.unwrap_err()
}

#[tokio::test]
async fn what_is_no_database_says_so() {
    assert!(matches!(refused_content(b"").await, Error::EmptyFile));
    assert!(matches!(
        refused_content(b"hello, world").await,
        Error::NotADatabase
    ));
    assert!(matches!(
        refused_content(&[0x5a; 5000]).await,
        Error::NotADatabase
    ));
    assert!(matches!(refused_content(b"TDF$\x01\x02\x03").await, Error::Tdata));
    assert!(matches!(
        refused_content(b"SQLite format 3\0").await,
        Error::NotADatabase
    ));
}

#[tokio::test]
async fn what_is_no_file_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let read = async |name: &str| session_file::read(&folder.path().join(name)).await.unwrap_err();
    assert!(matches!(read("nothing.session").await, Error::Missing));
    assert!(matches!(read("").await, Error::IsFolder));
    fs::create_dir_all(folder.path().join("Telegram/tdata")).unwrap();
    fs::write(folder.path().join("Telegram/tdata/key_datas"), b"TDF$").unwrap();
    assert!(matches!(read("Telegram/tdata").await, Error::Tdata));
    assert!(matches!(read("Telegram").await, Error::Tdata));
}

#[cfg(unix)]
#[tokio::test]
async fn a_device_or_a_pipe_is_not_waited_for() {
    let error = session_file::read(Path::new("/dev/zero")).await.unwrap_err();
    assert!(matches!(error, Error::NotAFile), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let path = made::file(folder.path(), &made::telethon(8)).await;
    let pipe = folder.path().join("made.session-journal");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let error = session_file::read(&path).await.unwrap_err();
    assert!(matches!(error, Error::NotAFile), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_followed_and_its_targets_journal_found() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real");
    fs::create_dir(&real).unwrap();
    let path = made::file(&real, &made::telethon(8)).await;
    let link = folder.path().join("link.session");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    session_file::read(&link).await.unwrap();
}

#[tokio::test]
async fn a_file_too_big_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.session");
    let file = fs::File::create(&path).unwrap();
    file.set_len(MOST_BYTES + 1).unwrap();
    let read = session_file::read(&path).await.unwrap_err();
    assert!(
        matches!(read, Error::TooBig(size) if size == MOST_BYTES + 1),
        "{read}"
    );
}

#[tokio::test]
async fn databases_of_others_are_named() {
    let error = refused("CREATE TABLE moz_places (id); CREATE TABLE moz_hosts (id);").await;
    assert_eq!(
        error.to_string(),
        "this is the database of something else, with the tables moz_places, moz_hosts"
    );
    let error = refused("CREATE TABLE version (v); CREATE TABLE sessions (id);").await;
    assert!(matches!(error, Error::SomethingElse(_)), "{error}");
    let error = refused("CREATE TABLE \"evil\u{1b}[2J\nname\" (a);").await;
    assert!(!error.to_string().contains(|c: char| c.is_control()), "{error:?}");
    let error = refused("CREATE TABLE t (a); DROP TABLE t;").await;
    assert!(matches!(error, Error::EmptyDatabase), "{error}");
}

#[tokio::test]
async fn a_grammers_session_is_named() {
    let sql = "CREATE TABLE dc_home (dc_id INTEGER); CREATE TABLE dc_option (dc_id INTEGER, ipv4 TEXT);
               CREATE TABLE peer_info (peer_id INTEGER); PRAGMA user_version = 1;";
    assert!(matches!(refused(sql).await, Error::Grammers));
}

#[rstest]
#[case::null("NULL", AuthKeyError::Empty)]
#[case::none("x''", AuthKeyError::Empty)]
#[case::zeros("zeroblob(256)", AuthKeyError::Zeros)]
#[case::short("x'0102'", AuthKeyError::WrongLength(2))]
#[case::long("CAST(zeroblob(255) || x'0102' AS BLOB)", AuthKeyError::WrongLength(257))]
#[case::huge("zeroblob(100000)", AuthKeyError::WrongLength(100_000))]
#[tokio::test]
async fn what_is_no_key_says_so(#[case] value: &str, #[case] expected: AuthKeyError) {
    for made in [made::telethon(8), made::pyrogram(3), made::pyrogram(7)] {
        let error = refused(&format!("{made} UPDATE sessions SET auth_key = {value};")).await;
        assert!(
            matches!(&error, Error::Field(FieldError::Key(why)) if *why == expected),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_never_logged_in_says_so() {
    // As Telethon makes it on its first start.
    let fresh = "DELETE FROM sessions; INSERT INTO sessions VALUES (0, NULL, NULL, x'', NULL, x'');";
    let error = refused(&(made::telethon(8) + fresh)).await;
    assert!(error.to_string().ends_with("never logged in"), "{error}");
    let error = refused(&(made::telethon(8) + "DELETE FROM sessions;")).await;
    assert!(matches!(error, Error::NoAccount), "{error}");
}

#[tokio::test]
async fn two_accounts_are_not_chosen_from() {
    let second = "INSERT INTO sessions SELECT 3, server_address, port, auth_key, NULL, NULL FROM sessions;";
    let error = refused(&(made::telethon(8) + second)).await;
    assert!(matches!(error, Error::SeveralAccounts), "{error}");
}

#[rstest]
#[case("dc_id = 0", "data centre 0,")]
#[case("dc_id = -2", "data centre -2,")]
#[case("dc_id = 4000000000", "data centre 4000000000,")]
#[case("server_address = 'evil.example'", "not an IP address: evil.example")]
#[case(
    "server_address = printf('%.*c', 5000, 'x')",
    "not an IP address: (a very long text)"
)]
#[case("server_address = x'00ff'", "server_address is of the wrong kind")]
#[case("port = 0", "port is 0")]
#[case("port = NULL", "port is 0")]
#[case("port = 65536", "port is 65536")]
#[case("auth_key = 'text'", "auth_key is of the wrong kind")]
#[tokio::test]
async fn fields_that_make_no_sense_are_named(#[case] change: &str, #[case] told: &str) {
    let error = refused(&format!("{} UPDATE sessions SET {change};", made::telethon(8))).await;
    assert!(error.to_string().contains(told), "{error}");
}

#[tokio::test]
async fn a_data_centre_without_an_address_is_refused() {
    let error = refused(&(made::pyrogram(3) + "UPDATE sessions SET dc_id = 77;")).await;
    assert!(
        matches!(error, Error::Field(FieldError::UnknownDc(77))),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_cut_anywhere_is_damaged_or_still_whole() {
    let whole = made::bytes(&made::telethon(8)).await;
    let mut damaged = 0;
    for cut in (16..whole.len()).step_by(512) {
        let read = session_file::read_bytes(&whole[..cut]).await;
        damaged += usize::from(read.is_err());
    }
    assert!(damaged > 30, "{damaged}");
    let error = session_file::read_bytes(&whole[..whole.len() / 2])
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Damaged(_)), "{error}");
}
