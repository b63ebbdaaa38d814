/** Every operation of the app: its id, its arguments, its answer, and its place under HTTP. */
import type * as T from './types';

type Id = { id: number };
type Uid = { uid: string };
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
  get_settings: ['GET', '/api/settings'],
  edit_settings: ['PATCH', '/api/settings'],
  overview: ['GET', '/api/overview'],
  backup_data: ['POST', '/api/data/backup'],
  move_data: ['POST', '/api/data/move'],
  erase_data: ['POST', '/api/data/erase'],
};
