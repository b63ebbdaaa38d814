//! Phone, code, password.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use gleaner_telegram::{
    AuthKey, Centre, Connector, DataCentres, Delivery, Login, LoginError, NextDelivery, Step, Unreachable,
    check,
};
use gleaner_testkit::telegram::{Mishap, TelegramFault, TelegramOptions};
use rstest::rstest;

use crate::desk::{ADA, BANNED, BORIS, BORIS_PASSWORD, CODE, DANA, Desk, FLOODED, in_time};

fn done(step: Step) -> i64 {
    match step {
        Step::Done(account) => account.user_id,
        Step::PasswordNeeded { .. } => panic!("no password is expected here"),
    }
}

/// Why a login does not even start.
async fn refused(connector: Connector, phone: &str) -> LoginError {
    match Login::start(connector, phone).await {
        Ok(_) => panic!("{phone} got a code"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_wrong_code_may_be_followed_by_the_right_one() {
    in_time(async {
        let desk = Desk::open().await;
        let (mut login, sent) = Login::start(desk.connector.clone(), "+1 (555) 000-1")
            .await
            .unwrap();
        assert_eq!(sent.delivery, Delivery::App);
        assert_eq!((sent.length, sent.resend_after_s), (Some(5), Some(60)));
        assert_eq!(sent.next, Some(NextDelivery::Sms));
        assert!(login.keys().is_none());

        assert_eq!(login.sign_in("54321").await, Err(LoginError::CodeInvalid));
        assert_eq!(login.sign_in(" ").await, Err(LoginError::CodeInvalid));
        let Step::Done(account) = login.sign_in("123 45").await.unwrap() else {
            panic!("there is no password");
        };
        assert_eq!(account.user_id, 5_000_001);
        assert_eq!(account.username.as_deref(), Some("ada_keeper"));
        assert_eq!(account.phone.as_deref(), Some("15550001"));
        assert!(!account.is_bot);

        let keys = login.keys().unwrap();
        assert_eq!(keys.auth_key.bytes(), &desk.newest().auth_key);
        assert_eq!((keys.dc_id, keys.user_id), (2, Some(5_000_001)));
        assert_eq!(keys.address, desk.server.address(2));
        let kept = login.finish().await.unwrap();
        desk.server.gone(&desk.newest()).await;
        assert_eq!(check(&desk.connector, &kept).await.unwrap(), account);
        desk.tidy().await;

        let said = desk.server.calls();
        let first = said.iter().find(|call| call.api_id.is_some()).unwrap();
        assert_eq!(first.api_id, Some(4242));
        assert_eq!(first.device_model.as_deref(), Some("Test bench"));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_password_may_be_followed_by_the_right_one() {
    in_time(async {
        let desk = Desk::open().await;
        let mut login = desk.login(BORIS).await;
        let early = login.check_password(&BORIS_PASSWORD.into()).await;
        assert_eq!(early.unwrap_err(), LoginError::OutOfTurn);
        let needed = Step::PasswordNeeded {
            hint: Some("what the pier shows".into()),
        };
        assert_eq!(login.sign_in(CODE).await.as_ref(), Ok(&needed));
        // Whatever is typed now: the code is spent, and Telegram is not asked again.
        assert_eq!(login.sign_in("00000").await.as_ref(), Ok(&needed));
        assert_eq!(desk.server.count("auth.signIn"), 1);
        assert_eq!(login.resend().await, Err(LoginError::OutOfTurn));
        assert!(login.keys().is_none());

        let wrong = login.check_password(&"harbour light".into()).await;
        assert_eq!(wrong.unwrap_err(), LoginError::PasswordInvalid);
        let account = login.check_password(&BORIS_PASSWORD.into()).await.unwrap();
        assert_eq!(account.user_id, 5_000_002);
        // Said twice, it is not asked twice.
        assert_eq!(login.check_password(&"x".into()).await.unwrap(), account);
        assert_eq!(desk.server.count("auth.checkPassword"), 2);
        assert_eq!(login.finish().await.unwrap().user_id, Some(5_000_002));
        desk.tidy().await;
    })
    .await;
}

#[tokio::test]
async fn a_stale_challenge_is_taken_again_silently() {
    in_time(async {
        let desk = Desk::open().await;
        let mut login = desk.login(BORIS).await;
        login.sign_in(CODE).await.unwrap();
        let stale = Mishap::Error(400, "SRP_ID_INVALID".into());
        desk.server
            .faults()
            .add(TelegramFault::on("auth.checkPassword", stale));
        let account = login.check_password(&BORIS_PASSWORD.into()).await.unwrap();
        assert_eq!(account.user_id, 5_000_002);
        assert_eq!(desk.server.count("auth.checkPassword"), 2);
    })
    .await;
}

#[rstest]
#[case(BANNED, LoginError::PhoneBanned)]
#[case(FLOODED, LoginError::FloodWait { seconds: 30 })]
#[case("+1 555 nobody", LoginError::PhoneInvalid)]
#[case("12", LoginError::PhoneInvalid)]
#[tokio::test]
async fn numbers_that_get_no_code(#[case] phone: &str, #[case] why: LoginError) {
    in_time(async {
        let desk = Desk::open().await;
        assert_eq!(refused(desk.connector.clone(), phone).await, why);
        desk.tidy().await;
    })
    .await;
}

#[tokio::test]
async fn a_number_without_an_account_is_told_after_its_code() {
    in_time(async {
        let desk = Desk::open().await;
        let mut login = desk.login("+15550099").await;
        assert_eq!(login.sign_in(CODE).await, Err(LoginError::NoAccount));
    })
    .await;
}

#[tokio::test]
async fn another_applications_id_is_refused() {
    in_time(async {
        let desk = Desk::open_with(TelegramOptions {
            api: Some((1, "another".into())),
            ..TelegramOptions::default()
        })
        .await;
        let why = refused(desk.connector.clone(), ADA).await;
        assert_eq!(why, LoginError::ApiInvalid);
    })
    .await;
}

#[tokio::test]
async fn a_flood_wait_is_told_at_once_and_the_login_goes_on() {
    in_time(async {
        let desk = Desk::open().await;
        let mut login = desk.login(ADA).await;
        desk.server.faults().add(TelegramFault::flood("auth.signIn", 31));
        let flood = LoginError::FloodWait { seconds: 31 };
        assert_eq!(login.sign_in(CODE).await, Err(flood));
        assert_eq!(desk.server.count("auth.signIn"), 1);
        assert_eq!(done(login.sign_in(CODE).await.unwrap()), 5_000_001);
    })
    .await;
}

#[tokio::test]
async fn an_account_of_another_data_centre_is_followed_there() {
    in_time(async {
        let desk = Desk::open().await;
        let mut login = desk.login(DANA).await;
        done(login.sign_in(CODE).await.unwrap());
        let keys = login.finish().await.unwrap();
        assert_eq!((keys.dc_id, keys.address), (4, desk.server.address(4)));
        let dcs: Vec<i32> = desk.minted().iter().map(|key| key.dc_id).collect();
        assert_eq!(dcs, [2, 4]);
        desk.tidy().await;
        check(&desk.connector, &keys).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_code_goes_other_ways_until_there_is_none() {
    in_time(async {
        let desk = Desk::open().await;
        let mut login = desk.login(ADA).await;
        assert_eq!(login.resend().await.unwrap().delivery, Delivery::Sms);
        let last = login.resend().await.unwrap();
        assert_eq!((&last.delivery, &last.next), (&Delivery::Call, &None));
        assert_eq!(login.code_sent(), &last);
        assert_eq!(login.resend().await, Err(LoginError::NoFurtherCode));
        done(login.sign_in(CODE).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_code_that_is_too_old_is_called_so() {
    in_time(async {
        let desk = Desk::open().await;
        let mut login = desk.login(ADA).await;
        desk.server.expire_logins();
        assert_eq!(login.sign_in(CODE).await, Err(LoginError::CodeExpired));
    })
    .await;
}

#[rstest]
#[case(Mishap::Drop)]
#[case(Mishap::LoseAnswer)]
#[tokio::test]
async fn a_connection_that_breaks_during_a_step_is_made_again(#[case] mishap: Mishap) {
    in_time(async {
        let desk = Desk::open().await;
        let faults = desk.server.faults();
        for method in [
            "auth.sendCode",
            "auth.signIn",
            "account.getPassword",
            "auth.checkPassword",
        ] {
            faults.add(TelegramFault::on(method, mishap.clone()));
        }
        let mut login = desk.login(BORIS).await;
        let step = login.sign_in(CODE).await.unwrap();
        assert!(matches!(step, Step::PasswordNeeded { .. }));
        let account = login.check_password(&BORIS_PASSWORD.into()).await.unwrap();
        assert_eq!(account.user_id, 5_000_002);
        assert_eq!(faults.struck(), 4);

        desk.server.drop_connections();
        login.finish().await.unwrap();
        desk.tidy().await;
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_whose_answer_is_lost_is_not_sent_twice() {
    in_time(async {
        let desk = Desk::open().await;
        let mut login = desk.login(ADA).await;
        desk.server
            .faults()
            .add(TelegramFault::on("auth.signIn", Mishap::LoseAnswer));
        assert_eq!(done(login.sign_in(CODE).await.unwrap()), 5_000_001);
        assert_eq!(desk.server.count("auth.signIn"), 1);
    })
    .await;
}

#[tokio::test]
async fn silence_ends_in_time_and_the_next_try_gets_through() {
    in_time(async {
        let desk = Desk::open().await;
        let faults = desk.server.faults();
        faults.add(TelegramFault::swallow("auth.sendCode"));
        let (mut login, _) = Login::start(desk.hasty(), ADA).await.unwrap();
        assert_eq!(desk.server.count("auth.sendCode"), 2);

        for nth in 1..=9 {
            faults.add(TelegramFault::swallow("auth.signIn").nth(nth));
            faults.add(TelegramFault::swallow("users.getUsers").nth(nth));
        }
        let start = Instant::now();
        let silent = login.sign_in(CODE).await;
        assert_eq!(silent, Err(LoginError::Unreachable(Unreachable::Timeout)));
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        faults.clear();
        done(login.sign_in(CODE).await.unwrap());
        login.finish().await;
        desk.tidy().await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    in_time(async {
        let desk = Desk::open().await;
        let connector = Connector {
            centres: Arc::new(Nowhere),
            ..desk.hasty()
        };
        let why = refused(connector, ADA).await;
        assert_eq!(why, LoginError::Unreachable(Unreachable::Connection));
    })
    .await;
}

/// A data centre at an address where nobody listens.
#[derive(Debug)]
struct Nowhere;

impl DataCentres for Nowhere {
    fn first(&self) -> i32 {
        2
    }

    fn find(&self, _: i32) -> BoxFuture<'_, Option<Centre>> {
        let centre = Centre {
            address: ([127, 0, 0, 1], 9).into(),
            auth_key: Some(AuthKey::parse(&[7; 256]).expect("256 bytes")),
        };
        Box::pin(std::future::ready(Some(centre)))
    }
}

#[tokio::test]
async fn trouble_of_telegrams_is_waited_out() {
    in_time(async {
        let desk = Desk::open().await;
        let faults = desk.server.faults();
        let trouble = Mishap::Error(500, "RPC_CALL_FAIL".into());
        let restart = Mishap::Error(500, "AUTH_RESTART".into());
        faults.add(TelegramFault::on("auth.sendCode", trouble));
        faults.add(TelegramFault::on("auth.sendCode", restart.clone()));
        desk.login(ADA).await;
        assert_eq!(desk.server.count("auth.sendCode"), 3);

        desk.server.reset_calls();
        for _ in 0..3 {
            faults.add(TelegramFault::on("auth.sendCode", restart.clone()));
        }
        let why = refused(desk.connector.clone(), ADA).await;
        assert_eq!(why.to_string(), "Telegram refused: AUTH_RESTART (500)");
        assert_eq!(desk.server.count("auth.sendCode"), 3);
    })
    .await;
}

#[tokio::test]
async fn giving_up_leaves_nothing_behind() {
    in_time(async {
        let desk = Desk::open().await;
        desk.login(ADA).await.cancel().await;
        assert_eq!(desk.server.count("auth.cancelCode"), 1);
        assert_eq!(desk.server.count("auth.logOut"), 0);

        let mut login = desk.login(ADA).await;
        login.sign_in(CODE).await.unwrap();
        let key = desk.newest();
        assert_eq!(desk.server.user_of(&key), Some(5_000_001));
        login.cancel().await;
        assert_eq!(desk.server.user_of(&key), None);

        let mut login = desk.login(ADA).await;
        login.sign_in(CODE).await.unwrap();
        login.log_out().await.unwrap();
        assert_eq!(desk.server.user_of(&desk.newest()), None);
        desk.tidy().await;
    })
    .await;
}

#[tokio::test]
async fn a_login_that_is_dropped_hangs_up() {
    in_time(async {
        let desk = Desk::open().await;
        let login = desk.login(ADA).await;
        drop(login);
        desk.tidy().await;
    })
    .await;
}
