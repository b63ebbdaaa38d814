//! Telethon, unmodified, logs in to the simulated Telegram: a client that shares no code with it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gleaner_testkit::telegram::KeyStanding;
use gleaner_testkit::{ChannelSpec, Standing, TelegramServer, World};
use serde_json::json;

use crate::peers::{Script, python};

async fn telegram() -> TelegramServer {
    TelegramServer::start(World::new().into_handle()).await
}

const SOURCE: &str = include_str!("telethon.py");

#[tokio::test]
async fn a_code_logs_in_and_out_again() {
    let Some(python) = python() else { return };
    let server = telegram().await;
    let key = server.new_key(2);
    let mut script = Script::start(&python, SOURCE, "code", &key, &json!({ "phone": "+15550001" }));
    let told = script.line().await;
    assert_eq!(told["before"], false);
    assert_eq!(told["sent"], "SentCodeTypeApp");
    assert_eq!(told["wrong"], "PhoneCodeInvalidError");
    let me = json!({ "id": 5_000_001, "first_name": "Ada", "username": "ada_keeper", "phone": "15550001" });
    assert_eq!(told["me"], me);
    assert_eq!(told["full"], 5_000_001);
    assert_eq!((&told["after"], &told["out"]), (&json!(true), &json!(true)));
    assert_eq!(server.count("auth.signIn"), 2);
    assert_eq!(server.user_of(&key), None);
    assert_eq!(server.most_connections_of(&key), 1);
}

#[tokio::test]
async fn a_password_is_asked_for_and_checked() {
    let Some(python) = python() else { return };
    let server = telegram().await;
    let key = server.new_key(2);
    let more = json!({ "phone": "+15550002", "password": "harbour lights" });
    let told = Script::start(&python, SOURCE, "password", &key, &more)
        .line()
        .await;
    assert_eq!(told["needed"], "SessionPasswordNeededError");
    assert_eq!(told["hint"], "what the pier shows");
    assert_eq!(told["wrong"], "PasswordHashInvalidError");
    assert_eq!(told["me"]["first_name"], "Boris");
    assert_eq!(server.user_of(&key), Some(5_000_002));
}

#[tokio::test]
async fn a_scanned_code_logs_in_with_and_without_a_password() {
    let Some(python) = python() else { return };
    let server = telegram().await;
    for (phone, user) in [("+15550001", 5_000_001), ("+15550002", 5_000_002)] {
        let key = server.new_key(2);
        let mut script = Script::start(
            &python,
            SOURCE,
            "qr",
            &key,
            &json!({ "password": "harbour lights" }),
        );
        let shown = script.line().await;
        let url = shown["url"].as_str().unwrap();
        let token = url
            .strip_prefix("tg://login?token=")
            .unwrap()
            .trim_end_matches('=');
        server
            .accept_login(&URL_SAFE_NO_PAD.decode(token).unwrap(), phone)
            .unwrap();
        assert_eq!(script.line().await["me"]["id"], user);
        assert_eq!(server.user_of(&key), Some(user));
    }
}

#[tokio::test]
async fn a_session_file_holds_the_key_and_logs_in_with_it() {
    let Some(python) = python() else { return };
    let server = telegram().await;
    let key = server.logged_in_key("+15550001");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ada.session");
    let told = Script::start(&python, SOURCE, "file", &key, &json!({ "path": path }))
        .line()
        .await;
    assert_eq!(told["me"]["phone"], "15550001");
    assert_eq!(told["rows"], json!([[2, "127.0.0.1", key.address.port(), 256]]));
    assert!(path.is_file());
}

#[tokio::test]
async fn phones_are_refused_as_the_demo_says() {
    let Some(python) = python() else { return };
    let server = telegram().await;
    // The flood comes last: after it Telethon asks no more by itself.
    let phones = ["+15550003", "+15550999", "+12", "+15550004"];
    let key = server.new_key(2);
    let told = Script::start(&python, SOURCE, "refusals", &key, &json!({ "phones": phones }))
        .line()
        .await;
    let expected = json!({
        "+15550003": "PhoneNumberBannedError",
        "+15550004": "FloodWaitError 30",
        "+15550999": "PhoneNumberUnoccupiedError",
        "+12": "PhoneNumberInvalidError",
    });
    assert_eq!(told["found"], expected);
}

#[tokio::test]
async fn a_lost_key_says_how_it_was_lost() {
    let Some(python) = python() else { return };
    let server = telegram().await;
    let cases = [
        (KeyStanding::Good, json!({ "me": true })),
        (
            KeyStanding::Unregistered,
            json!({ "error": "AuthKeyUnregisteredError" }),
        ),
        (KeyStanding::Revoked, json!({ "error": "SessionRevokedError" })),
        (
            KeyStanding::AccountBanned,
            json!({ "error": "UserDeactivatedBanError" }),
        ),
        (
            KeyStanding::Duplicated,
            json!({ "error": "AuthKeyDuplicatedError" }),
        ),
        (KeyStanding::Unknown, json!({ "error": "AuthKeyNotFound" })),
    ];
    for (standing, expected) in cases {
        let key = server.logged_in_key("+15550001");
        server.set_standing(&key, standing);
        let told = Script::start(&python, SOURCE, "whoami", &key, &json!({}))
            .line()
            .await;
        assert_eq!(told, expected, "{standing:?}");
    }
}

#[tokio::test]
async fn dialogs_channels_and_messages_are_read() {
    let Some(python) = python() else { return };
    let world = World::new()
        .channel(
            ChannelSpec::new("pier", 11)
                .title("Pier 🔭")
                .description("Waves.")
                .posts(260),
        )
        .channel(ChannelSpec::new("talk", 12).standing(Standing::Group).posts(3))
        .channel(
            ChannelSpec::new("cellar", 13)
                .standing(Standing::Private)
                .posts(5),
        )
        .channel(ChannelSpec::new("gone", 14).standing(Standing::Banned).posts(5))
        .into_handle();
    let server = TelegramServer::start(world.clone()).await;
    let key = server.logged_in_key("+15550001");
    let more = json!({ "channel": "pier" });
    let told = Script::start(&python, SOURCE, "channels", &key, &more)
        .line()
        .await;
    let mut dialogs: Vec<_> = told["dialogs"].as_array().unwrap().clone();
    dialogs.sort_by_key(|dialog| dialog[0].as_i64());
    let expected = json!([
        [11, "Pier 🔭", "pier", false],
        [12, "talk", "talk", true],
        [13, "cellar", null, false]
    ]);
    assert_eq!(json!(dialogs), expected);
    assert_eq!(told["about"], "Waves.");
    let ids = world.live_ids("pier");
    assert_eq!(told["ascending"], json!(ids));
    let descending: Vec<_> = ids.iter().rev().collect();
    assert_eq!(told["descending"], json!(descending));
    for (id, text) in told["texts"].as_object().unwrap() {
        let truth = world.text("pier", id.parse().unwrap()).unwrap();
        assert_eq!(text, &json!(truth), "message {id}");
    }
}
