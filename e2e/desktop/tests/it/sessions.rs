//! A person logs in to Telegram in the window, and everything that goes wrong on the way.

use anyhow::{Context, Result, ensure};
use gleaner_testkit::telegram::Account;
use serde_json::{Value, json};

use crate::stage::{Window, eventually, in_window};

/// An account without a password.
pub(crate) const PHONE: &str = "+15550001";
/// Every account's login code.
pub(crate) const CODE: &str = "12345";
/// An account with a password.
const GUARDED: &str = "+15550002";
const BANNED: &str = "+15550003";

#[tokio::test]
async fn a_number_and_its_code_become_a_session() -> Result<()> {
    in_window(async |_, window| {
        window.press("Sessions").await?;
        window.reads("No session yet").await?;

        send_code(window, PHONE, "Harbour desk").await?;
        window
            .reads("Check your Telegram app for the verification code")
            .await?;
        give(window, "OTP Code", "99999").await?;
        window.marked("OTP Code", "Invalid OTP code").await?;
        give(window, "OTP Code", CODE).await?;
        finalize(window).await?;

        for words in [
            "Active",
            PHONE,
            "Ada Keeper",
            "@ada_keeper",
            "Logged in with a code",
        ] {
            window.lists("Harbour desk", words).await?;
        }
        let empty = window.value("Phone Number").await?;
        ensure!(empty.is_empty(), "the form still says {empty}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_account_with_a_password_is_asked_for_it() -> Result<()> {
    in_window(async |_, window| {
        window.press("Sessions").await?;
        send_code(window, GUARDED, "Guarded").await?;
        give(window, "OTP Code", CODE).await?;

        window.reads("2FA password required").await?;
        window.reads("what the pier shows").await?;
        give(window, "Password", "harbour fog").await?;
        window.marked("Password", "Invalid password").await?;
        give(window, "Password", "harbour lights").await?;
        finalize(window).await?;

        window.lists("Guarded", "Active").await?;
        window.lists("Guarded", "Boris Lamplighter").await
    })
    .await
}

#[tokio::test]
async fn a_banned_number_says_what_to_do_and_another_goes_on() -> Result<()> {
    in_window(async |_, window| {
        window.press("Sessions").await?;
        send_code(window, BANNED, "Harbour desk").await?;
        window
            .marked("Phone Number", "Open an official Telegram app")
            .await?;

        window.fill("Phone Number", PHONE).await?;
        window.press("Send OTP").await?;
        give(window, "OTP Code", CODE).await?;
        finalize(window).await?;
        window.lists("Harbour desk", "Active").await
    })
    .await
}

#[tokio::test]
async fn a_wait_that_telegram_asks_for_is_counted_down() -> Result<()> {
    in_window(async |stage, window| {
        let hurried = |wait| Account::new("+15550006", 5_000_006, "Hasty").flooded(wait);
        stage.telegram().put_account(hurried(5));
        window.press("Sessions").await?;
        send_code(window, "+15550006", "Hasty").await?;
        window.reads("Telegram asks to wait").await?;

        let first = seconds_to_wait(window).await?.context("it counts")?;
        eventually("the count to go down", || async {
            let now = seconds_to_wait(window).await?;
            Ok(now.is_some_and(|now| now < first).then_some(()))
        })
        .await?;
        let asked = stage.telegram().count("auth.sendCode");
        ensure!(asked == 1, "Telegram was asked {asked} times");

        window.reads("The wait is over").await?;
        stage
            .telegram()
            .put_account(Account::new("+15550006", 5_000_006, "Hasty"));
        window.press("Send OTP").await?;
        give(window, "OTP Code", CODE).await?;
        finalize(window).await?;
        window.lists("Hasty", "Active").await
    })
    .await
}

#[tokio::test]
async fn an_expired_login_starts_again_with_what_was_typed() -> Result<()> {
    in_window(async |stage, window| {
        window.press("Sessions").await?;
        send_code(window, PHONE, "Too late").await?;
        window.reads("OTP Code").await?;
        end_behind_the_page(window).await?;
        give(window, "OTP Code", CODE).await?;

        window.reads("The login has expired").await?;
        let kept = (
            window.value("Phone Number").await?,
            window.value("Session Name").await?,
        );
        ensure!(
            kept == (PHONE.to_owned(), "Too late".to_owned()),
            "the form says {kept:?}"
        );

        window.press("Send OTP").await?;
        give(window, "OTP Code", CODE).await?;
        finalize(window).await?;
        window.lists("Too late", "Active").await?;
        let asked = stage.telegram().count("auth.sendCode");
        ensure!(asked == 2, "Telegram was asked for {asked} codes");
        Ok(())
    })
    .await
}

/// Logs in without a slip, from any page.
pub(crate) async fn log_in(window: &Window, phone: &str, name: &str) -> Result<()> {
    window.press("Sessions").await?;
    send_code(window, phone, name).await?;
    give(window, "OTP Code", CODE).await?;
    finalize(window).await?;
    window.lists(name, "Active").await
}

async fn send_code(window: &Window, phone: &str, name: &str) -> Result<()> {
    window.fill("Phone Number", phone).await?;
    window.fill("Session Name", name).await?;
    window.press("Send OTP").await
}

/// Answers the step that has this field.
async fn give(window: &Window, field: &str, text: &str) -> Result<()> {
    window.fill(field, text).await?;
    window.press("Verify").await
}

async fn finalize(window: &Window) -> Result<()> {
    window
        .reads("Authentication successful. Ready to finalize.")
        .await?;
    window.press("Finalize Session").await?;
    window.reads("Session saved successfully!").await
}

/// What the button counts down, if it does; then it cannot be pressed.
async fn seconds_to_wait(window: &Window) -> Result<Option<u64>> {
    let seconds = window.client.execute(COUNTDOWN, vec![]).await?;
    Ok(seconds.as_u64())
}

/// The seconds on a button that waits.
const COUNTDOWN: &str = r"
    const buttons = [...document.querySelectorAll('button:disabled')];
    const counts = buttons.map(({ innerText }) => /^Send OTP in 0:(\d\d)$/.exec(innerText)).find(Boolean);
    return counts ? Number(counts[1]) : null;
";

/// Ends the login in progress as five minutes would: the page does not hear of it.
async fn end_behind_the_page(window: &Window) -> Result<()> {
    let kept = "return JSON.parse(sessionStorage.getItem('gleaner.login.otp')).id";
    let id = window.client.execute(kept, vec![]).await?;
    let answer: Value = window.invoke("cancel_temp_session", json!({ "id": id })).await?;
    ensure!(answer["ok"].is_object(), "{answer}");
    Ok(())
}
