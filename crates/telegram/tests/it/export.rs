//! What is given out reads back, and stands where nothing stood.

use std::fs;

use gleaner_telegram::export::{self, ExportError};
use gleaner_telegram::{AuthKey, Origin, SessionKeys, session_file, session_string};
use secrecy::ExposeSecret as _;

use crate::made;

pub(crate) fn keys(address: &str) -> SessionKeys {
    SessionKeys {
        dc_id: 2,
        address: address.parse().unwrap(),
        auth_key: AuthKey::parse(&made::key()).unwrap(),
        user_id: Some(7),
    }
}

#[tokio::test]
async fn what_is_given_out_reads_back() {
    for address in ["149.154.167.51:443", "[2001:67c:4e8:f002::a]:443"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.session");
        let keys = keys(address);
        export::telethon_file(&keys, &path).await.unwrap();
        let file = session_file::read(&path).await.unwrap();
        assert_eq!(file.origin, Origin::Telethon { version: 7 });
        let text = export::telethon_string(&keys).unwrap();
        let string = session_string::parse(text.expose_secret()).unwrap();
        for read in [file, string] {
            assert_eq!(read.keys.auth_key.bytes(), keys.auth_key.bytes());
            assert_eq!((read.keys.dc_id, read.keys.address), (2, keys.address));
        }
        let made: Vec<_> = made::everything(folder.path()).into_keys().collect();
        assert_eq!(made, [path], "nothing but the file may stand there");
    }
}

#[tokio::test]
async fn an_existing_file_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.session");
    fs::write(&path, "precious").unwrap();
    let error = export::telethon_file(&keys("127.0.0.1:1"), &path)
        .await
        .unwrap_err();
    assert!(matches!(error, ExportError::Exists), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    let nowhere = folder.path().join("no/such/folder.session");
    let error = export::telethon_file(&keys("127.0.0.1:1"), &nowhere)
        .await
        .unwrap_err();
    assert!(matches!(error, ExportError::Write(_)), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.session");
    export::telethon_file(&keys("127.0.0.1:1"), &path).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_data_centre_too_big_for_a_string_is_refused() {
    let keys = SessionKeys {
        dc_id: 10_002,
        ..keys("127.0.0.1:1")
    };
    assert!(matches!(
        export::telethon_string(&keys),
        Err(ExportError::DcId(10_002))
    ));
}
