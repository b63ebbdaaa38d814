//! Logging in, importing and keeping sessions, against a simulated Telegram.

use std::time::Duration;

use chrono::TimeDelta;
use gleaner_app::view::{
    CreateSource, EditSession, EditTelegram, Finalize, ImportString, SendOtp, StartQr, TempPassword,
    TempStep, UploadSession, VerifyOtp,
};
use gleaner_app::{App, ExposeSecret as _};
use gleaner_domain::{Clock as _, Code, SessionHealth, SessionId, SystemClock};
use gleaner_testkit::FixedClock;
use gleaner_testkit::telegram::{KeyStanding, TelegramFault};
use uuid::Uuid;

use crate::telegram_app::{ADA, BANNED, BORIS, DANA, FLOODED, PASSWORD, TelegramApp};

fn otp(phone: &str, name: &str) -> SendOtp {
    SendOtp {
        phone_number: phone.to_owned(),
        session_name: name.to_owned(),
        session_id: None,
    }
}

fn answer(id: Uuid, code: &str, password: Option<&str>) -> VerifyOtp {
    VerifyOtp {
        temp_session_id: id,
        code: code.to_owned(),
        password: password.map(str::to_owned),
    }
}

async fn logged_in(app: &App, phone: &str, name: &str) -> SessionId {
    let id = app.send_otp(otp(phone, name)).await.unwrap().temp_session_id;
    assert!(
        !app.verify_otp(answer(id, "12345", None))
            .await
            .unwrap()
            .requires_password
    );
    app.finalize_session(Finalize { temp_session_id: id })
        .await
        .unwrap()
        .id
}

#[tokio::test]
async fn a_login_goes_from_phone_to_code_to_a_kept_session() {
    let t = TelegramApp::new().await;
    let sent = t.app.send_otp(otp(" +1 555-0001", "mine")).await.unwrap();
    assert_eq!(sent.message, "OTP sent to +15550001");
    let id = sent.temp_session_id;
    let early = t
        .app
        .finalize_session(Finalize { temp_session_id: id })
        .await
        .unwrap_err();
    assert_eq!(
        (early.code, &*early.detail),
        (Code::SessionNotVerified, "Session not verified yet")
    );
    let wrong = t.app.verify_otp(answer(id, "54321", None)).await.unwrap_err();
    assert_eq!(
        (wrong.code, &*wrong.detail),
        (Code::InvalidCode, "Invalid OTP code")
    );
    let verified = t.app.verify_otp(answer(id, "12345", None)).await.unwrap();
    assert_eq!(verified.message, "Authentication successful. Ready to finalize.");
    let kept = t
        .app
        .finalize_session(Finalize { temp_session_id: id })
        .await
        .unwrap();
    assert_eq!((&*kept.session_name, &*kept.phone_number), ("mine", "+15550001"));
    let over = t.app.get_temp_session(id).await.err().unwrap();
    assert_eq!(
        (over.code, &*over.detail),
        (Code::TempSessionNotFound, "Temp session not found")
    );
    let row = t.app.check_session(kept.id).await.unwrap();
    assert_eq!(row.health, SessionHealth::Active);
    assert_eq!(row.account.unwrap().username.as_deref(), Some("ada_keeper"));
}

#[tokio::test]
async fn a_password_is_asked_for_with_its_hint_and_may_be_wrong_first() {
    let t = TelegramApp::new().await;
    let id = t.app.send_otp(otp(BORIS, "b")).await.unwrap().temp_session_id;
    let asked = t.app.verify_otp(answer(id, "12345", None)).await.unwrap();
    assert_eq!(
        (asked.requires_password, &*asked.message),
        (true, "2FA password required")
    );
    let hint = t.app.get_temp_session(id).await.unwrap().password_hint;
    assert_eq!(hint.as_deref(), Some("what the pier shows"));
    let wrong = t
        .app
        .verify_otp(answer(id, "12345", Some("wrong")))
        .await
        .unwrap_err();
    assert_eq!(
        (wrong.code, &*wrong.detail),
        (Code::InvalidPassword, "Invalid password")
    );
    let right = t
        .app
        .verify_otp(answer(id, "12345", Some(PASSWORD)))
        .await
        .unwrap();
    assert!(!right.requires_password);
    assert_eq!(t.telegram.count("auth.signIn"), 1, "the code is sent once");
    t.app
        .finalize_session(Finalize { temp_session_id: id })
        .await
        .unwrap();
}

