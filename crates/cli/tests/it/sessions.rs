//! `gleaner session` and the files of `gleaner key`, against a simulated Telegram: what is typed, what is
//! answered, what the exit code tells, and that nothing secret is ever said back.

use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use gleaner_testkit::telegram::{KeyStanding, TelegramOptions};
use rstest::rstest;
use serde_json::json;
use sqlx::Connection as _;
use tokio::process::Command;

use crate::desk::{
    ADA, BANNED, BINARY, BORIS, CODE, DANA, Desk, FLOODED, PASSPHRASE, PASSWORD, PATIENCE, SQUARE,
    telethon_string, with_its_journal,
};
use crate::gleaner::done;

#[rstest]
#[case("")]
#[case("--json")]
#[tokio::test]
async fn a_login_asks_for_number_and_code_and_is_listed_checked_renamed_and_removed(#[case] manner: &str) {
    let desk = Desk::new().await;
    let line = format!("session login --name mine {manner}");
    let kept = desk.run(&line, &[ADA, CODE]).await.must(0);
    if manner.is_empty() {
        kept.says("OTP sent to +15550001, to the Telegram app of another device")
            .says("mine is session 1");
    } else {
        assert_eq!(kept.err, "", "notes are for people");
        let kept = kept.json();
        assert_eq!((&kept["id"], &kept["session_name"]), (&json!(1), &json!("mine")));
    }
    assert_eq!(desk.rows().await.len(), 1);

    let checked = desk
        .run(&format!("session check MINE {manner}"), &[])
        .await
        .must(0);
    if manner.is_empty() {
        checked.says("Ada Keeper (@ada_keeper)").says("active");
    } else {
        let row = checked.json();
        assert_eq!(
            (&row["health"], &row["phone_number"]),
            (&json!("active"), &json!(ADA))
        );
        assert_eq!(row["account"]["username"], "ada_keeper");
    }
    let line = format!("session rename 1 ours {manner}");
    desk.run(&line, &[]).await.must(0).says("ours");
    let line = format!("session rm ours --yes {manner}");
    desk.run(&line, &[])
        .await
        .must(0)
        .says("Session deleted successfully");
    assert!(desk.rows().await.is_empty());
    assert_eq!(desk.telegram.count("auth.logOut"), 0, "it was not asked for");
    let empty = desk.run(&format!("session list {manner}"), &[]).await.must(0);
    assert_eq!(
        empty.err.contains("session login"),
        manner.is_empty(),
        "{empty:?}"
    );
}

#[tokio::test]
async fn a_wrong_code_may_be_typed_twice_more_and_then_nothing_of_it_stays() {
    let desk = Desk::new().await;
    let line = format!("session login --name mine --phone {ADA}");
    let third = desk.run(&line, &["54321", "00000", CODE]).await.must(0);
    third.says("Invalid OTP code").says("Type the newest code");
    desk.run("session rm mine --yes", &[]).await.must(0);

    let wrong = ["54321", "00000", "99999", CODE];
    desk.run(&line, &wrong).await.must(2).says("Invalid OTP code");
    let error = desk.refused(&line, &wrong, 2).await;
    assert_eq!(error["code"], "INVALID_CODE");
    assert!(desk.rows().await.is_empty());
    assert_eq!(desk.telegram.count("auth.signIn"), 9, "the fourth was not read");
}

#[tokio::test]
async fn an_answer_that_does_not_come_ends_the_login() {
    let desk = Desk::new().await;
    let line = format!("session login --name mine --phone {ADA}");
    let error = desk.refused(&line, &[], 2).await;
    let detail = error["detail"].as_str().expect("words");
    assert!(detail.starts_with("the question was not answered"), "{detail}");
    assert!(desk.rows().await.is_empty());
    // Logged in but for the password: half a login is not left at Telegram.
    let line = format!("session login --name mine --phone {BORIS}");
    desk.run(&line, &[CODE]).await.must(2);
    assert!(desk.rows().await.is_empty());
}

