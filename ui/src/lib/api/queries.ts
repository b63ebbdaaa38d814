/** What the pages read, keyed so that an event's tag says what to read again. */
import { infiniteQueryOptions, QueryClient, queryOptions } from '@tanstack/svelte-query';
import { call } from './client';
import { ApiError } from './error';
import type { RunRow, RunState } from './types';

export const keys = {
  sources: ['sources'] as const,
  newest: ['newest'] as const,
  source: (id: number) => ['source', id] as const,
  runs: ['runs'] as const,
  live: ['live'] as const,
  run: (uid: string) => ['run', uid] as const,
  targets: ['targets'] as const,
  sessions: ['sessions'] as const,
  key: ['key'] as const,
  telegram: ['telegram'] as const,
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

/** What goes on now, and some of what waits: thousands may, and the overview counts them. */
export const liveRuns = () =>
  queryOptions({
    queryKey: keys.live,
    queryFn: async () => {
      const [running, queued] = await Promise.all([
        call('list_runs', { state: 'running', limit: 100 }),
        call('list_runs', { state: 'queued', limit: 20 }),
      ]);
      return [...running, ...queued];
    },
  });

const RUNS_A_PAGE = 200;

/** Runs that are over, newest first, a page at a time. */
export const runHistory = (state: RunState | undefined, search: string) =>
  infiniteQueryOptions({
    queryKey: [...keys.runs, 'history', state, search],
    queryFn: ({ pageParam: before }) =>
      call('list_runs', {
        over: true,
        state,
        search: search === '' ? undefined : search,
        before,
        limit: RUNS_A_PAGE,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: RunRow[]) => (page.length < RUNS_A_PAGE ? undefined : page.at(-1)?.uid),
    // The rows before stay while the next are on their way: typing does not blink.
    placeholderData: (before) => before,
  });

export const run = (uid: string) =>
  queryOptions({ queryKey: keys.run(uid), queryFn: () => call('get_run', { uid }) });

export const targets = () => queryOptions({ queryKey: keys.targets, queryFn: () => call('list_targets') });

export const sessionRows = () =>
  queryOptions({ queryKey: keys.sessions, queryFn: () => call('list_session_rows') });

/** Whether the key that sessions are sealed with is there. */
export const keyStatus = () => queryOptions({ queryKey: keys.key, queryFn: () => call('key_status') });

/** With what logins are made. */
export const telegramSettings = () =>
  queryOptions({ queryKey: keys.telegram, queryFn: () => call('telegram_settings') });

export const settings = () => queryOptions({ queryKey: keys.settings, queryFn: () => call('get_settings') });

export const overview = () => queryOptions({ queryKey: keys.overview, queryFn: () => call('overview') });
