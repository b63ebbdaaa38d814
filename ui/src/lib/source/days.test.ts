import { describe, expect, test } from 'vitest';
import { bars } from './days';

const day = (text: string, messages: number) => ({ day: text, messages, views: 10 * messages });

describe('bars of a chart', () => {
  test('days without messages are drawn as zero', () => {
    const result = bars([day('2026-03-01', 2), day('2026-03-04', 5)]);
    expect(result.map(({ messages }) => messages)).toEqual([2, 0, 0, 5]);
  });

  test('a long history folds into weeks and loses nothing', () => {
    const start = Date.parse('2024-01-01');
    const days = Array.from({ length: 400 }, (_, i) =>
      day(new Date(start + i * 86_400_000).toISOString().slice(0, 10), 1),
    );
    const result = bars(days);
    expect(result[0]?.days).toBe(7);
    expect(result.reduce((sum, { messages }) => sum + messages, 0)).toBe(400);
  });

  test('nothing gives nothing', () => {
    expect(bars([])).toEqual([]);
  });
});
