//! Session files go through the dialogs of the desktop, out of the window and into it.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::portal::{Dialog, Kind, Portal};
use crate::sessions::{PHONE, log_in};
use crate::stage::{KEY, in_window, on_path};

#[tokio::test]
async fn a_cancelled_dialog_leaves_the_form_as_it_was() -> Result<()> {
    in_window(async |stage, window| {
        let mut portal = Portal::on(stage).await?;
        window.press("Sessions").await?;
        window.press("Upload File").await?;
        window.fill("Session Name", "Harbour desk").await?;
        window.fill("Phone Number", PHONE).await?;

        window.press("Choose File").await?;
        opened(&mut portal, Kind::Open, "Choose a session file")
            .await?
            .cancel()
            .await?;
        window.press("Choose File").await?;
        let file = stage.home().join("no session.session");
        fs::write(&file, "a picture of the harbour")?;
        opened(&mut portal, Kind::Open, "Choose a session file")
            .await?
            .choose(&file)
            .await?;
        window.reads("no session.session").await?;
        window.press("Choose another").await?;
        opened(&mut portal, Kind::Open, "Choose a session file")
            .await?
            .cancel()
            .await?;

        window.reads("no session.session").await?;
        let kept = (
            window.value("Session Name").await?,
            window.value("Phone Number").await?,
        );
        ensure!(
            kept == ("Harbour desk".to_owned(), PHONE.to_owned()),
            "the form says {kept:?}"
        );

        // It is no session, whatever it is called.
        window.press("Upload").await?;
        window.reads("This is not a session file").await?;
        window.reads("No session yet").await
    })
    .await
}

#[tokio::test]
async fn a_session_leaves_through_one_dialog_and_comes_back_through_another() -> Result<()> {
    in_window(async |stage, window| {
        let mut portal = Portal::on(stage).await?;
        log_in(window, PHONE, "Harbour desk").await?;

        // What a person calls files: nothing of it may be lost on the way.
        let file = stage.home().join("Hafen & Möwe 100%.session");
        window.press("Export Harbour desk").await?;
        window.tick("I know what I hand out").await?;
        window.press("Export…").await?;
        opened(&mut portal, Kind::Save, "Export the session")
            .await?
            .cancel()
            .await?;
        let taken = stage.home().join("taken.session");
        fs::write(&taken, "somebody else's")?;
        window.press("Export…").await?;
        opened(&mut portal, Kind::Save, "Export the session")
            .await?
            .choose(&taken)
            .await?;
        window.reads("nothing was written over it").await?;
        ensure!(fs::read_to_string(&taken)? == "somebody else's");
        window.press("Export…").await?;
        let dialog = opened(&mut portal, Kind::Save, "Export the session").await?;
        ensure!(dialog.proposes().as_deref() == Some("telegram.session"));
        dialog.choose(&file).await?;
        window.reads("is exported").await?;
        is_a_private_session_file(&file)?;

        window.press("Delete Harbour desk").await?;
        window.press("Delete").await?;
        window.lists_no_more("Harbour desk").await?;

        window.press("Upload File").await?;
        window.press("Choose File").await?;
        opened(&mut portal, Kind::Open, "Choose a session file")
            .await?
            .choose(&file)
            .await?;
        window.reads("Hafen & Möwe 100%.session").await?;
        window.press("Upload").await?;
        for words in ["Active", PHONE, "Ada Keeper", "From Telethon", "not Telegram's"] {
            window.lists("Hafen & Möwe 100%", words).await?;
        }
        let asked = stage.telegram().count("auth.sendCode");
        ensure!(asked == 1, "Telegram was asked for {asked} codes");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_recovery_file_is_written_where_the_person_says() -> Result<()> {
    in_window(async |stage, window| {
        let mut portal = Portal::on(stage).await?;
        log_in(window, PHONE, "Harbour desk").await?;

        let file = stage.home().join("in the safe.json");
        window.press("Save recovery file…").await?;
        window.fill("Passphrase", "fog over the harbour").await?;
        window.fill("The same again", "fog over the harbour").await?;
        window.press("Save file…").await?;
        opened(&mut portal, Kind::Save, "Save the recovery file")
            .await?
            .cancel()
            .await?;
        window.press("Save file…").await?;
        let dialog = opened(&mut portal, Kind::Save, "Save the recovery file").await?;
        ensure!(dialog.proposes().as_deref() == Some("gleaner-recovery.json"));
        dialog.choose(&file).await?;

        window.reads("Recovery file saved").await?;
        window.reads_no_more("Save a recovery file").await?;
        let text = fs::read_to_string(&file)?;
        let sealed: serde_json::Value = serde_json::from_str(&text)?;
        ensure!(sealed.is_object() && !text.contains(KEY), "{text}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_desktop_without_dialogs_says_so() -> Result<()> {
    if on_path("zenity") {
        println!("SKIPPED: zenity is installed, so there are dialogs without a portal");
        return Ok(());
    }
    in_window(async |_, window| {
        window.press("Sessions").await?;
        window.press("Upload File").await?;
        window.press("Choose File").await?;
        window.reads("This desktop has no file dialogs").await?;
        window.reads("xdg-desktop-portal").await
    })
    .await
}

/// Waits for a dialog of this kind, which belongs to the window.
async fn opened(portal: &mut Portal, kind: Kind, title: &str) -> Result<Dialog> {
    let dialog = portal.dialog().await?;
    ensure!(
        dialog.kind() == kind && dialog.title() == title,
        "{:?}: {}",
        dialog.kind(),
        dialog.title()
    );
    ensure!(
        dialog.parent().starts_with("x11:"),
        "it belongs to {:?}",
        dialog.parent()
    );
    Ok(dialog)
}

/// Whoever can read it is logged in to the account.
fn is_a_private_session_file(file: &Path) -> Result<()> {
    let bytes = fs::read(file)?;
    ensure!(
        bytes.starts_with(b"SQLite format 3\0"),
        "{} bytes of something",
        bytes.len()
    );
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file)?.permissions());
        ensure!(mode & 0o777 == 0o600, "its mode is {mode:o}");
    }
    Ok(())
}
