//! Kurigram, unmodified, logs in to the simulated Telegram and uses its own session file there.

use gleaner_testkit::{TelegramServer, World};
use serde_json::json;

use crate::peers::{Script, python};

const SOURCE: &str = include_str!("kurigram.py");

#[tokio::test]
async fn a_code_and_a_password_log_in_and_the_file_says_where() {
    let Some(python) = python() else { return };
    let server = TelegramServer::start(World::new().into_handle()).await;
    for (phone, user, name, needed) in [
        ("+15550001", 5_000_001, "Ada", json!(null)),
        ("+15550002", 5_000_002, "Boris", json!("SESSION_PASSWORD_NEEDED")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let key = server.new_key(2);
        let more = json!({ "folder": folder.path(), "phone": phone, "password": "harbour lights" });
        let told = Script::start(&python, SOURCE, "code", &key, &more).line().await;
        assert_eq!(told["wrong"], "PHONE_CODE_INVALID");
        assert_eq!((&told["needed"], &told["me"]), (&needed, &json!(name)));
        assert_eq!(
            told["row"],
            json!([2, "127.0.0.1", key.address.port(), 256, user])
        );
        assert_eq!(server.user_of(&key), Some(user));
        assert_eq!(server.most_connections_of(&key), 1);
    }
}

#[tokio::test]
async fn a_file_with_a_logged_in_key_works_at_its_own_address() {
    let Some(python) = python() else { return };
    let server = TelegramServer::start(World::new().into_handle()).await;
    let folder = tempfile::tempdir().unwrap();
    let key = server.logged_in_key("+15550005");
    let more = json!({ "folder": folder.path(), "user_id": 5_000_005 });
    let told = Script::start(&python, SOURCE, "file", &key, &more).line().await;
    assert_eq!(told, json!({ "me": 5_000_005, "phone": "15550005" }));
}
