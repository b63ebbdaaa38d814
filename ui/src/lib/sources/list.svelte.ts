/** The list's own state: filter, order, choice and the row under the keyboard. Outlives the page. */
import type { SourceRow } from '$lib/api/types';
import { everything, filterRows, sortRows, type Filter, type Sort, type SortKey } from './filter';

export class SourceList {
  rows = $state.raw<SourceRow[]>([]);
  filter = $state<Filter>({ ...everything });
  sort = $state.raw<Sort>({ key: 'added', down: true });
  chosen = $state.raw<ReadonlySet<number>>(new Set());

  // Rows come, go and change places under the person: what is pointed at is kept by id.
  #pointed = $state.raw<Mark | null>(null);
  #anchor: Mark | null = null;
  /** What was chosen when the anchor was set: a range grows and shrinks on top of it. */
  #base: ReadonlySet<number> = new Set();
  /** Where the pointed row was last seen, for when it is gone. */
  #lastPlace = 0;

  // Sorted first: typing then costs a filter only.
  #sorted = $derived(sortRows(this.rows, this.sort));
  shown = $derived(filterRows(this.#sorted, this.filter));
  chosenShown = $derived(this.shown.filter((row) => this.chosen.has(row.id)));

  /** Changes with filter and order: what was pointed at before then counts no more. */
  readonly view = $derived(JSON.stringify([this.filter, this.sort]));
  readonly activeIndex = $derived(this.#placeOf(this.#pointed));
  readonly active = $derived<SourceRow | undefined>(this.shown[this.activeIndex]);

  sortBy(key: SortKey): void {
    const first = key === 'last' || key === 'news';
    this.sort = { key, down: this.sort.key === key ? !this.sort.down : first };
  }

  reset(): void {
    this.filter = { ...everything };
  }

  /** The row the keyboard and the next range start from. */
  point(id: number): void {
    this.#pointed = { id, view: this.view };
    this.#anchorHere();
  }

  /** By so many rows; `extend` chooses from the anchor to where it ends. */
  move(by: number, extend = false): void {
    this.#goto(Math.max(0, Math.min(this.shown.length - 1, this.activeIndex + by)), extend);
  }

  /** Chooses from the anchor to this row. */
  extendTo(id: number): void {
    const place = this.shown.findIndex((row) => row.id === id);
    if (place >= 0) this.#goto(place, true);
  }

  toggle(id: number): void {
    const chosen = new Set(this.chosen);
    if (!chosen.delete(id)) chosen.add(id);
    this.chosen = chosen;
    this.point(id);
  }

  chooseAll(): void {
    this.#choose(new Set(this.shown.map((row) => row.id)));
  }

  chooseNone(): void {
    this.#choose(new Set());
  }

  #goto(place: number, extend: boolean): void {
    const row = this.shown[place];
    if (!row) return;
    if (!extend) return this.point(row.id);
    // Without an anchor the range starts where the keyboard stands.
    if (this.#anchor?.view !== this.view) this.#anchorHere();
    const from = this.#anchor ? this.#placeOf(this.#anchor) : place;
    const range = this.shown.slice(Math.min(from, place), Math.max(from, place) + 1);
    this.#pointed = { id: row.id, view: this.view };
    this.chosen = new Set([...this.#base, ...range.map(({ id }) => id)]);
  }

  #choose(ids: ReadonlySet<number>): void {
    this.chosen = ids;
    this.#base = ids;
  }

  #anchorHere(): void {
    this.#anchor = this.active ? { id: this.active.id, view: this.view } : null;
    this.#base = this.chosen;
  }

  #placeOf(mark: Mark | null): number {
    if (mark?.view !== this.view) return 0;
    const found = this.shown.findIndex((row) => row.id === mark.id);
    if (found < 0) return Math.max(0, Math.min(this.#lastPlace, this.shown.length - 1));
    this.#lastPlace = found;
    return found;
  }
}

interface Mark {
  id: number;
  view: string;
}

export const list = new SourceList();
