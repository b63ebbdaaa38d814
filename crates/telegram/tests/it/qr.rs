//! Logging in by QR code.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gleaner_domain::SystemClock;
use gleaner_telegram::{QrLogin, QrStep, check};
use gleaner_testkit::telegram::{Mishap, TelegramFault, TelegramOptions};
use secrecy::ExposeSecret as _;

use crate::desk::{ADA, BORIS, BORIS_PASSWORD, DANA, Desk, in_time};

async fn start(desk: &Desk) -> QrLogin {
    QrLogin::start(desk.connector.clone(), Arc::new(SystemClock))
        .await
        .expect("there is a data centre")
}

/// The token another device reads off the screen.
async fn shown(login: &mut QrLogin) -> Vec<u8> {
    match login.next().await.expect("a step") {
        QrStep::Show { url, expires_in_s } => {
            assert!((1..=30).contains(&expires_in_s), "{expires_in_s}");
            let token = url.expose_secret().strip_prefix("tg://login?token=");
            let token = token.expect("the address apps scan");
            URL_SAFE_NO_PAD.decode(token).expect("base64")
        }
        other => panic!("no code is shown but {other:?}"),
    }
}

async fn done(login: &mut QrLogin) -> i64 {
    match login.next().await.expect("a step") {
        QrStep::Done(account) => account.user_id,
        other => panic!("not logged in but {other:?}"),
    }
}

#[tokio::test]
async fn a_scanned_code_logs_in_as_soon_as_it_is_accepted() {
    in_time(async {
        let desk = Desk::open().await;
        let mut login = start(&desk).await;
        let token = shown(&mut login).await;
        assert!(login.keys().is_none());
        desk.server.accept_login(&token, ADA).unwrap();
        assert_eq!(done(&mut login).await, 5_000_001);
        assert_eq!(done(&mut login).await, 5_000_001);
        assert_eq!(desk.server.count("auth.exportLoginToken"), 2);
        let keys = login.finish().await.unwrap();
        assert_eq!((keys.dc_id, keys.user_id), (2, Some(5_000_001)));
        desk.tidy().await;
    })
    .await;
}

#[tokio::test]
async fn a_code_is_replaced_before_it_expires() {
    in_time(async {
        let desk = Desk::open_with(TelegramOptions {
            login_token_ttl_s: 2,
            ..TelegramOptions::default()
        })
        .await;
        let mut login = start(&desk).await;
        let first = shown(&mut login).await;
        let second = shown(&mut login).await;
        assert_ne!(first, second);
        desk.server.accept_login(&second, ADA).unwrap();
        assert_eq!(done(&mut login).await, 5_000_001);
    })
    .await;
}

#[tokio::test]
async fn a_password_is_asked_for_after_the_scan() {
    in_time(async {
        let desk = Desk::open().await;
        let mut login = start(&desk).await;
        let token = shown(&mut login).await;
        desk.server.accept_login(&token, BORIS).unwrap();
        for _ in 0..2 {
            match login.next().await.unwrap() {
                QrStep::PasswordNeeded { hint } => assert_eq!(hint.as_deref(), Some("what the pier shows")),
                other => panic!("no password is wanted but {other:?}"),
            }
        }
        login.check_password(&"wrong".into()).await.unwrap_err();
        let account = login.check_password(&BORIS_PASSWORD.into()).await.unwrap();
        assert_eq!(account.user_id, 5_000_002);
        assert_eq!(done(&mut login).await, 5_000_002);
    })
    .await;
}

#[tokio::test]
async fn an_account_of_another_data_centre_is_followed_there() {
    in_time(async {
        let desk = Desk::open().await;
        let mut login = start(&desk).await;
        let token = shown(&mut login).await;
        desk.server.accept_login(&token, DANA).unwrap();
        done(&mut login).await;
        let keys = login.finish().await.unwrap();
        assert_eq!((keys.dc_id, keys.address), (4, desk.server.address(4)));
        desk.tidy().await;
        check(&desk.connector, &keys).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn news_that_came_while_the_connection_was_down_is_found() {
    in_time(async {
        let desk = Desk::open().await;
        let mut login = start(&desk).await;
        let token = shown(&mut login).await;
        desk.server.drop_connections();
        desk.server.gone(&desk.newest()).await;
        desk.server.accept_login(&token, ADA).unwrap();
        assert_eq!(done(&mut login).await, 5_000_001);
        login.finish().await;
        desk.tidy().await;
    })
    .await;
}

#[tokio::test]
async fn a_success_whose_answer_is_lost_is_found() {
    in_time(async {
        let desk = Desk::open().await;
        let mut login = start(&desk).await;
        let token = shown(&mut login).await;
        let lost = TelegramFault::on("auth.exportLoginToken", Mishap::LoseAnswer);
        desk.server.faults().add(lost);
        desk.server.accept_login(&token, ADA).unwrap();
        assert_eq!(done(&mut login).await, 5_000_001);
        assert_eq!(desk.server.count("auth.exportLoginToken"), 2);
    })
    .await;
}

#[tokio::test]
async fn giving_up_logs_out_what_was_logged_in() {
    in_time(async {
        let desk = Desk::open().await;
        let mut login = start(&desk).await;
        let token = shown(&mut login).await;
        desk.server.accept_login(&token, ADA).unwrap();
        done(&mut login).await;
        assert_eq!(desk.server.user_of(&desk.newest()), Some(5_000_001));
        login.cancel().await;
        assert_eq!(desk.server.user_of(&desk.newest()), None);
        desk.tidy().await;
    })
    .await;
}
