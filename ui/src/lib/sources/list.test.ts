import { beforeEach, describe, expect, test } from 'vitest';
import { World } from '../../../dev/world';
import { SourceList } from './list.svelte';

let list: SourceList;
const chosen = () => [...list.chosen].sort((a, b) => a - b);

beforeEach(() => {
  list = new SourceList();
  list.rows = new World(20).sources;
  list.sort = { key: 'added', down: false };
});

describe('the row under the keyboard', () => {
  test('is the first at first, and moves within the list', () => {
    expect(list.active?.id).toBe(1);
    list.move(-5);
    expect(list.active?.id).toBe(1);
    list.move(1e9);
    expect(list.active?.id).toBe(20);
  });

  test('stays the same row when rows come and go above it', () => {
    list.point(10);
    list.rows = list.rows.filter(({ id }) => id > 5);
    expect([list.active?.id, list.activeIndex]).toEqual([10, 4]);
  });

  test('is the next one in its place when it is deleted', () => {
    list.point(10);
    expect(list.activeIndex).toBe(9);
    list.rows = list.rows.filter(({ id }) => id !== 10);
    expect(list.active?.id).toBe(11);
  });

  test('is the first again under another filter or order', () => {
    list.point(10);
    list.filter.access = 'public';
    expect(list.activeIndex).toBe(0);
    list.reset();
    list.point(10);
    list.sortBy('name');
    expect(list.activeIndex).toBe(0);
  });
});

describe('a range', () => {
  test('grows and shrinks from where it was begun', () => {
    list.point(5);
    list.move(1, true);
    list.move(1, true);
    expect(chosen()).toEqual([5, 6, 7]);
    list.move(-1, true);
    expect(chosen()).toEqual([5, 6]);
    list.move(-3, true);
    expect(chosen()).toEqual([3, 4, 5]);
  });

  test('begins at the row last pressed or moved to, not at the one last ticked', () => {
    list.toggle(2);
    list.point(8);
    list.extendTo(10);
    expect(chosen()).toEqual([2, 8, 9, 10]);
    list.chooseNone();
    list.move(2);
    list.move(1, true);
    expect(chosen()).toEqual([12, 13]);
  });

  test('keeps what was ticked before', () => {
    list.toggle(15);
    list.point(3);
    list.extendTo(5);
    list.extendTo(4);
    expect(chosen()).toEqual([3, 4, 15]);
  });

  test('means the same rows after the list changed', () => {
    list.point(6);
    list.rows = list.rows.filter(({ id }) => id > 4);
    list.extendTo(8);
    expect(chosen()).toEqual([6, 7, 8]);
  });

  test('begins at the keyboard where filter or order changed since', () => {
    list.point(12);
    list.filter.target = 'LOCAL';
    const [first, second] = list.shown;
    list.move(1, true);
    expect(chosen()).toEqual([first!.id, second!.id]);
  });
});

test('ticking twice unticks', () => {
  list.toggle(4);
  list.toggle(4);
  expect(chosen()).toEqual([]);
});
