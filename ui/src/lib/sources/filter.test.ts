import { describe, expect, test } from 'vitest';
import { World } from '../../../dev/world';
import { everything, filterRows, sortRows } from './filter';
import { rowState } from './row-state';

const rows = new World(60).sources;
const named = (name: string, extra = {}) => ({
  ...rows[0]!,
  name,
  channel_title: '',
  identifier: '@x',
  ...extra,
});

describe('a filter', () => {
  test('that asks for nothing keeps every row, and the very same list', () => {
    expect(filterRows(rows, everything)).toBe(rows);
  });

  test.each(['cafe', 'CAFÉ', 'météo caf', '  café  '])('finds "Café Météo" by "%s"', (text) => {
    expect(filterRows([named('Café Météo'), named('Harbour')], { ...everything, text })).toHaveLength(1);
  });

  test('looks at names, titles, identifiers and targets', () => {
    const row = named('A', {
      channel_title: 'Tides',
      identifier: '@harbour_1',
      target_name: 'Archive share',
    });
    for (const text of ['tides', '@harbour_1', 'archive share']) {
      expect(filterRows([row], { ...everything, text })).toEqual([row]);
    }
  });

  test('needs every word', () => {
    expect(filterRows([named('Tide tables')], { ...everything, text: 'tide harbour' })).toEqual([]);
  });

  test('combines state, access and target', () => {
    const found = filterRows(rows, { text: '', state: 'ok', access: 'public', target: 'NAS' });
    expect(found.length).toBeGreaterThan(0);
    for (const row of found) {
      expect([rowState(row), row.access_level, row.target]).toEqual(['ok', 'public', 'NAS']);
    }
  });
});

describe('an order', () => {
  test('puts news first when asked, and keeps ties by number', () => {
    const sorted = sortRows(rows, { key: 'news', down: true });
    const news = sorted.map((row) => row.last_run?.counts.messages ?? -1);
    expect(news).toEqual([...news].sort((a, b) => b - a));
  });

  test('puts sources that are never due last', () => {
    const sorted = sortRows(rows, { key: 'next', down: false });
    const lastDue = sorted.findLastIndex((row) => row.next_run_at);
    expect(sorted.slice(lastDue + 1).every((row) => !row.next_run_at)).toBe(true);
  });

  test('never changes the list it was given', () => {
    const before = rows.map(({ id }) => id);
    sortRows(rows, { key: 'name', down: true });
    expect(rows.map(({ id }) => id)).toEqual(before);
  });
});

describe('the state of a row', () => {
  const run = (state: string) => ({ ...rows[1]!.last_run!, state }) as never;
  test.each([
    [
      'a running run wins over a pause',
      { paused_at: '2026-01-01T00:00:00Z', last_run: run('running') },
      'running',
    ],
    ['a pause wins over a failure', { paused_at: '2026-01-01T00:00:00Z', last_run: run('failed') }, 'paused'],
    ['a run that waits is waiting', { last_run: run('paused') }, 'waiting'],
    ['no run yet', { last_run: null }, 'none'],
  ])('%s', (_, row, state) => {
    expect(rowState(row)).toBe(state);
  });
});
