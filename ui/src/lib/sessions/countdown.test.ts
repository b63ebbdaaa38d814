import { expect, test } from 'vitest';
import { clockFace, secondsLeft } from './countdown';

const now = Date.parse('2026-03-01T12:00:00Z');

test.each([
  ['2026-03-01T12:00:30Z', 30],
  ['2026-03-01T12:00:00.001Z', 1],
  ['2026-03-01T12:00:00Z', 0],
  ['2026-03-01T11:00:00Z', 0],
  [now + 1500, 2],
  [null, 0],
  [undefined, 0],
  ['no time at all', 0],
])('until %s there are %i seconds', (until, left) => {
  expect(secondsLeft(until, now)).toBe(left);
});

test.each([
  [0, '0:00'],
  [7, '0:07'],
  [272, '4:32'],
  [3723, '1:02:03'],
  [86_400, '24:00:00'],
])('%i seconds show as %s', (left, face) => {
  expect(clockFace(left)).toBe(face);
});
