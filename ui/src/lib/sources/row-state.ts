/** Where a source stands, in one word: what its dot, its filter and its title share. */
import type { RunRow, SourceRow } from '$lib/api/types';
import { adviceFor } from '$lib/errors/codes';
import type { DotState } from '$lib/ui/StateDot.svelte';

export type RowState = 'running' | 'queued' | 'paused' | 'failed' | 'waiting' | 'ok' | 'none';

export function rowState(row: Pick<SourceRow, 'paused_at' | 'last_run'>): RowState {
  const run = row.last_run?.state;
  if (run === 'running' || run === 'queued') return run;
  if (row.paused_at) return 'paused';
  if (run === 'failed') return 'failed';
  if (run === 'paused') return 'waiting';
  return run ? 'ok' : 'none';
}

const words: Record<RowState, string> = {
  running: 'Running',
  queued: 'Queued',
  paused: 'Paused',
  failed: 'Failed',
  waiting: 'Waiting',
  ok: 'Up to date',
  none: 'Not run yet',
};

export function stateWords(row: SourceRow): string {
  const state = rowState(row);
  const code = row.last_run?.code;
  if ((state === 'failed' || state === 'waiting') && code) return adviceFor(code).title;
  return words[state];
}

export const dotOf = (state: RowState): DotState => state;

/** A run's own dot. */
export function runDot(run: Pick<RunRow, 'state'>): DotState {
  const dots = {
    queued: 'queued',
    running: 'running',
    completed: 'ok',
    paused: 'waiting',
    cancelled: 'paused',
    failed: 'failed',
  } as const;
  return dots[run.state];
}