#[rstest]
#[case("")]
#[case("--json")]
#[tokio::test]
async fn a_password_may_be_wrong_first_and_its_hint_is_shown(#[case] manner: &str) {
    let desk = Desk::new().await;
    let line = format!("session login --name boris --phone {BORIS} {manner}");
    let answers = [CODE, "not the lights", PASSWORD];
    let kept = desk.run(&line, &answers).await.must(0);
    if manner.is_empty() {
        kept.says("Hint: what the pier shows").says("Invalid password");
    }
    assert_eq!(desk.rows().await[0]["phone_number"], BORIS);
    desk.run("session rm boris --yes", &[]).await.must(0);

    let wrong = [CODE, "not the lights", "nor these", "or those", PASSWORD];
    desk.run(&line, &wrong).await.must(2).says("Invalid password");
    assert!(desk.rows().await.is_empty());
}

#[rstest]
#[case(BANNED, 1, "PHONE_BANNED", "Invalid phone number")]
#[case(FLOODED, 5, "FLOOD_WAIT", "Too many attempts. Try again in 30 seconds")]
#[case("777", 2, "INVALID_PHONE", "Invalid phone number")]
#[tokio::test]
async fn what_telegram_refuses_has_its_words_and_its_exit_code(
    #[case] phone: &str,
    #[case] exit: i32,
    #[case] code: &str,
    #[case] detail: &str,
) {
    let desk = Desk::new().await;
    let line = format!("session login --name x --phone {phone}");
    let error = desk.refused(&line, &[], exit).await;
    assert_eq!((&error["code"], &error["detail"]), (&json!(code), &json!(detail)));
    let words = desk.run(&line, &[]).await.must(exit).says(detail);
    assert_eq!(words.out, "");
    assert!(desk.rows().await.is_empty());
}

#[tokio::test]
async fn without_an_api_id_it_says_how_to_get_one_and_takes_it() {
    let hash = "0123456789abcdef0123456789abcdef";
    let options = TelegramOptions {
        api: Some((4242, hash.to_owned())),
        ..TelegramOptions::default()
    };
    let desk = Desk::keyless(options).await.lay_out_a_key();
    let line = format!("session login --name mine --phone {ADA}");
    let error = desk.refused(&line, &[CODE], 1).await;
    assert_eq!(error["code"], "API_NOT_SET");
    assert!(
        error["hint"]
            .as_str()
            .expect("a hint")
            .contains("my.telegram.org")
    );

    let error = desk.refused("session api 4242", &["no hash"], 2).await;
    assert_eq!(error["code"], "INVALID_INPUT");
    let other = "ffffffffffffffffffffffffffffffff";
    let set = desk.run("session api 4242 --json", &[other]).await.must(0).json();
    assert_eq!(
        (&set["api_id"], &set["api_hash_set"]),
        (&json!(4242), &json!(true))
    );
    let error = desk.refused(&line, &[CODE], 1).await;
    assert_eq!(error["code"], "API_INVALID");

    desk.run("session api 4242", &[hash])
        .await
        .must(0)
        .says("API id and hash are set");
    desk.run(&line, &[CODE]).await.must(0);
}

#[tokio::test]
async fn a_login_on_another_data_centre_is_followed_there() {
    let desk = Desk::new().await;
    desk.log_in(DANA, "dana").await;
    let row = desk.run("session check dana --json", &[]).await.must(0).json();
    assert_eq!((&row["dc_id"], &row["health"]), (&json!(4), &json!("active")));
}

#[rstest]
#[case(ADA, &[], "")]
#[case(ADA, &[], "--json")]
#[case(BORIS, &["not the lights", PASSWORD], "")]
#[tokio::test]
async fn a_qr_code_is_drawn_scanned_and_followed_by_the_password(
    #[case] phone: &str,
    #[case] answers: &[&str],
    #[case] manner: &str,
) {
    let desk = Desk::new().await;
    let line = format!("session login --qr --name scanned {manner}");
    let kept = desk.run_and_scan(&line, phone, answers).await.must(0);
    assert!(!kept.out.contains(SQUARE), "a picture is no result: {kept:?}");
    assert_eq!(desk.rows().await[0]["phone_number"], phone);
    let error = desk
        .refused(&format!("session login --qr --name x --phone {phone}"), &[], 2)
        .await;
    assert!(
        error["detail"]
            .as_str()
            .expect("words")
            .contains("needs no number")
    );
}

