/** The list's own state: filter, order, choice and the row under the keyboard. Outlives the page. */
import type { SourceRow } from '$lib/api/types';
import { everything, filterRows, sortRows, type Filter, type Sort, type SortKey } from './filter';

class SourceList {
  rows = $state.raw<SourceRow[]>([]);
  filter = $state<Filter>({ ...everything });
  sort = $state.raw<Sort>({ key: 'added', down: true });
  chosen = $state.raw<ReadonlySet<number>>(new Set());
  active = $state(0);
  #anchor = 0;

  // Sorted first: typing then costs a filter only.
  #sorted = $derived(sortRows(this.rows, this.sort));
  shown = $derived(filterRows(this.#sorted, this.filter));
  chosenShown = $derived(this.shown.filter((row) => this.chosen.has(row.id)));

  sortBy(key: SortKey): void {
    const first = key === 'last' || key === 'news';
    this.sort = { key, down: this.sort.key === key ? !this.sort.down : first };
  }

  reset(): void {
    this.filter = { ...everything };
  }

  toggle(index: number, range = false): void {
    const chosen = new Set(this.chosen);
    const to = this.shown[index];
    if (!to) return;
    const on = !chosen.has(to.id);
    const [from, until] = range
      ? [Math.min(this.#anchor, index), Math.max(this.#anchor, index)]
      : [index, index];
    for (const row of this.shown.slice(from, until + 1)) {
      if (on || range) chosen.add(row.id);
      else chosen.delete(row.id);
    }
    this.#anchor = index;
    this.chosen = chosen;
  }

  chooseAll(): void {
    this.chosen = new Set(this.shown.map((row) => row.id));
  }

  chooseNone(): void {
    this.chosen = new Set();
  }

  move(by: number): void {
    this.active = Math.max(0, Math.min(this.shown.length - 1, this.active + by));
  }
}

export const list = new SourceList();
