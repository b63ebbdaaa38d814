//! The names of all commands, for the build script (permissions) and for the test that holds them
//! against the contract.

/// Operations of the app: the names are the operation ids of the contract.
pub(crate) const OPERATIONS: &[&str] = &[
    "list_source_rows",
    "newest_source_rows",
    "create_source",
    "list_sources",
    "get_source",
    "get_source_detail",
    "edit_source",
    "delete_source",
    "pause_source",
    "resume_source",
    "run_source",
    "bulk_sources",
    "import_sources",
    "source_completeness",
    "source_days",
    "source_messages",
    "list_runs",
    "get_run",
    "cancel_run",
    "list_targets",
    "save_target",
    "delete_target",
    "test_target",
    "get_settings",
    "edit_settings",
    "overview",
    "backup_data",
    "move_data",
    "erase_data",
    "list_sessions",
    "list_session_rows",
    "send_otp",
    "verify_otp",
    "finalize_session",
    "delete_session",
    "edit_session",
    "check_session",
    "import_session_string",
    "start_qr",
    "get_temp_session",
    "cancel_temp_session",
    "resend_code",
    "give_temp_password",
    "telegram_settings",
    "edit_telegram_settings",
    "key_status",
    "retry_key",
];

/// What only the computer in front of the person can do; never on HTTP.
pub(crate) const HOST: &[&str] = &[
    "host_choose_folder",
    "host_reveal",
    "host_open_url",
    "host_choose_session_file",
    "host_import_session",
    "host_export_session",
    "host_save_recovery",
    "host_restore_recovery",
];

/// Every command there is.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().chain(HOST).copied()
}