#[rstest]
#[case("")]
#[case("--json")]
#[tokio::test]
async fn a_file_comes_in_with_its_journal_and_goes_out_again(#[case] manner: &str) {
    let desk = Desk::new().await;
    let key = desk.telegram.logged_in_key(ADA);
    let (file, running) = with_its_journal(&desk.path(""), &key).await;
    let line = format!("session import running.session {manner}");
    let row = desk.run(&line, &[]).await.must(0);
    if manner.is_empty() {
        row.says("Ada Keeper")
            .says("active")
            .says("in two programs at once");
    } else {
        let row = row.json();
        assert_eq!(
            (&row["health"], &row["phone_number"]),
            (&json!("active"), &json!(ADA))
        );
        assert_eq!(row["foreign_address"], key.address.to_string());
    }
    assert!(running.close().await.is_ok(), "its program was not disturbed");
    assert!(file.exists());

    let line = format!("session export 1 out.session --yes {manner}");
    desk.run(&line, &[]).await.must(0).says("out.session");
    let line = format!("session export 1 --form string out.txt --yes {manner}");
    desk.run(&line, &[]).await.must(0).says("out.txt");
    let string = std::fs::read_to_string(desk.path("out.txt")).expect("written");
    assert_eq!(string.trim(), telethon_string(&key));
    for written in ["out.session", "out.txt"] {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = desk
                .path(written)
                .metadata()
                .expect("a file")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{written}");
        }
        let before = std::fs::read(desk.path(written)).expect("readable");
        for form in ["file", "string"] {
            let line = format!("session export 1 --form {form} {written} --yes");
            let error = desk.refused(&line, &[], 2).await;
            assert_eq!(error["code"], "INVALID_INPUT", "{error}");
        }
        assert_eq!(std::fs::read(desk.path(written)).expect("readable"), before);
    }

    // The same login twice, however it comes.
    for (line, answers) in [
        ("session import out.session --name twin", vec![]),
        ("session import --name twin", vec![string.trim()]),
    ] {
        let error = desk.refused(line, &answers, 1).await;
        assert_eq!(error["code"], "DUPLICATE_SESSION");
        assert_eq!(error["detail"], "This login is kept already, as Ada Keeper");
    }
    desk.run("session rm 1 --yes", &[]).await.must(0);
    let line = format!("session import --name again --phone {BORIS} {manner}");
    let row = desk.run(&line, &[string.trim()]).await.must(0);
    row.says("again").says("The account's own number is +15550001");
    assert!(std::fs::read_to_string(desk.path("out.txt")).is_ok());
}

#[tokio::test]
async fn a_file_or_string_that_is_no_session_says_why() {
    let desk = Desk::new().await;
    std::fs::write(desk.path("empty"), "").expect("written");
    std::fs::write(desk.path("note"), "hello").expect("written");
    std::fs::write(desk.path("tdata"), b"TDF$rest").expect("written");
    std::fs::create_dir(desk.path("folder")).expect("made");
    for (file, why) in [
        ("empty", "The file is empty"),
        ("note", "SQLite"),
        ("tdata", "tdata"),
        ("folder", "folder"),
        ("nowhere", "There is no such file"),
    ] {
        let line = format!("session import {file} --name x");
        let error = desk.refused(&line, &[], 2).await;
        assert_eq!(error["code"], "NOT_A_SESSION", "{file}");
        let detail = error["detail"].as_str().expect("words");
        assert!(detail.contains(why), "{file}: {detail}");
        desk.run(&line, &[]).await.must(2).says(detail);
    }
    for (typed, why) in [("", "empty"), ("1AAAA", "has 5 characters"), ("hello there", "")] {
        let error = desk.refused("session import --name x", &[typed], 2).await;
        assert_eq!(error["code"], "NOT_A_SESSION", "{typed}");
        let detail = error["detail"].as_str().expect("words");
        assert!(detail.contains(why), "{typed}: {detail}");
    }
    let dead = desk.telegram.logged_in_key(ADA);
    desk.telegram.set_standing(&dead, KeyStanding::Revoked);
    let error = desk
        .refused("session import --name x", &[&telethon_string(&dead)], 1)
        .await;
    assert_eq!(error["code"], "SESSION_DEAD");
    assert!(desk.rows().await.is_empty());
}

