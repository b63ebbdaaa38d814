//! One command an operation: the name is the operation id, the arguments are the path's and query's
//! parts by name and the body as `input`. No command decides anything.

use gleaner_app::view::{
    BulkReport, BulkSources, Completeness, ContractSession, ContractSource, CreateSource, DataReport,
    DayCount, EditSession, EditSettings, EditSource, EditTelegram, EraseData, Finalize, ImportReport,
    ImportSources, ImportString, KeyStatus, Message, MessageRow, OtpSent, OtpVerified, Overview, PathInput,
    RunDetail, RunFilter, RunRow, SaveTarget, SendOtp, SessionRow, Settings, SourceDetail, SourceRow,
    StartQr, TargetReport, TargetRow, TelegramSettings, TempPassword, TempSession, VerifyOtp,
};
use gleaner_app::{ApiError, ApiResult, App};
use gleaner_domain::{Code, RunUid, SessionId, SourceId, TargetUid};
use tauri::State;
use uuid::Uuid;

/// Runs a use case to its end. A panic in it becomes an error here, so that the page hears of it
/// instead of waiting for ever.
async fn whole<F, T>(app: State<'_, App>, use_case: impl FnOnce(App) -> F) -> ApiResult<T>
where
    F: Future<Output = ApiResult<T>> + Send + 'static,
    T: Send + 'static,
{
    tokio::spawn(use_case(app.inner().clone()))
        .await
        .unwrap_or_else(|ended| {
            tracing::error!(%ended, "a use case broke");
            Err(ApiError::new(Code::Internal, "Internal error: the log says more"))
        })
}

#[tauri::command]
pub(crate) async fn list_source_rows(app: State<'_, App>) -> ApiResult<Vec<SourceRow>> {
    whole(app, |app| async move { app.list_source_rows().await }).await
}

#[tauri::command]
pub(crate) async fn newest_source_rows(app: State<'_, App>, limit: Option<u32>) -> ApiResult<Vec<SourceRow>> {
    whole(app, move |app| async move { app.newest_source_rows(limit).await }).await
}

#[tauri::command]
pub(crate) async fn create_source(app: State<'_, App>, input: CreateSource) -> ApiResult<ContractSource> {
    whole(app, |app| async move { app.create_source(input).await }).await
}

#[tauri::command]
pub(crate) async fn list_sources(app: State<'_, App>) -> ApiResult<Vec<ContractSource>> {
    whole(app, |app| async move { app.list_sources().await }).await
}

#[tauri::command]
pub(crate) async fn get_source(app: State<'_, App>, id: SourceId) -> ApiResult<ContractSource> {
    whole(app, |app| async move { app.get_source(id).await }).await
}

#[tauri::command]
pub(crate) async fn get_source_detail(app: State<'_, App>, id: SourceId) -> ApiResult<SourceDetail> {
    whole(app, |app| async move { app.get_source_detail(id).await }).await
}

#[tauri::command]
pub(crate) async fn edit_source(
    app: State<'_, App>,
    id: SourceId,
    input: EditSource,
) -> ApiResult<SourceRow> {
    whole(app, |app| async move { app.edit_source(id, input).await }).await
}

#[tauri::command]
pub(crate) async fn delete_source(
    app: State<'_, App>,
    id: SourceId,
    files: Option<bool>,
) -> ApiResult<Message> {
    whole(app, |app| async move {
        app.delete_source(id, files.unwrap_or(false)).await
    })
    .await
}

#[tauri::command]
pub(crate) async fn pause_source(app: State<'_, App>, id: SourceId) -> ApiResult<SourceRow> {
    whole(app, |app| async move { app.pause_source(id).await }).await
}

#[tauri::command]
pub(crate) async fn resume_source(app: State<'_, App>, id: SourceId) -> ApiResult<SourceRow> {
    whole(app, |app| async move { app.resume_source(id).await }).await
}

#[tauri::command]
pub(crate) async fn run_source(app: State<'_, App>, id: SourceId) -> ApiResult<RunRow> {
    whole(app, |app| async move { app.run_source(id).await }).await
}

#[tauri::command]
pub(crate) async fn bulk_sources(app: State<'_, App>, input: BulkSources) -> ApiResult<BulkReport> {
    whole(app, |app| async move { app.bulk_sources(input).await }).await
}

#[tauri::command]
pub(crate) async fn import_sources(app: State<'_, App>, input: ImportSources) -> ApiResult<ImportReport> {
    whole(app, |app| async move { app.import_sources(input).await }).await
}

#[tauri::command]
pub(crate) async fn source_completeness(app: State<'_, App>, id: SourceId) -> ApiResult<Completeness> {
    whole(app, |app| async move { app.source_completeness(id).await }).await
}

#[tauri::command]
pub(crate) async fn source_days(app: State<'_, App>, id: SourceId) -> ApiResult<Vec<DayCount>> {
    whole(app, |app| async move { app.source_days(id).await }).await
}

#[tauri::command]
pub(crate) async fn source_messages(
    app: State<'_, App>,
    id: SourceId,
    before: Option<u32>,
    limit: Option<u32>,
) -> ApiResult<Vec<MessageRow>> {
    whole(
        app,
        |app| async move { app.source_messages(id, before, limit).await },
    )
    .await
}

#[tauri::command]
pub(crate) async fn list_runs(app: State<'_, App>, input: RunFilter) -> ApiResult<Vec<RunRow>> {
    whole(app, |app| async move { app.list_runs(input).await }).await
}

#[tauri::command]
pub(crate) async fn get_run(app: State<'_, App>, uid: RunUid) -> ApiResult<RunDetail> {
    whole(app, |app| async move { app.get_run(uid).await }).await
}

#[tauri::command]
pub(crate) async fn cancel_run(app: State<'_, App>, uid: RunUid) -> ApiResult<RunRow> {
    whole(app, |app| async move { app.cancel_run(uid).await }).await
}

#[tauri::command]
pub(crate) async fn list_targets(app: State<'_, App>) -> ApiResult<Vec<TargetRow>> {
    whole(app, |app| async move { app.list_targets().await }).await
}

#[tauri::command]
pub(crate) async fn save_target(app: State<'_, App>, input: SaveTarget) -> ApiResult<TargetRow> {
    whole(app, |app| async move { app.save_target(input).await }).await
}

#[tauri::command]
pub(crate) async fn delete_target(app: State<'_, App>, uid: TargetUid) -> ApiResult<Message> {
    whole(app, |app| async move { app.delete_target(uid).await }).await
}

#[tauri::command]
pub(crate) async fn test_target(app: State<'_, App>, input: SaveTarget) -> ApiResult<TargetReport> {
    whole(app, |app| async move { app.test_target(input).await }).await
}

#[tauri::command]
pub(crate) async fn get_settings(app: State<'_, App>) -> ApiResult<Settings> {
    whole(app, |app| async move { app.get_settings().await }).await
}

#[tauri::command]
pub(crate) async fn edit_settings(app: State<'_, App>, input: EditSettings) -> ApiResult<Settings> {
    whole(app, |app| async move { app.edit_settings(input).await }).await
}

#[tauri::command]
pub(crate) async fn overview(app: State<'_, App>) -> ApiResult<Overview> {
    whole(app, |app| async move { app.overview().await }).await
}

#[tauri::command]
pub(crate) async fn backup_data(app: State<'_, App>, input: PathInput) -> ApiResult<DataReport> {
    whole(app, |app| async move { app.backup_data(input).await }).await
}

#[tauri::command]
pub(crate) async fn move_data(app: State<'_, App>, input: PathInput) -> ApiResult<DataReport> {
    whole(app, |app| async move { app.move_data(input).await }).await
}

#[tauri::command]
pub(crate) async fn erase_data(app: State<'_, App>, input: EraseData) -> ApiResult<DataReport> {
    whole(app, |app| async move { app.erase_data(input).await }).await
}

#[tauri::command]
pub(crate) async fn list_sessions(app: State<'_, App>) -> ApiResult<Vec<ContractSession>> {
    whole(app, |app| async move { app.list_sessions().await }).await
}

#[tauri::command]
pub(crate) async fn list_session_rows(app: State<'_, App>) -> ApiResult<Vec<SessionRow>> {
    whole(app, |app| async move { app.list_session_rows().await }).await
}

#[tauri::command]
pub(crate) async fn send_otp(app: State<'_, App>, input: SendOtp) -> ApiResult<OtpSent> {
    whole(app, |app| async move { app.send_otp(input).await }).await
}

#[tauri::command]
pub(crate) async fn verify_otp(app: State<'_, App>, input: VerifyOtp) -> ApiResult<OtpVerified> {
    whole(app, |app| async move { app.verify_otp(input).await }).await
}

#[tauri::command]
pub(crate) async fn finalize_session(app: State<'_, App>, input: Finalize) -> ApiResult<ContractSession> {
    whole(app, |app| async move { app.finalize_session(input).await }).await
}

#[tauri::command]
pub(crate) async fn delete_session(
    app: State<'_, App>,
    id: SessionId,
    log_out: Option<bool>,
) -> ApiResult<Message> {
    whole(app, |app| async move {
        app.delete_session(id, log_out.unwrap_or(false)).await
    })
    .await
}

#[tauri::command]
pub(crate) async fn edit_session(
    app: State<'_, App>,
    id: SessionId,
    input: EditSession,
) -> ApiResult<SessionRow> {
    whole(app, |app| async move { app.edit_session(id, input).await }).await
}

#[tauri::command]
pub(crate) async fn check_session(app: State<'_, App>, id: SessionId) -> ApiResult<SessionRow> {
    whole(app, |app| async move { app.check_session(id).await }).await
}

#[tauri::command]
pub(crate) async fn import_session_string(app: State<'_, App>, input: ImportString) -> ApiResult<SessionRow> {
    whole(app, |app| async move { app.import_session_string(input).await }).await
}

#[tauri::command]
pub(crate) async fn start_qr(app: State<'_, App>, input: StartQr) -> ApiResult<TempSession> {
    whole(app, |app| async move { app.start_qr(input).await }).await
}

#[tauri::command]
pub(crate) async fn get_temp_session(app: State<'_, App>, id: Uuid) -> ApiResult<TempSession> {
    whole(app, |app| async move { app.get_temp_session(id).await }).await
}

#[tauri::command]
pub(crate) async fn cancel_temp_session(app: State<'_, App>, id: Uuid) -> ApiResult<Message> {
    whole(app, |app| async move { app.cancel_temp_session(id).await }).await
}

#[tauri::command]
pub(crate) async fn resend_code(app: State<'_, App>, id: Uuid) -> ApiResult<TempSession> {
    whole(app, |app| async move { app.resend_code(id).await }).await
}

#[tauri::command]
pub(crate) async fn give_temp_password(
    app: State<'_, App>,
    id: Uuid,
    input: TempPassword,
) -> ApiResult<TempSession> {
    whole(app, |app| async move { app.give_temp_password(id, input).await }).await
}

#[tauri::command]
pub(crate) async fn telegram_settings(app: State<'_, App>) -> ApiResult<TelegramSettings> {
    whole(app, |app| async move { app.telegram_settings().await }).await
}

#[tauri::command]
pub(crate) async fn edit_telegram_settings(
    app: State<'_, App>,
    input: EditTelegram,
) -> ApiResult<TelegramSettings> {
    whole(app, |app| async move { app.edit_telegram_settings(input).await }).await
}

#[tauri::command]
pub(crate) async fn key_status(app: State<'_, App>) -> ApiResult<KeyStatus> {
    whole(app, |app| async move { app.key_status().await }).await
}

#[tauri::command]
pub(crate) async fn retry_key(app: State<'_, App>) -> ApiResult<KeyStatus> {
    whole(app, |app| async move { app.retry_key().await }).await
}
