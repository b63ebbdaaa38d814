/** What the pages read, keyed so that an event's tag says what to read again. */
import { QueryClient, queryOptions } from '@tanstack/svelte-query';
import { call } from './client';
import { ApiError } from './error';
import type { RunState } from './types';

export const keys = {
  sources: ['sources'] as const,
  newest: ['newest'] as const,
  source: (id: number) => ['source', id] as const,
  runs: ['runs'] as const,
  live: ['live'] as const,
  run: (uid: string) => ['run', uid] as const,
  targets: ['targets'] as const,
  settings: ['settings'] as const,
  overview: ['overview'] as const,
};

export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The app is on this machine or next to it: it answers while the internet is away.
        networkMode: 'always',
        staleTime: 30_000,
        refetchOnWindowFocus: false,
        retry: (count, error) => ApiError.from(error).code === 'DISCONNECTED' && count < 2,
      },
    },
  });
}

/** Ten thousand rows are replaced, not compared member by member. */
export const sourceRows = () =>
  queryOptions({ queryKey: keys.sources, queryFn: () => call('list_source_rows'), structuralSharing: false });

/** A screenful to look at while thousands are on their way. Asked once: the whole list takes over. */
export const newestRows = () =>
  queryOptions({
    queryKey: keys.newest,
    queryFn: () => call('newest_source_rows', { limit: 60 }),
    staleTime: Infinity,
    gcTime: 0,
  });

export const sourceDetail = (id: number) =>
  queryOptions({
    queryKey: [...keys.source(id), 'detail'],
    queryFn: () => call('get_source_detail', { id }),
  });

export const completeness = (id: number) =>
  queryOptions({
    queryKey: [...keys.source(id), 'completeness'],
    queryFn: () => call('source_completeness', { id }),
  });

export const days = (id: number) =>
  queryOptions({ queryKey: [...keys.source(id), 'days'], queryFn: () => call('source_days', { id }) });

export const messages = (id: number, limit: number) =>
  queryOptions({
    queryKey: [...keys.source(id), 'messages', limit],
    queryFn: () => call('source_messages', { id, limit }),
    placeholderData: (before) => before,
  });

export const runsOf = (id: number) =>
  queryOptions({
    queryKey: [...keys.runs, 'of', id],
    queryFn: () => call('list_runs', { source_id: id, limit: 20 }),
  });

/** What goes on or waits now. */
export const liveRuns = () =>
  queryOptions({
    queryKey: keys.live,
    queryFn: async () => {
      const [running, queued] = await Promise.all([
        call('list_runs', { state: 'running', limit: 100 }),
        call('list_runs', { state: 'queued', limit: 100 }),
      ]);
      return [...running, ...queued];
    },
  });

export const runPage = (state: RunState | undefined, before: string | undefined) =>
  call('list_runs', { state, before, limit: 200 });

export const run = (uid: string) =>
  queryOptions({ queryKey: keys.run(uid), queryFn: () => call('get_run', { uid }) });

export const targets = () => queryOptions({ queryKey: keys.targets, queryFn: () => call('list_targets') });

export const settings = () => queryOptions({ queryKey: keys.settings, queryFn: () => call('get_settings') });

export const overview = () => queryOptions({ queryKey: keys.overview, queryFn: () => call('overview') });
