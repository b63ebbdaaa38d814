import { expect, test } from 'vitest';
import { columns, levels } from './steps';

test('a step with one kept id among many empty ones is not drawn as kept', () => {
  const [column] = columns([{ first: 1, last: 50, kept: 1, missing: 24 }], 100);
  expect(column).toEqual({ first: 1, last: 50, kept: 1, empty: 25, missing: 24 });
  expect(levels(column!)).toEqual({ kept: 2, asked: 52 });
});

test('joined columns lose no id', () => {
  const steps = Array.from({ length: 200 }, (_, i) => ({
    first: i * 10 + 1,
    last: (i + 1) * 10,
    kept: i % 10,
    missing: 1,
  }));
  const joined = columns(steps, 90);
  expect(joined).toHaveLength(67);
  expect(joined.at(-1)?.last).toBe(2000);
  const ids = joined.reduce((sum, { kept, empty, missing }) => sum + kept + empty + missing, 0);
  expect(ids).toBe(2000);
});

test('before the first run there is nothing to draw', () => {
  expect(columns([], 0)).toEqual([]);
});
