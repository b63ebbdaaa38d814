//! `gleaner session …`

use std::path::PathBuf;

use gleaner_app::view::{
    ContractSession, EditSession, EditTelegram, Finalize, ImportString, SendOtp, SessionRow, StartQr,
    TempPassword, TempSession, TempStep, VerifyOtp,
};
use gleaner_app::{ApiError, ApiResult, App, ExposeSecret as _};
use gleaner_domain::{Code, SessionHealth, SessionId};
use serde_json::json;

use crate::args::{ExportForm, SessionCommand};
use crate::exit::Exit;
use crate::out::{self, Out};
use crate::prompt;
use crate::table::{facts, table};
use crate::words;

/// Wrong codes and passwords that are taken before the login is given up.
const TRIES: u32 = 3;

pub(crate) async fn perform(app: &App, out: Out, command: SessionCommand) -> ApiResult<Exit> {
    match command {
        SessionCommand::List => list(app, out).await,
        SessionCommand::Login { name, phone, qr } if qr => by_qr(app, out, name, phone.is_some()).await,
        SessionCommand::Login { name, phone, .. } => by_code(app, out, name, phone).await,
        SessionCommand::Import { file, name, phone } => import(app, out, file, name, phone).await,
        SessionCommand::Check { session } => {
            let id = app.find_session(&session).await?.id;
            let row = app.check_session(id).await?;
            out.show(&row, || describe(&row))?;
            Ok(health_exit(&row))
        }
        SessionCommand::Rename { session, name } => {
            let id = app.find_session(&session).await?.id;
            let edit = EditSession { session_name: name };
            let row = app.edit_session(id, edit).await?;
            out.show(&row, || describe(&row))?;
            Ok(Exit::Ok)
        }
        SessionCommand::Export {
            session,
            form,
            file,
            yes,
        } => export(app, out, &session, form, file, yes).await,
        SessionCommand::Rm {
            session,
            log_out,
            yes,
        } => remove(app, out, &session, log_out, yes).await,
        SessionCommand::Api { id } => set_api(app, out, id).await,
    }
}

async fn list(app: &App, out: Out) -> ApiResult<Exit> {
    let rows = app.list_session_rows().await?;
    out.show(&rows, || {
        table(
            ["ID", "NAME", "PHONE", "ACCOUNT", "HEALTH", "SOURCES"],
            rows.iter().map(cells),
        )
    })?;
    if rows.is_empty() {
        out.note("Log in with: gleaner session login --name NAME");
    }
    Ok(Exit::Ok)
}

fn cells(row: &SessionRow) -> [String; 6] {
    [
        row.id.to_string(),
        row.session_name.clone(),
        row.phone_number.clone(),
        account(row).unwrap_or_default(),
        health(row.health).to_owned(),
        row.sources.len().to_string(),
    ]
}

async fn by_code(app: &App, out: Out, name: String, phone: Option<String>) -> ApiResult<Exit> {
    let phone_number = match phone {
        Some(phone) => phone,
        None => prompt::line("Phone number").await?,
    };
    let wish = SendOtp {
        phone_number,
        session_name: name,
        session_id: None,
    };
    let sent = app.send_otp(wish).await?;
    let id = sent.temp_session_id;
    let kept = async {
        let temp = app.get_temp_session(id).await?;
        out.note(&format!("{}{}", sent.message, words::delivery(temp.delivery)));
        enter_code(app, out, id).await?;
        app.finalize_session(Finalize { temp_session_id: id }).await
    };
    kept_or_cancelled(app, out, id, Box::pin(kept)).await
}

async fn enter_code(app: &App, out: Out, id: uuid::Uuid) -> ApiResult<()> {
    for tried in 1.. {
        let code = prompt::line("Code").await?;
        let wish = VerifyOtp {
            temp_session_id: id,
            code,
            password: None,
        };
        match app.verify_otp(wish).await {
            Ok(verified) if verified.requires_password => return enter_password(app, out, id).await,
            Ok(_) => return Ok(()),
            Err(error) if error.code == Code::InvalidCode && tried < TRIES => say(out, &error),
            Err(error) => return Err(error),
        }
    }
    unreachable!("the loop ends by an answer")
}