#[tokio::test]
async fn three_wrong_passwords_end_a_login() {
    let t = TelegramApp::new().await;
    let id = t.app.send_otp(otp(BORIS, "b")).await.unwrap().temp_session_id;
    for _ in 0..3 {
        let wrong = t
            .app
            .verify_otp(answer(id, "12345", Some("wrong")))
            .await
            .unwrap_err();
        assert_eq!(wrong.code, Code::InvalidPassword);
    }
    let over = t
        .app
        .verify_otp(answer(id, "12345", Some(PASSWORD)))
        .await
        .unwrap_err();
    assert_eq!(over.code, Code::TempSessionNotFound);
}

#[tokio::test]
async fn code_and_password_may_come_together() {
    let t = TelegramApp::new().await;
    let id = t.app.send_otp(otp(BORIS, "b")).await.unwrap().temp_session_id;
    let both = t
        .app
        .verify_otp(answer(id, "12345", Some(PASSWORD)))
        .await
        .unwrap();
    assert!(!both.requires_password);
}

#[tokio::test]
async fn what_telegram_refuses_is_said_in_the_contracts_words() {
    let t = TelegramApp::new().await;
    for (phone, code, detail) in [
        ("12345", Code::InvalidPhone, "Invalid phone number"),
        (BANNED, Code::PhoneBanned, "Invalid phone number"),
        (
            FLOODED,
            Code::FloodWait,
            "Too many attempts. Try again in 30 seconds",
        ),
    ] {
        let refused = t.app.send_otp(otp(phone, "x")).await.err().unwrap();
        assert_eq!((refused.code, &*refused.detail), (code, detail));
        assert!(
            refused.hint.is_some() || refused.retry_after_s == Some(30),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_login_on_another_data_centre_is_followed_there() {
    let t = TelegramApp::new().await;
    let id = logged_in(&t.app, DANA, "dana").await;
    let row = t.app.check_session(id).await.unwrap();
    assert_eq!((row.dc_id, row.health), (4, SessionHealth::Active));
}

#[tokio::test]
async fn a_login_in_progress_ends_after_five_minutes_and_nothing_of_it_stays() {
    let clock = FixedClock::at(SystemClock.now());
    let t = TelegramApp::on(&clock).await;
    let id = t.app.send_otp(otp(ADA, "mine")).await.unwrap().temp_session_id;
    clock.advance(TimeDelta::seconds(299));
    t.app.verify_otp(answer(id, "12345", None)).await.unwrap();
    clock.advance(TimeDelta::seconds(299));
    assert_eq!(t.app.get_temp_session(id).await.unwrap().step, TempStep::Ready);
    clock.advance(TimeDelta::seconds(2));
    let over = t
        .app
        .finalize_session(Finalize { temp_session_id: id })
        .await
        .unwrap_err();
    assert_eq!(over.code, Code::TempSessionNotFound);
    t.telegram.called("auth.logOut", 1).await;
    assert!(t.app.list_sessions().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_cancelled_login_is_logged_out_and_its_name_is_free_again() {
    let t = TelegramApp::new().await;
    let id = t.app.send_otp(otp(ADA, "mine")).await.unwrap().temp_session_id;
    t.app.verify_otp(answer(id, "12345", None)).await.unwrap();
    let taken = t.app.send_otp(otp(ADA, "MINE")).await.err().unwrap();
    assert_eq!(taken.code, Code::DuplicateSession);
    t.app.cancel_temp_session(id).await.unwrap();
    assert_eq!(t.telegram.count("auth.logOut"), 1);
    logged_in(&t.app, ADA, "mine").await;
}

#[tokio::test]
async fn quitting_logs_out_what_was_not_kept() {
    let t = TelegramApp::new().await;
    let id = t.app.send_otp(otp(ADA, "mine")).await.unwrap().temp_session_id;
    t.app.verify_otp(answer(id, "12345", None)).await.unwrap();
    t.app.shutdown().await;
    assert_eq!(t.telegram.count("auth.logOut"), 1);
}

#[tokio::test]
async fn a_qr_code_is_scanned_and_a_password_given_after_it() {
    let t = TelegramApp::new().await;
    for (phone, password) in [(ADA, None), (BORIS, Some(PASSWORD))] {
        let wish = StartQr {
            session_name: phone.to_owned(),
            session_id: None,
        };
        let shown = t.app.start_qr(wish).await.unwrap();
        let qr = shown.qr.unwrap();
        let early = Finalize {
            temp_session_id: shown.id,
        };
        let early = tokio::time::timeout(Duration::from_secs(5), t.app.finalize_session(early));
        let early = early.await.expect("nobody waits for the scan").unwrap_err();
        assert_eq!(early.code, Code::SessionNotVerified);
        assert!(qr.rows.len() >= 21 && qr.rows.iter().all(|row| row.len() == qr.rows.len()));
        t.telegram.accept_newest_login(phone).unwrap();
        let step = if password.is_some() {
            TempStep::Password
        } else {
            TempStep::Ready
        };
        t.until(shown.id, step).await;
        if let Some(password) = password {
            let wish = TempPassword {
                password: password.to_owned(),
            };
            assert_eq!(
                t.app.give_temp_password(shown.id, wish).await.unwrap().step,
                TempStep::Ready
            );
        }
        let wish = Finalize {
            temp_session_id: shown.id,
        };
        assert_eq!(t.app.finalize_session(wish).await.unwrap().phone_number, phone);
    }
}

#[tokio::test]
async fn a_session_in_use_is_not_deleted_and_its_sources_are_named() {
    let t = TelegramApp::new().await;
    let id = logged_in(&t.app, ADA, "mine").await;
    t.use_session(id, "Harbour", 1).await;
    t.use_session(id, "Lighthouse", 2).await;
    let refused = t.app.delete_session(id, true).await.unwrap_err();
    assert_eq!(
        (refused.code, &*refused.detail),
        (Code::InUse, "Session is used by: Harbour, Lighthouse")
    );
    assert_eq!(t.telegram.count("auth.logOut"), 0);
    t.delete_sources().await;
    let deleted = t.app.delete_session(id, true).await.unwrap();
    assert_eq!(deleted.message, "Session deleted successfully");
    assert_eq!(t.telegram.count("auth.logOut"), 1);
    let gone = t.app.delete_session(id, false).await.unwrap_err();
    assert_eq!(
        (gone.code, &*gone.detail),
        (Code::SessionNotFound, "Session not found")
    );
}

#[tokio::test]
async fn health_tells_dead_sessions_apart() {
    let t = TelegramApp::new().await;
    for (standing, health) in [
        (KeyStanding::Unregistered, SessionHealth::Unauthorised),
        (KeyStanding::Revoked, SessionHealth::Unauthorised),
        (KeyStanding::Unknown, SessionHealth::Unauthorised),
        (KeyStanding::Duplicated, SessionHealth::Duplicated),
        (KeyStanding::AccountBanned, SessionHealth::Banned),
    ] {
        let id = logged_in(&t.app, ADA, "mine").await;
        t.telegram.set_standing_of(ADA, standing);
        assert_eq!(
            t.app.check_session(id).await.unwrap().health,
            health,
            "{standing:?}"
        );
        t.app.delete_session(id, false).await.unwrap();
    }
}

#[tokio::test]
async fn logging_in_again_keeps_number_and_sources() {
    let t = TelegramApp::new().await;
    let id = logged_in(&t.app, ADA, "mine").await;
    t.use_session(id, "Harbour", 1).await;
    t.telegram.set_standing_of(ADA, KeyStanding::Revoked);
    let wish = SendOtp {
        session_id: Some(id),
        ..otp(ADA, "")
    };
    let temp = t.app.send_otp(wish).await.unwrap().temp_session_id;
    t.app.verify_otp(answer(temp, "12345", None)).await.unwrap();
    let again = t
        .app
        .finalize_session(Finalize {
            temp_session_id: temp,
        })
        .await
        .unwrap();
    assert_eq!((again.id, &*again.session_name), (id, "mine"));
    let row = t.app.check_session(id).await.unwrap();
    assert_eq!((row.health, row.sources.len()), (SessionHealth::Active, 1));
}

#[tokio::test]
async fn an_exported_file_and_string_come_back_in_as_the_same_login() {
    let t = TelegramApp::new().await;
    let id = logged_in(&t.app, ADA, "mine").await;
    let file = t.dir.path().join("out.session");
    t.app.export_session_file(id, &file).await.unwrap();
    let string = t.app.export_session_string(id).await.unwrap();
    let same = t.app.import_session_file(&file, "twin", "").await.unwrap_err();
    assert_eq!(
        (same.code, &*same.detail),
        (Code::DuplicateSession, "This login is kept already, as mine")
    );
    t.app.delete_session(id, false).await.unwrap();
    let row = t.app.import_session_file(&file, "", "").await.unwrap();
    assert_eq!(row.health, SessionHealth::Active);
    assert_eq!(row.phone_number, ADA);
    assert!(
        row.session_name.starts_with("Ada"),
        "named by its account: {}",
        row.session_name
    );
    assert!(
        row.foreign_address.is_some(),
        "the simulated server is not Telegram's"
    );
    t.app.delete_session(row.id, false).await.unwrap();
    let wish = ImportString {
        session_name: "from a string".to_owned(),
        phone_number: BORIS.to_owned(),
        session_string: string.expose_secret().to_owned(),
    };
    let row = t.app.import_session_string(wish).await.unwrap();
    assert_eq!(row.phone_number, BORIS, "what was posted stays");
    assert_eq!(row.warnings, [format!("The account's own number is {ADA}")]);
}

#[tokio::test]
async fn a_file_that_is_no_session_says_why_and_a_dead_one_is_refused() {
    let t = TelegramApp::new().await;
    let upload = |file: &'static [u8]| UploadSession {
        session_name: "x".to_owned(),
        phone_number: String::new(),
        file: file.into(),
    };
    let refused = t.app.upload_session(upload(b"hello")).await.unwrap_err();
    assert_eq!(refused.code, Code::NotASession);
    assert!(refused.detail.len() > 20, "{}", refused.detail);
    let id = logged_in(&t.app, ADA, "mine").await;
    let file = t.dir.path().join("dead.session");
    t.app.export_session_file(id, &file).await.unwrap();
    t.app.delete_session(id, true).await.unwrap();
    let dead = t.app.import_session_file(&file, "dead", "").await.unwrap_err();
    assert_eq!(
        (dead.code, &*dead.detail),
        (Code::SessionDead, "Session is no longer valid")
    );
    assert!(t.app.list_sessions().await.unwrap().is_empty());
}

#[tokio::test]
async fn nobody_to_ask_is_no_obstacle_to_an_import() {
    let t = TelegramApp::new().await;
    let id = logged_in(&t.app, ADA, "mine").await;
    let file = t.dir.path().join("s.session");
    t.app.export_session_file(id, &file).await.unwrap();
    let other = TelegramApp::without_api().await;
    let row = other.app.import_session_file(&file, "later", "").await.unwrap();
    assert_eq!((row.health, row.checked_at), (SessionHealth::Unchecked, None));
    let asked = other.app.check_session(row.id).await.unwrap_err();
    assert_eq!(
        (asked.code, &*asked.detail),
        (Code::ApiNotSet, "Telegram API id and hash are not set")
    );
    let login = other.app.send_otp(otp(ADA, "y")).await.err().unwrap();
    assert_eq!(login.code, Code::ApiNotSet);
    let edit = EditTelegram {
        api_id: Some(1),
        api_hash: Some("0123456789abcdef0123456789ABCDEF".to_owned()),
        proxy: None,
    };
    assert!(other.app.edit_telegram_settings(edit).await.unwrap().api_hash_set);
    assert_eq!(
        other.app.check_session(row.id).await.unwrap().health,
        SessionHealth::Active
    );
}

#[tokio::test]
async fn names_differ_by_more_than_the_case_of_letters() {
    let t = TelegramApp::new().await;
    let id = logged_in(&t.app, ADA, "Mine").await;
    let taken = t.app.send_otp(otp(BORIS, "mINE")).await.err().unwrap();
    assert_eq!(
        (taken.code, &*taken.detail),
        (Code::DuplicateSession, "Mine is the name of another session")
    );
    let edit = EditSession {
        session_name: "mine".to_owned(),
    };
    assert_eq!(t.app.edit_session(id, edit).await.unwrap().session_name, "mine");
}

#[tokio::test]
async fn a_lost_answer_ends_in_time_and_the_login_can_go_on() {
    let t = TelegramApp::new().await;
    let id = t.app.send_otp(otp(ADA, "mine")).await.unwrap().temp_session_id;
    t.telegram.faults().add(TelegramFault::flood("auth.signIn", 7));
    let wait = t.app.verify_otp(answer(id, "12345", None)).await.unwrap_err();
    assert_eq!((wait.code, wait.retry_after_s), (Code::FloodWait, Some(7)));
    assert!(
        !t.app
            .verify_otp(answer(id, "12345", None))
            .await
            .unwrap()
            .requires_password
    );
}

#[tokio::test]
async fn one_key_never_has_two_main_connections() {
    let t = TelegramApp::new().await;
    let id = logged_in(&t.app, ADA, "mine").await;
    let (a, b, c) = tokio::join!(
        t.app.check_session(id),
        t.app.check_session(id),
        t.app.check_session(id)
    );
    assert!([&a, &b, &c].iter().any(|one| one.is_ok()));
    for refused in [a, b, c].into_iter().filter_map(Result::err) {
        assert_eq!(refused.code, Code::AlreadyRunning);
    }
    assert!(t.telegram.open_connections() <= 1);
}

#[tokio::test]
async fn a_private_source_takes_a_session_that_exists() {
    let t = TelegramApp::new().await;
    let wish = |session_ref| CreateSource {
        name: "Private".to_owned(),
        identifier: "@private_channel".to_owned(),
        access_level: "private".to_owned(),
        target: "LOCAL".to_owned(),
        session_ref,
        ..CreateSource::default()
    };
    let unknown = t.app.create_source(wish(Some(7))).await.unwrap_err();
    assert_eq!(
        (unknown.code, &*unknown.detail),
        (Code::SessionNotFound, "Session not found")
    );
    let none = t.app.create_source(wish(None)).await.unwrap_err();
    assert_eq!(none.code, Code::SessionRequired);
}

#[tokio::test]
async fn the_world_goes_by_the_clock_it_was_given() {
    let clock = FixedClock::at(SystemClock.now());
    let t = TelegramApp::on(&clock).await;
    let sent = t.app.send_otp(otp(ADA, "mine")).await.unwrap();
    let temp = t.app.get_temp_session(sent.temp_session_id).await.unwrap();
    assert_eq!(temp.expires_at - clock.now(), TimeDelta::minutes(5));
}
