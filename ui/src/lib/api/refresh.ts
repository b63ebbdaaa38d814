/** Turns events into fresh queries: gathered for a moment, and no more than is shown. */
import type { Query, QueryClient, QueryKey } from '@tanstack/svelte-query';
import { call } from './client';
import { keys } from './queries';
import type { GleanerEvent, SourceRow } from './types';

/** After a quiet while the first event is answered this soon: a press of Pause shows at once. */
const FIRST_MS = 50;
/** Events that follow are gathered this long; a run's live figures come up to four times a second. */
const GATHER_MS = 400;
/** Reading again takes at most this share of the time: one in four. */
const REST = 3;
/** Up to so many changed rows are read one by one; beyond, the whole list is cheaper. */
const ROWS_ONE_BY_ONE = 8;

export class Refresher {
  #client: QueryClient;
  #stale = new Map<string, QueryKey>();
  #rows = new Set<number>();
  #allRows = false;
  #waiting = false;
  #lastFlush = -Infinity;

  constructor(client: QueryClient) {
    this.#client = client;
  }

  see(event: GleanerEvent): void {
    for (const key of staleBy(event)) this.#stale.set(JSON.stringify(key), key);
    if (touchesRows(event)) {
      if (event.source_id == null) this.#allRows = true;
      else this.#rows.add(event.source_id);
    }
    this.#wait();
  }

  /** Events may have been missed until now: what was asked for before is asked for again, failed or not. */
  async all(): Promise<void> {
    const asked = this.#client
      .getQueryCache()
      .findAll()
      .filter(({ state }) => state.fetchStatus !== 'idle' || state.status !== 'pending');
    await Promise.allSettled(asked.map((query) => this.#readAgain(query)));
  }

  async #flush(): Promise<void> {
    const started = performance.now();
    const stale = [...this.#stale.values()];
    const rows = [...this.#rows];
    const allRows = this.#allRows || rows.length > ROWS_ONE_BY_ONE;
    this.#stale.clear();
    this.#rows.clear();
    this.#allRows = false;
    if (allRows) stale.push(keys.sources);
    const queries = new Set(stale.flatMap((queryKey) => this.#client.getQueryCache().findAll({ queryKey })));
    await Promise.allSettled([
      ...[...queries].map((query) => this.#readAgain(query)),
      allRows ? undefined : this.#patch(rows),
    ]);
    this.#waiting = false;
    this.#lastFlush = performance.now();
    if (this.#stale.size + this.#rows.size > 0 || this.#allRows) {
      this.#wait(REST * (this.#lastFlush - started));
    }
  }

  #wait(ms = 0): void {
    if (this.#waiting) return;
    this.#waiting = true;
    const quiet = performance.now() - this.#lastFlush > GATHER_MS;
    setTimeout(() => void this.#flush(), Math.max(quiet ? FIRST_MS : GATHER_MS, ms));
  }

  /** Reading that is under way may have begun before the change: it is let finish, then done again. */
  async #readAgain(query: Query): Promise<void> {
    await settled(query);
    const { queryKey } = query;
    await this.#client.invalidateQueries({ queryKey, exact: true }, { cancelRefetch: false });
  }

  /** Reads changed rows alone, so that one event never costs a list of ten thousand. */
  async #patch(ids: number[]): Promise<void> {
    const list = this.#client.getQueryCache().find<SourceRow[]>({ queryKey: keys.sources });
    if (!list || ids.length === 0) return;
    // A list under way would arrive over the fresh rows, and may be older than they are.
    await settled(list);
    // A list that is read anew when it is next shown must not look fresh for one row's sake.
    if (list.state.data === undefined || list.state.isInvalidated) return;
    const fresh = new Map<number, SourceRow | null>();
    await Promise.all(
      ids.map((id) =>
        call('get_source_detail', { id }).then(
          (row) => fresh.set(id, row),
          (error: { code?: string }) => error.code === 'SOURCE_NOT_FOUND' && fresh.set(id, null),
        ),
      ),
    );
    this.#client.setQueryData<SourceRow[]>(keys.sources, (rows) => rows && patched(rows, fresh));
  }
}

async function settled(query: Pick<Query, 'state' | 'promise'>): Promise<void> {
  if (query.state.fetchStatus === 'idle') return;
  await query.promise?.catch(() => undefined);
}

/** `rows` with the fresh ones in their places, new ones at the end, vanished ones gone. */
export function patched(rows: SourceRow[], fresh: Map<number, SourceRow | null>): SourceRow[] {
  const left = new Map(fresh);
  const kept = rows.flatMap((row) => {
    const now = left.get(row.id);
    left.delete(row.id);
    return now === undefined ? [row] : now === null ? [] : [now];
  });
  return [...kept, ...[...left.values()].filter((row) => row !== null)];
}

export function staleBy(event: GleanerEvent): QueryKey[] {
  const source = event.source_id == null ? [] : [keys.source(event.source_id)];
  const run = event.run_uid == null ? [] : [keys.run(event.run_uid)];
  switch (event.tag) {
    case 'sources':
      // A session's row names the sources that use it.
      return [keys.overview, keys.sessions, ...source];
    case 'runs':
      return [keys.runs, keys.live, keys.overview, ...source, ...run];
    case 'progress':
      return [keys.live, ...run];
    case 'messages':
      return [keys.overview, ...source];
    case 'targets':
      return [keys.targets, keys.sources];
    case 'sessions':
      return [keys.sessions, keys.key];
    case 'settings':
      return [keys.settings, keys.telegram, keys.key];
  }
}

function touchesRows(event: GleanerEvent): boolean {
  return event.tag === 'sources' || event.tag === 'runs' || event.tag === 'messages';
}