async fn enter_password(app: &App, out: Out, id: uuid::Uuid) -> ApiResult<()> {
    if let Some(hint) = app.get_temp_session(id).await?.password_hint {
        out.note(&format!("Hint: {hint}"));
    }
    for tried in 1.. {
        let password = prompt::secret("Password of two-step verification").await?;
        let wish = TempPassword {
            password: password.expose_secret().to_owned(),
        };
        match app.give_temp_password(id, wish).await {
            Ok(_) => return Ok(()),
            Err(error) if error.code == Code::InvalidPassword && tried < TRIES => say(out, &error),
            Err(error) => return Err(error),
        }
    }
    unreachable!("the loop ends by an answer")
}

async fn by_qr(app: &App, out: Out, name: String, phone_given: bool) -> ApiResult<Exit> {
    if phone_given {
        return Err(ApiError::field(
            "phone",
            "a QR code needs no number: leave --phone out",
        ));
    }
    let wish = StartQr {
        session_name: name,
        session_id: None,
    };
    let first = app.start_qr(wish).await?;
    let id = first.id;
    let kept = async {
        scanned(app, out, first).await?;
        app.finalize_session(Finalize { temp_session_id: id }).await
    };
    kept_or_cancelled(app, out, id, Box::pin(kept)).await
}

/// Says what a login was kept as. One that was not kept leaves nothing at Telegram.
async fn kept_or_cancelled(
    app: &App,
    out: Out,
    id: uuid::Uuid,
    kept: impl Future<Output = ApiResult<ContractSession>>,
) -> ApiResult<Exit> {
    let kept = kept.await;
    if kept.is_err() {
        // What went wrong is said by the error already.
        let _ = app.cancel_temp_session(id).await;
    }
    let session = kept?;
    out.show(&session, || {
        format!("{} is session {}", session.session_name, session.id)
    })?;
    Ok(Exit::Ok)
}

