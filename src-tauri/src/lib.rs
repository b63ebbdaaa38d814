//! The desktop shell: a window on the UI, a tray, native dialogs. Nothing else.
//!
//! Every use case lives in `gleaner-app`; [`commands`] passes calls on to it. Absent: any decision
//! about sources, runs or files.

#[cfg(test)]
mod command_names;
mod commands;
mod dialogs;
mod forward;
mod opening;
mod session_files;
mod tray;
mod window;

use std::process::ExitCode;

use gleaner_app::{ApiError, ApiResult, App, Config};
use tauri::{AppHandle, Manager, RunEvent, generate_handler};
use tauri_plugin_window_state::StateFlags;

/// Runs the app until it is quit.
pub fn run() -> ExitCode {
    gleaner_app::memory::give_back_large_pieces();
    let config = match Config::from_env(None) {
        Ok(config) => config,
        Err(error) => return cannot_start(&error),
    };
    // Without logs the app still works; the reason goes where a terminal may show it.
    let _logs = gleaner_app::logs::start(&config, "info")
        .inspect_err(opening::complain)
        .ok();
    match build(config) {
        Ok(tauri) => ended(tauri.run_return(on_event)),
        Err(error) => {
            let detail = format!("The window system does not answer: {error}");
            cannot_start(&ApiError::new(gleaner_domain::Code::Internal, detail))
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "Tauri's generated code ends the process when its assets are broken"
)]
fn build(config: Config) -> tauri::Result<tauri::App> {
    // Visibility is ours: `--minimized` starts without a window.
    let remembered = StateFlags::all() & !StateFlags::VISIBLE;
    tauri::Builder::default()
        // First, so that a second start ends before it touches anything.
        .plugin(opening::single_instance(&config))
        .plugin(
            tauri_plugin_window_state::Builder::new()
                .with_state_flags(remembered)
                .build(),
        )
        .invoke_handler(generate_handler![
            commands::list_source_rows,
            commands::newest_source_rows,
            commands::create_source,
            commands::list_sources,
            commands::get_source,
            commands::get_source_detail,
            commands::edit_source,
            commands::delete_source,
            commands::pause_source,
            commands::resume_source,
            commands::run_source,
            commands::bulk_sources,
            commands::import_sources,
            commands::source_completeness,
            commands::source_days,
            commands::source_messages,
            commands::list_runs,
            commands::get_run,
            commands::cancel_run,
            commands::list_targets,
            commands::save_target,
            commands::delete_target,
            commands::test_target,
            commands::get_settings,
            commands::edit_settings,
            commands::overview,
            commands::backup_data,
            commands::move_data,
            commands::erase_data,
            commands::list_sessions,
            commands::list_session_rows,
            commands::send_otp,
            commands::verify_otp,
            commands::finalize_session,
            commands::delete_session,
            commands::edit_session,
            commands::check_session,
            commands::import_session_string,
            commands::start_qr,
            commands::get_temp_session,
            commands::cancel_temp_session,
            commands::resend_code,
            commands::give_temp_password,
            commands::telegram_settings,
            commands::edit_telegram_settings,
            commands::key_status,
            commands::retry_key,
            dialogs::host_choose_folder,
            dialogs::host_reveal,
            dialogs::host_open_url,
            session_files::host_choose_session_file,
            session_files::host_import_session,
            session_files::host_export_session,
            session_files::host_save_recovery,
            session_files::host_restore_recovery,
        ])
        .manage(session_files::HeldFiles::default())
        .on_window_event(session_files::on_window_event)
        .setup(move |tauri| {
            let handle = tauri.handle();
            if let Err(error) = start(handle, config) {
                cannot_start(&error);
                handle.exit(1);
            }
            Ok(())
        })
        .build(tauri::generate_context!())
}

/// Opens the data folder and everything that stands on it. Runs once, in the first instance.
fn start(handle: &AppHandle, config: Config) -> ApiResult<()> {
    let app = tauri::async_runtime::block_on(async {
        if let Err(error) = opening::quit_when_asked_to(handle.clone()) {
            tracing::warn!(%error, "signals cannot be heard; quit from the tray");
        }
        let app = App::start(config).await?;
        app.start_scheduler();
        Ok::<_, ApiError>(app)
    })?;
    handle.manage(app.clone());
    tray::start(handle, &app);
    tauri::async_runtime::spawn(forward::to_the_page(handle.clone(), app));
    if opening::minimized(std::env::args()) {
        tauri::async_runtime::spawn(tray::or_window(handle.clone()));
    } else {
        window::show(handle);
    }
    Ok(())
}

fn on_event(handle: &AppHandle, event: RunEvent) {
    match event {
        // The last window closed. The tray keeps the app, and the schedule, alive.
        RunEvent::ExitRequested { code: None, api, .. } if tray::is_there(handle) => api.prevent_exit(),
        RunEvent::Exit => {
            if let Some(app) = handle.try_state::<App>() {
                tauri::async_runtime::block_on(app.shutdown());
            }
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::show(handle),
        _ => {}
    }
}

fn cannot_start(error: &ApiError) -> ExitCode {
    opening::complain(error);
    dialogs::show_error("Gleaner cannot start", error);
    ExitCode::FAILURE
}

fn ended(code: i32) -> ExitCode {
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::command_names::{HOST, OPERATIONS, all};

    /// Operations that are streams or that only a browser needs.
    const HTTP_ONLY: &[&str] = &["events", "openapi", "exchange_code", "upload_session_file"];

    #[test]
    fn every_operation_of_the_contract_is_a_command() {
        let contract: serde_json::Value =
            serde_json::from_str(include_str!("../../contract/openapi.json")).unwrap();
        let methods = contract["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|path| path.as_object().unwrap().values());
        let operations: BTreeSet<_> = methods
            .filter_map(|method| method["operationId"].as_str())
            .collect();
        let over_http: BTreeSet<_> = operations
            .into_iter()
            .filter(|id| !HTTP_ONLY.contains(id))
            .collect();
        assert_eq!(over_http, OPERATIONS.iter().copied().collect());
    }

    #[test]
    fn every_command_is_allowed_to_the_page_and_nothing_else_is() {
        let capability: serde_json::Value =
            serde_json::from_str(include_str!("../capabilities/main.json")).unwrap();
        let allowed: BTreeSet<_> = capability["permissions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p.as_str().unwrap())
            .collect();
        let commands = all().map(|name| format!("allow-{}", name.replace('_', "-")));
        let events = ["core:event:allow-listen", "core:event:allow-unlisten"].map(str::to_owned);
        assert_eq!(
            allowed,
            commands
                .chain(events)
                .collect::<BTreeSet<_>>()
                .iter()
                .map(String::as_str)
                .collect()
        );
    }

    #[test]
    fn every_command_is_handled() {
        let (_, list) = include_str!("lib.rs").split_once("generate_handler![\n").unwrap();
        let (list, _) = list.split_once(']').unwrap();
        let handled: Vec<_> = list
            .lines()
            .map(|line| line.split("//").next().unwrap().trim().trim_end_matches(','))
            .filter(|path| !path.is_empty())
            .collect();
        let operations = OPERATIONS.iter().map(|name| format!("commands::{name}"));
        let host = HOST.iter().map(|name| {
            let room = if name.contains("session") || name.contains("recovery") {
                "session_files"
            } else {
                "dialogs"
            };
            format!("{room}::{name}")
        });
        assert_eq!(handled, operations.chain(host).collect::<Vec<_>>());
    }
}
