//! Looking after sessions that are kept.

use std::time::{Duration, Instant};

use gleaner_telegram::{CheckError, Dead, Health, Unreachable, check, log_out};
use gleaner_testkit::telegram::{KeyStanding, Mishap, TelegramFault};
use rstest::rstest;

use crate::desk::{ADA, Desk, in_time, keys_of};

#[tokio::test]
async fn a_session_that_holds_names_its_account() {
    in_time(async {
        let desk = Desk::open().await;
        let key = desk.server.logged_in_key(ADA);
        let account = check(&desk.connector, &keys_of(&key)).await.unwrap();
        assert_eq!((account.user_id, account.is_bot), (5_000_001, false));
        assert_eq!(account.first_name, "Ada");
        desk.server.gone(&key).await;
        assert_eq!(desk.server.most_connections_of(&key), 1);
        assert_eq!(desk.server.calls().len(), 1);
    })
    .await;
}

#[rstest]
#[case(KeyStanding::Unregistered, Dead::Unauthorised, Health::Unauthorised)]
#[case(KeyStanding::Revoked, Dead::Revoked, Health::Unauthorised)]
#[case(KeyStanding::Duplicated, Dead::Duplicated, Health::Duplicated)]
#[case(KeyStanding::AccountBanned, Dead::Banned, Health::Banned)]
#[case(KeyStanding::Unknown, Dead::KeyUnknown, Health::Unauthorised)]
#[tokio::test]
async fn a_session_that_is_over_says_why(
    #[case] standing: KeyStanding,
    #[case] why: Dead,
    #[case] health: Health,
) {
    in_time(async {
        let desk = Desk::open().await;
        let key = desk.server.logged_in_key(ADA);
        desk.server.set_standing(&key, standing);
        let error = check(&desk.connector, &keys_of(&key)).await.unwrap_err();
        assert_eq!(error, CheckError::Dead(why));
        assert_eq!(error.health(), health);
        // One question, and above all no negotiation of another key.
        assert!(desk.server.calls().len() <= 1);
        assert!(desk.server.most_connections_of(&key) <= 1);
        // Ending it is done, then.
        log_out(&desk.connector, &keys_of(&key)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_key_nobody_logged_in_with_is_unauthorised() {
    in_time(async {
        let desk = Desk::open().await;
        let error = check(&desk.connector, &keys_of(&desk.server.new_key(2))).await;
        assert_eq!(error, Err(CheckError::Dead(Dead::Unauthorised)));
    })
    .await;
}

#[tokio::test]
async fn a_flood_wait_leaves_it_unchecked() {
    in_time(async {
        let desk = Desk::open().await;
        let keys = keys_of(&desk.server.logged_in_key(ADA));
        desk.server
            .faults()
            .add(TelegramFault::flood("users.getUsers", 77));
        let error = check(&desk.connector, &keys).await.unwrap_err();
        assert_eq!(error, CheckError::FloodWait { seconds: 77 });
        assert_eq!(error.health(), Health::Unchecked);
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again_one_at_a_time() {
    in_time(async {
        let desk = Desk::open().await;
        let key = desk.server.logged_in_key(ADA);
        for _ in 0..2 {
            let fault = TelegramFault::on("users.getUsers", Mishap::LoseAnswer);
            desk.server.faults().add(fault);
        }
        check(&desk.connector, &keys_of(&key)).await.unwrap();
        assert_eq!(desk.server.count("users.getUsers"), 3);
        desk.server.gone(&key).await;
        assert_eq!(desk.server.most_connections_of(&key), 1);
    })
    .await;
}

#[tokio::test]
async fn silence_ends_in_time() {
    in_time(async {
        let desk = Desk::open().await;
        let key = desk.server.logged_in_key(ADA);
        for _ in 0..3 {
            desk.server.faults().add(TelegramFault::swallow("users.getUsers"));
        }
        let start = Instant::now();
        let error = check(&desk.hasty(), &keys_of(&key)).await.unwrap_err();
        assert_eq!(error, CheckError::Unreachable(Unreachable::Timeout));
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        desk.server.gone(&key).await;
    })
    .await;
}

#[tokio::test]
async fn a_session_is_ended_at_telegram() {
    in_time(async {
        let desk = Desk::open().await;
        let key = desk.server.logged_in_key(ADA);
        log_out(&desk.connector, &keys_of(&key)).await.unwrap();
        assert_eq!(desk.server.user_of(&key), None);
        let error = check(&desk.connector, &keys_of(&key)).await;
        assert_eq!(error, Err(CheckError::Dead(Dead::Unauthorised)));
    })
    .await;
}
