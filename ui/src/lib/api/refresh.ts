/** Turns events into fresh queries: gathered for a moment, and no more than is shown. */
import type { QueryClient, QueryKey } from '@tanstack/svelte-query';
import { call } from './client';
import { keys } from './queries';
import type { GleanerEvent, SourceRow } from './types';

/** Events are gathered this long at least; a run's live figures come up to four times a second. */
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

  /** Events may have been missed until now: what was read before is read again. */
  all(): void {
    const predicate = ({ state }: { state: { dataUpdatedAt: number } }) => state.dataUpdatedAt > 0;
    void this.#client.invalidateQueries({ predicate }, { cancelRefetch: false });
  }

  async #flush(): Promise<void> {
    const started = performance.now();
    const stale = [...this.#stale.values()];
    const rows = [...this.#rows];
    const allRows = this.#allRows || rows.length > ROWS_ONE_BY_ONE;
    this.#stale.clear();
    this.#rows.clear();
    this.#allRows = false;
    await Promise.allSettled([
      ...stale.map((queryKey) => this.#client.invalidateQueries({ queryKey }, { cancelRefetch: false })),
      allRows
        ? this.#client.invalidateQueries({ queryKey: keys.sources }, { cancelRefetch: false })
        : this.#patch(rows),
    ]);
    this.#waiting = false;
    if (this.#stale.size + this.#rows.size > 0 || this.#allRows) {
      this.#wait(REST * (performance.now() - started));
    }
  }

  #wait(ms = 0): void {
    if (this.#waiting) return;
    this.#waiting = true;
    setTimeout(() => void this.#flush(), Math.max(GATHER_MS, ms));
  }

  /** Reads changed rows alone, so that one event never costs a list of ten thousand. */
  async #patch(ids: number[]): Promise<void> {
    if (ids.length === 0 || this.#client.getQueryData(keys.sources) === undefined) return;
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
      return [keys.overview, ...source];
    case 'runs':
      return [keys.runs, keys.live, keys.overview, ...source, ...run];
    case 'progress':
      return [keys.live, ...run];
    case 'messages':
      return [keys.overview, ...source];
    case 'targets':
      return [keys.targets, keys.sources];
    case 'settings':
      return [keys.settings];
  }
}

function touchesRows(event: GleanerEvent): boolean {
  return event.tag === 'sources' || event.tag === 'runs' || event.tag === 'messages';
}
