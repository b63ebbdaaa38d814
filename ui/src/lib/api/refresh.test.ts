import { QueryClient, QueryObserver, type QueryFunction, type QueryKey } from '@tanstack/svelte-query';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { World } from '../../../dev/world';
import { keys } from './queries';
import { patched, Refresher, staleBy } from './refresh';
import type { SourceRow } from './types';

const rows = new World(4).sources;

test('a changed row takes its place, a vanished one leaves, a new one comes last', () => {
  const changed = { ...rows[1]!, name: 'Changed' };
  const added = { ...rows[0]!, id: 99 };
  const now = patched(
    rows,
    new Map([
      [2, changed],
      [3, null],
      [99, added],
    ]),
  );
  expect(now.map(({ id }) => id)).toEqual([1, 2, 4, 99]);
  expect(now[1]).toBe(changed);
  expect(now[0]).toBe(rows[0]);
});

test('live figures stale nothing but what shows them', () => {
  expect(staleBy({ seq: 1, tag: 'progress', source_id: 5, run_uid: 'r' })).toEqual([
    keys.live,
    keys.run('r'),
  ]);
});

test('sessions are read again when they change, and when a source may use one', () => {
  expect(staleBy({ seq: 1, tag: 'sessions' })).toContainEqual(keys.sessions);
  expect(staleBy({ seq: 1, tag: 'sources' })).toContainEqual(keys.sessions);
  expect(staleBy({ seq: 1, tag: 'settings' })).toContainEqual(keys.telegram);
});

test('an event of one source stales that source', () => {
  for (const tag of ['sources', 'runs', 'messages'] as const) {
    expect(staleBy({ seq: 1, tag, source_id: 5 })).toContainEqual(keys.source(5));
  }
});

describe('what is shown becomes what is', () => {
  let client: QueryClient;
  let refresher: Refresher;
  const later = () => vi.advanceTimersByTimeAsync(5000);

  beforeEach(() => {
    vi.useFakeTimers();
    client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 30_000 } } });
    refresher = new Refresher(client);
  });

  afterEach(() => {
    client.clear();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  /** Somebody looks at it. */
  function show<T>(queryKey: QueryKey, queryFn: QueryFunction<T>): () => void {
    return new QueryObserver<T>(client, { queryKey, queryFn, structuralSharing: false }).subscribe(
      () => undefined,
    );
  }

  /** Answers by hand, in the order they were asked for. */
  function byHand<T>() {
    const asked: ((answer: T) => void)[] = [];
    return { asked, read: () => new Promise<T>((resolve) => asked.push(resolve)) };
  }

  /** The server's single row. */
  function serves(row: SourceRow) {
    const asked = vi.fn(() => Promise.resolve(new Response(JSON.stringify(row))));
    vi.stubGlobal('fetch', asked);
    return asked;
  }

  test('a page that never loaded is asked for again when the connection is back', async () => {
    let away = true;
    show(keys.overview, () => (away ? Promise.reject(new Error('away')) : Promise.resolve('here')));
    await later();
    expect(client.getQueryState(keys.overview)?.status).toBe('error');
    away = false;
    await refresher.all();
    expect(client.getQueryData(keys.overview)).toBe('here');
  });

  test.each(['a first reading', 'a later reading'])('a change during %s is not lost', async (which) => {
    const { asked, read } = byHand<string>();
    if (which === 'a later reading') client.setQueryData(keys.overview, 'oldest', { updatedAt: 1 });
    show(keys.overview, read);
    expect(asked).toHaveLength(1);
    refresher.see({ seq: 1, tag: 'sources', source_id: 2 });
    await later();
    expect(asked).toHaveLength(1);
    asked[0]!('before the change');
    await later();
    expect(asked).toHaveLength(2);
    asked[1]!('after the change');
    await later();
    expect(client.getQueryData(keys.overview)).toBe('after the change');
  });

  test('a row changed while the list is on its way is not overwritten by the list', async () => {
    serves({ ...rows[1]!, name: 'Changed' });
    const { asked, read } = byHand<SourceRow[]>();
    show(keys.sources, read);
    refresher.see({ seq: 1, tag: 'sources', source_id: 2 });
    await later();
    asked[0]!(rows);
    await later();
    expect(client.getQueryData<SourceRow[]>(keys.sources)?.map(({ name }) => name)[1]).toBe('Changed');
    expect(asked).toHaveLength(1);
  });

  test('one change reads one row, soon, and never the list', async () => {
    const asked = serves({ ...rows[1]!, name: 'Changed' });
    const list = vi.fn(() => Promise.resolve(rows));
    show(keys.sources, list);
    await later();
    refresher.see({ seq: 1, tag: 'sources', source_id: 2 });
    await vi.advanceTimersByTimeAsync(100);
    expect(client.getQueryData<SourceRow[]>(keys.sources)?.[1]?.name).toBe('Changed');
    expect(asked).toHaveBeenCalledOnce();
    expect(list).toHaveBeenCalledOnce();
  });

  test('many changes read the list once', async () => {
    const list = vi.fn(() => Promise.resolve(rows));
    show(keys.sources, list);
    await later();
    for (let id = 1; id <= 9; id += 1) refresher.see({ seq: id, tag: 'runs', source_id: id });
    await later();
    expect(list).toHaveBeenCalledTimes(2);
  });

  test('one fresh row does not make a stale list look fresh', async () => {
    serves({ ...rows[1]!, name: 'Changed' });
    const leave = show(keys.sources, () => Promise.resolve(rows));
    await later();
    leave();
    refresher.see({ seq: 1, tag: 'sources' });
    await later();
    refresher.see({ seq: 2, tag: 'sources', source_id: 2 });
    await later();
    expect(client.getQueryState(keys.sources)?.isInvalidated).toBe(true);
  });
});
