/** Every operation of the app: its id, its arguments, its answer, and its place under HTTP. */
import type * as T from './types';

type Id = { id: number };
type Uid = { uid: string };
/** A login in progress is named by a text. */
type Temp = { id: string };
type Body<B> = { body: B };
type None = Record<string, never>;

/** Operation id → what it takes and gives. */
export interface Operations {
  list_source_rows: [None, T.SourceRow[]];
  newest_source_rows: [{ limit?: number }, T.SourceRow[]];
  create_source: [Body<T.CreateSource>, T.ContractSource];
  get_source_detail: [Id, T.SourceDetail];
  edit_source: [Id & Body<T.EditSource>, T.SourceRow];
  delete_source: [Id & { files: boolean }, { message: string }];
  pause_source: [Id, T.SourceRow];
  resume_source: [Id, T.SourceRow];
  run_source: [Id, T.RunRow];
  bulk_sources: [Body<T.BulkSources>, T.BulkReport];
  import_sources: [Body<T.ImportSources>, T.ImportReport];
  source_completeness: [Id, T.Completeness];
  source_days: [Id, T.DayCount[]];
  source_messages: [Id & { before?: number; limit?: number }, T.MessageRow[]];
  list_runs: [T.RunFilter, T.RunRow[]];
  get_run: [Uid, T.RunDetail];
  cancel_run: [Uid, T.RunRow];
  list_targets: [None, T.TargetRow[]];
  save_target: [Body<T.SaveTarget>, T.TargetRow];
  delete_target: [Uid, { message: string }];
  test_target: [Body<T.SaveTarget>, T.TargetReport];
  send_otp: [Body<T.SendOtp>, T.OtpSent];
  verify_otp: [Body<T.VerifyOtp>, T.OtpVerified];
  finalize_session: [Body<T.Finalize>, T.ContractSession];
  /** Over HTTP alone: the window hands files over by itself. */
  upload_session_file: [Body<FormData>, T.ContractSession];
  list_session_rows: [None, T.SessionRow[]];
  import_session_string: [Body<T.ImportString>, T.SessionRow];
  edit_session: [Id & Body<T.EditSession>, T.SessionRow];
  check_session: [Id, T.SessionRow];
  delete_session: [Id & { log_out: boolean }, { message: string }];
  start_qr: [Body<T.StartQr>, T.TempSession];
  get_temp_session: [Temp, T.TempSession];
  cancel_temp_session: [Temp, { message: string }];
  give_temp_password: [Temp & Body<T.TempPassword>, T.TempSession];
  resend_code: [Temp, T.TempSession];
  key_status: [None, T.KeyStatus];
  retry_key: [None, T.KeyStatus];
  telegram_settings: [None, T.TelegramSettings];
  edit_telegram_settings: [Body<T.EditTelegram>, T.TelegramSettings];
  get_settings: [None, T.Settings];
  edit_settings: [Body<T.EditSettings>, T.Settings];
  overview: [None, T.Overview];
  backup_data: [Body<{ path: string }>, T.DataReport];
  move_data: [Body<{ path: string }>, T.DataReport];
  erase_data: [Body<{ confirm: string }>, T.DataReport];
}

export type OperationId = keyof Operations;
export type Args<O extends OperationId> = Operations[O][0];
export type Answer<O extends OperationId> = Operations[O][1];

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Operation id → method and path; arguments not named in the path become the query. */
export const routes: Record<OperationId, readonly [Method, string]> = {
  list_source_rows: ['GET', '/api/sources'],
  newest_source_rows: ['GET', '/api/sources/newest'],
  create_source: ['POST', '/sources/'],
  get_source_detail: ['GET', '/api/sources/{id}'],
  edit_source: ['PATCH', '/api/sources/{id}'],
  delete_source: ['DELETE', '/sources/{id}'],
  pause_source: ['POST', '/api/sources/{id}/pause'],
  resume_source: ['POST', '/api/sources/{id}/resume'],
  run_source: ['POST', '/api/sources/{id}/run'],
  bulk_sources: ['POST', '/api/sources/bulk'],
  import_sources: ['POST', '/api/sources/import'],
  source_completeness: ['GET', '/api/sources/{id}/completeness'],
  source_days: ['GET', '/api/sources/{id}/days'],
  source_messages: ['GET', '/api/sources/{id}/messages'],
  list_runs: ['GET', '/api/runs'],
  get_run: ['GET', '/api/runs/{uid}'],
  cancel_run: ['POST', '/api/runs/{uid}/cancel'],
  list_targets: ['GET', '/api/targets'],
  save_target: ['POST', '/api/targets'],
  delete_target: ['DELETE', '/api/targets/{uid}'],
  test_target: ['POST', '/api/targets/test'],
  send_otp: ['POST', '/sessions/send-otp'],
  verify_otp: ['POST', '/sessions/verify-otp'],
  finalize_session: ['POST', '/sessions/finalize'],
  upload_session_file: ['POST', '/sessions/upload-file'],
  list_session_rows: ['GET', '/api/sessions'],
  import_session_string: ['POST', '/api/sessions/import-string'],
  edit_session: ['PATCH', '/api/sessions/{id}'],
  check_session: ['POST', '/api/sessions/{id}/check'],
  delete_session: ['DELETE', '/sessions/{id}'],
  start_qr: ['POST', '/api/temp-sessions/qr'],
  get_temp_session: ['GET', '/api/temp-sessions/{id}'],
  cancel_temp_session: ['DELETE', '/api/temp-sessions/{id}'],
  give_temp_password: ['POST', '/api/temp-sessions/{id}/password'],
  resend_code: ['POST', '/api/temp-sessions/{id}/resend'],
  key_status: ['GET', '/api/key'],
  retry_key: ['POST', '/api/key/retry'],
  telegram_settings: ['GET', '/api/settings/telegram'],
  edit_telegram_settings: ['PATCH', '/api/settings/telegram'],
  get_settings: ['GET', '/api/settings'],
  edit_settings: ['PATCH', '/api/settings'],
  overview: ['GET', '/api/overview'],
  backup_data: ['POST', '/api/data/backup'],
  move_data: ['POST', '/api/data/move'],
  erase_data: ['POST', '/api/data/erase'],
};