#[rstest]
#[case(KeyStanding::Revoked, "unauthorised")]
#[case(KeyStanding::Duplicated, "duplicated")]
#[case(KeyStanding::AccountBanned, "banned")]
#[tokio::test]
async fn a_session_that_died_is_told_and_is_1(#[case] standing: KeyStanding, #[case] health: &str) {
    let desk = Desk::new().await;
    desk.log_in(ADA, "mine").await;
    desk.telegram.set_standing_of(ADA, standing);
    let row = desk.run("session check mine --json", &[]).await.must(1).json();
    assert_eq!(row["health"], health);
    desk.run("session check 1", &[]).await.must(1).says(health);
    desk.run("session list", &[]).await.must(0).says(health);
    // A dead one goes all the same.
    desk.run("session rm 1 --log-out --yes", &[]).await.must(0);
}

#[tokio::test]
async fn nobody_to_reach_is_69() {
    let desk = Desk::new().await;
    desk.log_in(ADA, "mine").await;
    let gone = desk.control.base_url();
    // The data centre listens no more; the session's own address says where it was.
    let Desk {
        dir,
        telegram,
        control,
        vars,
    } = desk;
    drop((telegram, control));
    let mut check = Command::new(BINARY);
    check.env_clear().env("HOME", dir.path()).current_dir(dir.path());
    check.args(["session", "check", "mine", "--json"]).envs(vars);
    let check = check.stdin(Stdio::null()).output();
    let check = tokio::time::timeout(PATIENCE, check)
        .await
        .expect("it ends in time");
    let check = done(check.expect("it runs")).must(69);
    assert!(check.err.contains("UNREACHABLE"), "{gone}: {check:?}");
}

#[tokio::test]
async fn a_session_in_use_stays_and_its_sources_are_named() {
    let desk = Desk::new().await;
    desk.log_in(ADA, "mine").await;
    let line = "source add @private_channel --private --session 1 --name Harbour --path out --manual";
    desk.run(line, &[]).await.must(0);
    let error = desk.refused("session rm mine --log-out --yes", &[], 1).await;
    assert_eq!(
        (&error["code"], &error["detail"]),
        (&json!("IN_USE"), &json!("Session is used by: Harbour"))
    );
    assert_eq!(desk.telegram.count("auth.logOut"), 0);
    desk.run("session check mine", &[]).await.must(0).says("Harbour");
    desk.run("source rm Harbour --yes", &[]).await.must(0);
    // Nobody is asked here, so nothing is removed by accident.
    let error = desk.refused("session rm mine", &[], 2).await;
    assert!(error["detail"].as_str().expect("words").contains("--yes"));
    assert_eq!(desk.rows().await.len(), 1);
    desk.run("session rm mine --log-out --yes", &[]).await.must(0);
    assert_eq!(desk.telegram.count("auth.logOut"), 1);
}

#[tokio::test]
async fn a_name_is_taken_once_and_what_is_not_there_is_3() {
    let desk = Desk::new().await;
    desk.log_in(ADA, "mine").await;
    let line = format!("session login --name MINE --phone {BORIS}");
    let error = desk.refused(&line, &[CODE, PASSWORD], 1).await;
    assert_eq!(error["code"], "DUPLICATE_SESSION");
    for line in [
        "check 7",
        "rename nobody x",
        "export 7 out.session --yes",
        "rm 7 --yes",
    ] {
        let error = desk.refused(&format!("session {line}"), &[], 3).await;
        assert_eq!(error["code"], "SESSION_NOT_FOUND", "{line}");
    }
    assert!(!desk.path("out.session").exists());
}

