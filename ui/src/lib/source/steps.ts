/** The picture of a channel's ids, in as many columns as there is room for. */
import type { Completeness } from '$lib/api/types';

export interface Column {
  first: number;
  last: number;
  kept: number;
  empty: number;
  missing: number;
}

/** Neighbours join evenly until at most `most` columns are left; no id is lost. */
export function columns(steps: Completeness['steps'], most: number): Column[] {
  const together = Math.max(1, Math.ceil(steps.length / Math.max(1, most)));
  const result: Column[] = [];
  for (const [index, { first, last, kept, missing }] of steps.entries()) {
    const empty = Math.max(0, last - first + 1 - kept - missing);
    const column = result.at(-1);
    if (!column || index % together === 0) result.push({ first, last, kept, empty, missing });
    else {
      column.last = last;
      column.kept += kept;
      column.empty += empty;
      column.missing += missing;
    }
  }
  return result;
}

/** Up to where a column is filled, in percent: with what is kept, and above it with what is empty. */
export function levels({ kept, empty, missing }: Column): { kept: number; asked: number } {
  const size = kept + empty + missing || 1;
  return { kept: (100 * kept) / size, asked: (100 * (kept + empty)) / size };
}