/// Draws one code after the other until another device has scanned one.
async fn scanned(app: &App, out: Out, mut temp: TempSession) -> ApiResult<()> {
    let mut drawn = Vec::new();
    loop {
        match temp.step {
            TempStep::Ready => return Ok(()),
            TempStep::Password => return enter_password(app, out, temp.id).await,
            TempStep::Code | TempStep::Qr => {}
        }
        if let Some(qr) = &temp.qr
            && qr.rows != drawn
        {
            drawn.clone_from(&qr.rows);
            out::warn(&squares(&qr.rows));
            out.note("Scan it in Telegram: Settings, Devices, Link Desktop Device.");
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        temp = app.get_temp_session(temp.id).await?;
    }
}

/// Two rows of squares a line, white around them: most terminals are dark.
fn squares(rows: &[String]) -> String {
    let width = rows.first().map_or(0, String::len) + 4;
    let blank = "0".repeat(width);
    let mut framed = vec![blank.clone(), blank.clone()];
    framed.extend(rows.iter().map(|row| format!("00{row}00")));
    framed.extend([blank.clone(), blank.clone()]);
    if framed.len() % 2 == 1 {
        framed.push(blank);
    }
    let line = |pair: &[String]| {
        let both = pair[0].bytes().zip(pair[1].bytes());
        both.map(|pair| match pair {
            (b'0', b'0') => '█',
            (b'0', _) => '▀',
            (_, b'0') => '▄',
            _ => ' ',
        })
        .collect::<String>()
    };
    framed.chunks(2).map(line).collect::<Vec<_>>().join("\n")
}

async fn import(
    app: &App,
    out: Out,
    file: Option<PathBuf>,
    name: Option<String>,
    phone: Option<String>,
) -> ApiResult<Exit> {
    let (name, phone) = (name.unwrap_or_default(), phone.unwrap_or_default());
    let row = if let Some(file) = file {
        app.import_session_file(&file, &name, &phone).await?
    } else {
        let text = prompt::secret("Session string").await?;
        let wish = ImportString {
            session_name: name,
            phone_number: phone,
            session_string: text.expose_secret().to_owned(),
        };
        app.import_session_string(wish).await?
    };
    out.show(&row, || describe(&row))?;
    out.note("Do not use this login in two programs at once: Telegram may end it for both.");
    Ok(Exit::Ok)
}

async fn export(
    app: &App,
    out: Out,
    session: &str,
    form: ExportForm,
    file: PathBuf,
    yes: bool,
) -> ApiResult<Exit> {
    let row = app.find_session(session).await?;
    let question = format!(
        "Whoever has the file is {} at Telegram. Write it to {}?",
        row.session_name,
        file.display()
    );
    if !yes && !out::confirm(&question).await? {
        return Ok(Exit::Cancelled);
    }
    match form {
        ExportForm::File => app.export_session_file(row.id, &file).await?,
        ExportForm::String => {
            let text = app.export_session_string(row.id).await?;
            gleaner_app::private_file::write_new(&file, text.expose_secret().as_bytes())?;
        }
    }
    let written = json!({ "path": file.display().to_string() });
    out.show(&written, || format!("Written to {}", file.display()))?;
    out.note("Do not use this login in two programs at once: Telegram may end it for both.");
    Ok(Exit::Ok)
}

async fn remove(app: &App, out: Out, session: &str, log_out: bool, yes: bool) -> ApiResult<Exit> {
    let row = app.find_session(session).await?;
    let question = if log_out {
        format!("Log {} out at Telegram and delete it?", row.session_name)
    } else {
        format!("Delete {}? It stays logged in at Telegram.", row.session_name)
    };
    if !yes && !out::confirm(&question).await? {
        return Ok(Exit::Cancelled);
    }
    let message = app.delete_session(row.id, log_out).await?;
    out.show(&message, || message.message.clone())?;
    Ok(Exit::Ok)
}

async fn set_api(app: &App, out: Out, id: i32) -> ApiResult<Exit> {
    let hash = prompt::secret("API hash").await?;
    let edit = EditTelegram {
        api_id: Some(id),
        api_hash: Some(hash.expose_secret().to_owned()),
        proxy: None,
    };
    let settings = app.edit_telegram_settings(edit).await?;
    out.show(&settings, || "API id and hash are set".to_owned())?;
    Ok(Exit::Ok)
}

fn describe(row: &SessionRow) -> String {
    let SessionId(id) = row.id;
    let used: Vec<&str> = row.sources.iter().map(|source| &*source.name).collect();
    let mut text = facts([
        ("id", Some(id.to_string())),
        ("name", Some(row.session_name.clone())),
        (
            "phone",
            Some(row.phone_number.clone()).filter(|phone| !phone.is_empty()),
        ),
        ("account", account(row)),
        ("health", Some(health(row.health).to_owned())),
        ("checked", row.checked_at.map(words::time)),
        ("data centre", Some(row.dc_id.to_string())),
        ("server", row.foreign_address.clone()),
        ("sources", Some(used.join(", ")).filter(|used| !used.is_empty())),
    ]);
    for warning in &row.warnings {
        text.push_str("\nnote: ");
        text.push_str(warning);
    }
    text
}

fn account(row: &SessionRow) -> Option<String> {
    let account = row.account.as_ref()?;
    Some(match &account.username {
        Some(username) => format!("{} (@{username})", account.name),
        None => account.name.clone(),
    })
}

fn health(health: SessionHealth) -> &'static str {
    match health {
        SessionHealth::Unchecked => "unchecked",
        SessionHealth::Active => "active",
        SessionHealth::Unauthorised => "unauthorised",
        SessionHealth::Banned => "banned",
        SessionHealth::Duplicated => "duplicated",
    }
}

fn health_exit(row: &SessionRow) -> Exit {
    if row.health.is_dead() {
        Exit::Failed
    } else {
        Exit::Ok
    }
}

fn say(out: Out, error: &ApiError) {
    out.note(&error.detail);
    if let Some(hint) = &error.hint {
        out.note(hint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_two_rows_a_line_with_a_quiet_zone() {
        let rows = ["10".to_owned(), "01".to_owned()];
        let drawn = squares(&rows);
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines, ["██████", "██▄▀██", "██████"]);
    }
}
