//! The programs themselves make what we read, and open what we make.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gleaner_telegram::session_file::{self, SessionFileError};
use gleaner_telegram::{Imported, Origin, export, session_string};
use secrecy::ExposeSecret as _;
use tokio::process::Command;

use crate::{export as exported, made};

const PATIENCE: Duration = Duration::from_mins(2);

#[tokio::test]
async fn what_the_programs_make_reads() {
    let folder = tempfile::tempdir().unwrap();
    if run(&["make", folder.path().to_str().unwrap(), &made::hex(&made::key())])
        .await
        .is_none()
    {
        println!("{SKIPPED}");
        return;
    }
    let before = made::everything(folder.path());
    let read = async |name: &str| session_file::read(&folder.path().join(name)).await;
    for name in ["telethon.session", "killed.session"] {
        let imported = read(name).await.unwrap();
        assert_eq!(imported.origin, Origin::Telethon { version: 8 }, "{name}");
        assert_account(&imported, "127.0.0.1:4430");
    }
    assert!(folder.path().join("killed.session-journal").exists());
    assert_account(
        &read("telethon6.session").await.unwrap(),
        "[2001:67c:4e8:f002::a]:443",
    );
    for name in ["kurigram.session", "kurigram-wal.session"] {
        let imported = read(name).await.unwrap();
        assert_eq!(imported.origin, Origin::Kurigram { version: 7 }, "{name}");
        assert_eq!((imported.api_id, imported.is_bot), (Some(12345), Some(false)));
        assert_eq!(imported.keys.user_id, Some(6_000_000_000));
        assert_account(&imported, "127.0.0.1:4430");
    }
    assert!(folder.path().join("kurigram-wal.session-wal").exists());
    for name in ["fresh.session", "kurigram-fresh.session"] {
        let error = read(name).await.unwrap_err();
        assert!(matches!(error, SessionFileError::Field(_)), "{name}: {error}");
        assert!(error.to_string().ends_with("never logged in"), "{name}: {error}");
    }
    assert!(
        made::everything(folder.path()) == before,
        "reading wrote something"
    );

    let strings = std::fs::read(folder.path().join("strings.json")).unwrap();
    let strings: BTreeMap<String, String> = serde_json::from_slice(&strings).unwrap();
    let parse = |name: &str| session_string::parse(&strings[name]).unwrap();
    assert_account(&parse("telethon"), "127.0.0.1:4430");
    assert_account(&parse("telethon6"), "[2001:67c:4e8:f002::a]:443");
    assert_account(&parse("kurigram"), "149.154.167.51:443");
    assert_eq!(parse("kurigram").keys.user_id, Some(6_000_000_000));
}

fn assert_account(imported: &Imported, address: &str) {
    assert_eq!(imported.keys.dc_id, 2);
    assert_eq!(imported.keys.address, address.parse().unwrap());
    assert_eq!(imported.keys.auth_key.bytes(), &made::key());
}

#[tokio::test]
async fn telethon_opens_what_is_given_out() {
    for address in ["127.0.0.1:4430", "[2001:67c:4e8:f002::a]:443"] {
        let folder = tempfile::tempdir().unwrap();
        let keys = exported::keys(address);
        let path = folder.path().join("exported.session");
        export::telethon_file(&keys, &path).await.unwrap();
        let text = export::telethon_string(&keys).unwrap();
        std::fs::write(folder.path().join("exported.txt"), text.expose_secret()).unwrap();
        let Some(found) = run(&["open", folder.path().to_str().unwrap()]).await else {
            println!("{SKIPPED}");
            return;
        };
        let found: serde_json::Value = serde_json::from_str(&found).unwrap();
        let (ip, port) = (keys.address.ip().to_string(), keys.address.port());
        let expected = serde_json::json!([2, ip, port, made::hex(&made::key())]);
        assert_eq!(found["file"], expected);
        assert_eq!(found["string"], expected);
        // It has upgraded the file, as it does with its own.
        assert_eq!(found["version"], 8);
        assert_account(&session_file::read(&path).await.unwrap(), address);
    }
}

const SKIPPED: &str = "SKIPPED: no Python with the peers of xtask/peers.txt (GLEANER_PEERS_PYTHON)";

/// What the script printed; `None` where there is no Python with the programs.
async fn run(arguments: &[&str]) -> Option<String> {
    let python = python()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/peers.py");
    let mut command = Command::new(python);
    command.arg(script).args(arguments).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.expect("it ends in time").expect("it starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

#[expect(
    clippy::disallowed_methods,
    reason = "asks where tools are, nothing of the app's"
)]
fn python() -> Option<PathBuf> {
    std::env::var_os("GLEANER_PEERS_PYTHON").map(PathBuf::from)
}
