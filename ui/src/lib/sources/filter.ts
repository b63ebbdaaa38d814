/** Which sources are shown, and in which order. Pure, and quick enough for every keystroke on 10,000 rows. */
import type { AccessLevel, SourceRow, TargetKind } from '$lib/api/types';
import { rowState, type RowState } from './row-state';

export interface Filter {
  text: string;
  state: 'any' | RowState;
  access: 'any' | AccessLevel;
  target: 'any' | TargetKind;
}

export const everything: Filter = { text: '', state: 'any', access: 'any', target: 'any' };

export type SortKey = 'added' | 'name' | 'title' | 'target' | 'last' | 'news' | 'next';

export interface Sort {
  key: SortKey;
  down: boolean;
}

export function filterRows(rows: SourceRow[], filter: Filter): SourceRow[] {
  const words = fold(filter.text).split(/\s+/).filter(Boolean);
  const tests: ((row: SourceRow) => boolean)[] = [];
  if (filter.state !== 'any') tests.push((row) => rowState(row) === filter.state);
  if (filter.access !== 'any') tests.push((row) => row.access_level === filter.access);
  if (filter.target !== 'any') tests.push((row) => row.target === filter.target);
  if (words.length > 0) {
    tests.push((row) => {
      const hay = haystack(row);
      return words.every((word) => hay.includes(word));
    });
  }
  return tests.length === 0 ? rows : rows.filter((row) => tests.every((test) => test(row)));
}

export function isFiltering(filter: Filter): boolean {
  return (
    filter.text.trim() !== '' || filter.state !== 'any' || filter.access !== 'any' || filter.target !== 'any'
  );
}

export function sortRows(rows: SourceRow[], sort: Sort): SourceRow[] {
  const keyed = rows.map((row) => ({ row, value: values[sort.key](row) }));
  const sign = sort.down ? -1 : 1;
  keyed.sort((a, b) => sign * compare(a.value, b.value) || a.row.id - b.row.id);
  return keyed.map(({ row }) => row);
}

const values: Record<SortKey, (row: SourceRow) => string | number> = {
  added: (row) => row.id,
  name: (row) => fold(row.name),
  title: (row) => fold(row.channel_title),
  target: (row) => `${row.target} ${row.target_name}`,
  last: (row) => time(row.last_run?.finished_at ?? row.last_run?.started_at ?? row.last_run?.created_at),
  news: (row) => row.last_run?.counts.messages ?? -1,
  next: (row) => time(row.next_run_at) || Number.MAX_SAFE_INTEGER,
};

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function time(at: string | null | undefined): number {
  return at ? Date.parse(at) : 0;
}

const haystacks = new WeakMap<SourceRow, string>();

function haystack(row: SourceRow): string {
  let text = haystacks.get(row);
  if (text === undefined) {
    text = fold(`${row.name}\n${row.identifier}\n${row.channel_title}\n${row.target_name}`);
    haystacks.set(row, text);
  }
  return text;
}

/** Without case and accents: "cafe" finds "Café". */
function fold(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase();
}
