/** A run in words. */
import type { RunCounts, RunRow, Trigger } from '$lib/api/types';
import { adviceFor } from '$lib/errors/codes';
import { bytes, count, plural } from '$lib/format/number';

export const triggers: Record<Trigger, string> = {
  manual: 'Asked for',
  schedule: 'Scheduled',
  created: 'First run',
};

const phases: Record<string, string> = {
  opening: 'Opening the archive',
  forward: 'Reading new messages',
  recent: 'Looking again at the newest',
  backfill: 'Reading history',
  finishing: 'Finishing',
};

export function phase(name: string): string {
  return phases[name] ?? name;
}

export function stateName(run: Pick<RunRow, 'state' | 'code'>): string {
  if ((run.state === 'failed' || run.state === 'paused') && run.code) return adviceFor(run.code).title;
  return {
    queued: 'Queued',
    running: 'Running',
    completed: 'Completed',
    paused: 'Waiting',
    cancelled: 'Cancelled',
    failed: 'Failed',
  }[run.state];
}

/** `3 new, 1 edited, 2 files (1.2 MB)`, or that there was nothing. */
export function outcome(counts: RunCounts): string {
  const parts = [
    counts.messages ? `${count(counts.messages)} new` : '',
    counts.edited ? `${count(counts.edited)} edited` : '',
    counts.gone ? `${count(counts.gone)} gone` : '',
    counts.files ? `${plural(counts.files, 'file')} (${bytes(counts.file_bytes ?? 0)})` : '',
    counts.files_failed ? `${plural(counts.files_failed, 'file')} failed` : '',
  ].filter(Boolean);
  return parts.join(', ') || 'Nothing new';
}

/** Seconds between start and end, or until now. */
export function took(run: Pick<RunRow, 'started_at' | 'finished_at'>, now: Date): number | null {
  if (!run.started_at) return null;
  return (Date.parse(run.finished_at ?? now.toISOString()) - Date.parse(run.started_at)) / 1000;
}
