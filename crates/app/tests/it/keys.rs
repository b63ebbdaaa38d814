//! The key that sessions are sealed with: founded once, checked always, rotated without a gap.

use gleaner_app::view::{KeyState, SendOtp};
use gleaner_app::{App, ExposeSecret as _, SecretString};
use gleaner_domain::{Code, SessionHealth};
use gleaner_testkit::telegram::LoginKey;
use gleaner_vault::KeyringError;

use crate::telegram_app::{ADA, TelegramApp};

const PASSPHRASE: &str = "a long passphrase";

/// A session of its own login, by way of a file.
async fn import(t: &TelegramApp, name: &str) -> LoginKey {
    let key = t.telegram.logged_in_key(ADA);
    let string = telethon_string(&key);
    let wish = gleaner_app::view::ImportString {
        session_name: name.to_owned(),
        phone_number: String::new(),
        session_string: string,
    };
    t.app.import_session_string(wish).await.unwrap();
    key
}

fn telethon_string(key: &LoginKey) -> String {
    let keys = gleaner_telegram::SessionKeys {
        dc_id: key.dc_id,
        address: key.address,
        auth_key: gleaner_telegram::AuthKey::parse(&key.auth_key).unwrap(),
        user_id: None,
    };
    let string = gleaner_telegram::export::telethon_string(&keys).unwrap();
    string.expose_secret().to_owned()
}

async fn all_open(app: &App) -> usize {
    let rows = app.list_session_rows().await.unwrap();
    for row in &rows {
        app.export_session_string(row.id).await.unwrap();
    }
    rows.len()
}

#[tokio::test]
async fn the_first_session_makes_the_key_and_the_next_start_finds_it() {
    let t = TelegramApp::new().await;
    assert_eq!(t.app.key_status().await.unwrap().state, KeyState::None);
    import(&t, "one").await;
    let status = t.app.key_status().await.unwrap();
    assert_eq!((status.state, status.recovery_saved), (KeyState::Ready, false));
    let again = t.second().await;
    assert_eq!(again.key_status().await.unwrap().kid, status.kid);
    assert_eq!(all_open(&again).await, 1);
}

#[tokio::test]
async fn two_first_runs_at_once_end_with_one_key() {
    for _ in 0..5 {
        let t = TelegramApp::new().await;
        let other = t.second().await;
        let (a, b) = tokio::join!(
            t.app.export_key(SecretString::from(PASSPHRASE)),
            other.export_key(SecretString::from(PASSPHRASE))
        );
        a.unwrap();
        b.unwrap();
        t.app.retry_key().await.unwrap();
        assert_eq!(t.app.key_status().await.unwrap().state, KeyState::Ready);
        assert_eq!(
            t.app.key_status().await.unwrap().kid,
            other.key_status().await.unwrap().kid
        );
    }
}

#[tokio::test]
async fn each_state_of_the_keyring_is_told_and_nothing_is_changed() {
    let t = TelegramApp::new().await;
    import(&t, "one").await;
    let before = t.store().await.keys().await.unwrap();
    for (failure, state, code) in [
        (Some(KeyringError::Locked), KeyState::Locked, Code::KeyringLocked),
        (
            Some(KeyringError::Absent("no service".to_owned())),
            KeyState::Absent,
            Code::KeyringAbsent,
        ),
    ] {
        t.keyring.fail(failure);
        let status = t.app.retry_key().await.unwrap();
        assert_eq!(status.state, state);
        assert!(status.hint.is_some(), "{status:?}");
        let wish = SendOtp {
            phone_number: ADA.to_owned(),
            session_name: "two".to_owned(),
            session_id: None,
        };
        assert_eq!(t.app.send_otp(wish).await.err().unwrap().code, code);
        t.keyring.fail(None);
        assert_eq!(t.app.retry_key().await.unwrap().state, KeyState::Ready);
    }
    assert_eq!(t.store().await.keys().await.unwrap(), before);
    assert_eq!(all_open(&t.app).await, 1);
}

#[tokio::test]
async fn a_gone_key_comes_back_from_the_recovery_file_and_a_wrong_one_changes_nothing() {
    let t = TelegramApp::new().await;
    import(&t, "one").await;
    let file = t.app.export_key(SecretString::from(PASSPHRASE)).await.unwrap();
    t.app.recovery_was_saved().await.unwrap();
    assert!(t.app.key_status().await.unwrap().recovery_saved);
    let foreign = TelegramApp::new().await;
    let other = foreign
        .app
        .export_key(SecretString::from(PASSPHRASE))
        .await
        .unwrap();
    let sealed = t.store().await.sessions_sealed_otherwise("", 10).await.unwrap();

    t.forget_keys().await;
    let gone = t.app.retry_key().await.unwrap();
    assert_eq!(gone.state, KeyState::Gone);
    let refused = t
        .app
        .import_key(other, SecretString::from(PASSPHRASE))
        .await
        .unwrap_err();
    assert_eq!(refused.code, Code::KeyWrong);
    let short = t
        .app
        .import_key(file.clone(), SecretString::from("another passphrase"))
        .await;
    assert_eq!(short.unwrap_err().code, Code::InvalidInput);
    assert_eq!(t.app.retry_key().await.unwrap().state, KeyState::Gone);
    let back = t
        .app
        .import_key(file, SecretString::from(PASSPHRASE))
        .await
        .unwrap();
    assert_eq!(back.state, KeyState::Ready);
    assert_eq!(
        t.store().await.sessions_sealed_otherwise("", 10).await.unwrap(),
        sealed
    );
    assert_eq!(all_open(&t.app).await, 1);
}

#[tokio::test]
async fn a_rotation_seals_everything_anew_and_other_processes_follow() {
    let t = TelegramApp::new().await;
    for name in ["one", "two", "three"] {
        import(&t, name).await;
    }
    let other = t.second().await;
    assert_eq!(all_open(&other).await, 3);
    let before = t.app.key_status().await.unwrap().kid.unwrap();
    let report = t.app.rotate_key().await.unwrap();
    assert_eq!(report.resealed, 3);
    assert_ne!(report.kid, before);
    assert_eq!(all_open(&t.app).await, 3);
    assert_eq!(all_open(&other).await, 3);
    let left = t
        .store()
        .await
        .sessions_sealed_otherwise(&report.kid, 10)
        .await
        .unwrap();
    assert!(left.is_empty());
    // A late process seals with the new key, too.
    let wish = gleaner_app::view::ImportString {
        session_name: "four".to_owned(),
        phone_number: String::new(),
        session_string: telethon_string(&t.telegram.logged_in_key(ADA)),
    };
    let row = other.import_session_string(wish).await.unwrap();
    assert_eq!(row.health, SessionHealth::Active);
    assert_eq!(all_open(&t.app).await, 4);
}
