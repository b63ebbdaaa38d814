//! `gleaner key …`

use std::path::Path;

use gleaner_app::view::{KeyState, KeyStatus};
use gleaner_app::{ApiError, ApiResult, App, ExposeSecret as _, SecretString};
use serde_json::json;

use crate::args::KeyCommand;
use crate::exit::Exit;
use crate::out::Out;
use crate::prompt;
use crate::table::facts;

pub(crate) async fn perform(app: &App, out: Out, command: KeyCommand) -> ApiResult<Exit> {
    match command {
        KeyCommand::ShowId => {
            let status = app.key_status().await?;
            let kid = status.kid.clone().unwrap_or_default();
            out.show(&json!({ "kid": status.kid }), || kid)?;
            Ok(exit(&status))
        }
        KeyCommand::Check => {
            let status = app.key_status().await?;
            out.show(&status, || describe(&status))?;
            Ok(exit(&status))
        }
        KeyCommand::Export { file } => export(app, out, &file).await,
        KeyCommand::Import { file } => import(app, out, &file).await,
        KeyCommand::Rotate => {
            let report = app.rotate_key().await?;
            out.show(&report, || {
                format!(
                    "{} seals from now on; {} sealed again",
                    report.kid, report.resealed
                )
            })?;
            out.note("The recovery file holds the old key only: write a new one with gleaner key export.");
            Ok(Exit::Ok)
        }
    }
}

async fn export(app: &App, out: Out, file: &Path) -> ApiResult<Exit> {
    let passphrase = prompt::secret("Passphrase of the recovery file (12 characters or more)").await?;
    let again = prompt::secret("Once more").await?;
    if passphrase.expose_secret() != again.expose_secret() {
        return Err(ApiError::field("passphrase", "the two are not the same"));
    }
    let text = app.export_key(passphrase).await?;
    gleaner_app::private_file::write_new(file, text.as_bytes())?;
    app.recovery_was_saved().await?;
    let written = json!({ "path": file.display().to_string() });
    out.show(&written, || format!("Written to {}", file.display()))?;
    out.note(
        "Keep it apart from this computer: with it and its passphrase the sessions can be opened again.",
    );
    Ok(Exit::Ok)
}

async fn import(app: &App, out: Out, file: &Path) -> ApiResult<Exit> {
    let text = tokio::fs::read_to_string(file)
        .await
        .map_err(|error| ApiError::field("file", format!("{}: {error}", file.display())))?;
    let passphrase: SecretString = prompt::secret("Passphrase of the recovery file").await?;
    let status = app.import_key(text, passphrase).await?;
    out.show(&status, || describe(&status))?;
    Ok(exit(&status))
}

fn describe(status: &KeyStatus) -> String {
    facts([
        ("state", Some(word(status.state).to_owned())),
        ("key", status.kid.clone()),
        ("expected", status.expected_kid.clone()),
        ("kept in", Some(status.kept_in.clone())),
        (
            "recovery file",
            Some(
                if status.recovery_saved {
                    "saved"
                } else {
                    "not saved"
                }
                .to_owned(),
            ),
        ),
        ("note", Some(status.detail.clone())),
        ("next", status.hint.clone()),
    ])
}

fn word(state: KeyState) -> &'static str {
    match state {
        KeyState::Ready => "ready",
        KeyState::None => "not made yet",
        KeyState::Locked => "locked",
        KeyState::Absent => "no keyring",
        KeyState::Gone => "gone",
        KeyState::Wrong => "wrong key",
        KeyState::Damaged => "damaged",
    }
}

fn exit(status: &KeyStatus) -> Exit {
    match status.state {
        KeyState::Ready | KeyState::None => Exit::Ok,
        _ => Exit::Key,
    }
}
