import { expect, test } from 'vitest';
import { QUIET, qrPath, qrSide } from './qr';

/** Draws the path again, square by square. */
function drawn(path: string, side: number): string[] {
  const squares = Array.from({ length: side }, () => Array<string>(side).fill('0'));
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g))
    for (let i = 0; i < Number(length); i += 1) squares[Number(y)]![Number(x) + i] = '1';
  return squares.map((row) => row.join(''));
}

test('every dark square is drawn once, with white around', () => {
  const rows = ['1011', '0000', '0110', '1111'];
  const side = qrSide(rows);
  expect(side).toBe(4 + 2 * QUIET);
  const picture = drawn(qrPath(rows), side);
  expect(picture.slice(QUIET, -QUIET).map((row) => row.slice(QUIET, -QUIET))).toEqual(rows);
  expect(picture.join('').replaceAll('0', '')).toHaveLength(9);
});

test('nothing is drawn of nothing', () => {
  expect(qrPath([])).toBe('');
});
