import { expect, test } from 'vitest';
import { World } from '../../../dev/world';
import { keys } from './queries';
import { patched, staleBy } from './refresh';

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

test('an event of one source stales that source', () => {
  for (const tag of ['sources', 'runs', 'messages'] as const) {
    expect(staleBy({ seq: 1, tag, source_id: 5 })).toContainEqual(keys.source(5));
  }
});