#[rstest]
#[case("")]
#[case("--json")]
#[tokio::test]
async fn the_key_has_a_name_a_state_and_a_recovery_file(#[case] manner: &str) {
    let desk = Desk::new().await;
    let none = desk.run("key check --json", &[]).await.must(0).json();
    assert_eq!(none["state"], "none");
    desk.run("key check", &[]).await.must(0).says("not made yet");
    desk.log_in(ADA, "mine").await;
    let check = desk.run("key check --json", &[]).await.must(0).json();
    assert_eq!(
        (&check["state"], &check["recovery_saved"]),
        (&json!("ready"), &json!(false))
    );
    let kid = check["kid"].as_str().expect("a name").to_owned();
    assert_eq!(kid.len(), 8);
    desk.run(&format!("key show-id {manner}"), &[])
        .await
        .must(0)
        .says(&kid);

    let line = format!("key export recovery.json {manner}");
    let error = desk
        .refused("key export recovery.json", &["too short", "too short"], 2)
        .await;
    assert_eq!(error["code"], "INVALID_INPUT");
    let error = desk
        .refused("key export recovery.json", &[PASSPHRASE, "something else"], 2)
        .await;
    assert!(
        error["detail"].as_str().expect("words").contains("not the same"),
        "{error}"
    );
    assert!(!desk.path("recovery.json").exists());
    desk.run(&line, &[PASSPHRASE, PASSPHRASE])
        .await
        .must(0)
        .says("recovery.json");
    let file = std::fs::read_to_string(desk.path("recovery.json")).expect("written");
    assert!(!file.contains(&desk.laid_out_key()) && !file.contains(PASSPHRASE));
    desk.refused("key export recovery.json", &[PASSPHRASE, PASSPHRASE], 2)
        .await;
    assert_eq!(
        std::fs::read_to_string(desk.path("recovery.json")).expect("there"),
        file
    );
    desk.run("key check", &[]).await.must(0).says("saved");

    let error = desk
        .refused("key import recovery.json", &["another passphrase"], 2)
        .await;
    assert_eq!(error["code"], "INVALID_INPUT");
    desk.refused("key import nowhere.json", &[PASSPHRASE], 2).await;
    std::fs::write(desk.path("note"), "hello").expect("written");
    desk.refused("key import note", &[PASSPHRASE], 2).await;
    // The key is in a file that is only read: nothing is put back there.
    let error = desk.refused("key import recovery.json", &[PASSPHRASE], 78).await;
    assert!(
        error["detail"]
            .as_str()
            .expect("words")
            .contains("change it there"),
        "{error}"
    );
    desk.run("session check mine", &[]).await.must(0);
}

#[tokio::test]
async fn another_key_in_the_file_is_78_and_changes_nothing() {
    let desk = Desk::new().await;
    desk.log_in(ADA, "mine").await;
    let right = std::fs::read(desk.path("key")).expect("there");
    std::fs::write(desk.path("key"), URL_SAFE.encode([9; 32])).expect("written");
    let wrong = desk.run("key check --json", &[]).await.must(78).json();
    assert_eq!(wrong["state"], "wrong");
    assert_ne!(wrong["kid"], wrong["expected_kid"]);
    for (line, answers) in [
        (
            format!("session login --name two --phone {BORIS}"),
            vec![CODE, PASSWORD],
        ),
        ("session export mine out.session --yes".to_owned(), vec![]),
        ("session check mine".to_owned(), vec![]),
        (
            "session api 7".to_owned(),
            vec!["0123456789abcdef0123456789abcdef"],
        ),
        (
            "key export recovery.json".to_owned(),
            vec![PASSPHRASE, PASSPHRASE],
        ),
    ] {
        let error = desk.refused(&line, &answers, 78).await;
        assert_eq!(error["code"], "KEY_WRONG", "{line}");
    }
    assert!(!desk.path("out.session").exists() && !desk.path("recovery.json").exists());
    std::fs::write(desk.path("key"), right).expect("written");
    desk.run("session check mine", &[]).await.must(0);
    assert_eq!(desk.rows().await.len(), 1);
}

#[tokio::test]
async fn help_explains_the_exit_code_of_a_key_that_is_not_there() {
    let desk = Desk::new().await;
    let help = desk.run("--help", &[]).await.must(0).out;
    assert!(
        help.lines().any(|line| line.trim_start().starts_with("78  ")),
        "{help}"
    );
}
