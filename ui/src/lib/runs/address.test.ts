import { expect, test } from 'vitest';
import { withoutRun, withRun } from './address';

test('a run opened from a source closes onto that source', () => {
  const source = new URL('http://localhost/source?id=7');
  const opened = withRun(source, 'abc');
  expect(opened).toBe('/source?id=7&run=abc');
  expect(withoutRun(new URL(opened, source))).toBe('/source?id=7');
});

test('a run opened in Activity closes onto Activity', () => {
  expect(withoutRun(new URL('http://localhost/runs?run=abc'))).toBe('/runs');
});
