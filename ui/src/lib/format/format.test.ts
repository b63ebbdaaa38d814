import { describe, expect, test } from 'vitest';
import { bytes, percent, plural } from './number';
import { history, interval, schedule } from './schedule';
import { duration, relative } from './time';

const now = new Date('2026-03-01T12:00:00Z');
const at = (seconds: number) => new Date(now.getTime() + seconds * 1000);

describe('times are said as a person would', () => {
  test.each([
    [-3, 'just now'],
    [3, 'now'],
    [-59, '59s ago'],
    [-60, '1m ago'],
    [-3599, '59m ago'],
    [7200, 'in 2h'],
    [-86_400 * 3, '3d ago'],
  ])('%i seconds away is %s', (seconds, words) => {
    expect(relative(at(seconds), now)).toBe(words);
  });

  test('beyond two weeks the day is said', () => {
    expect(relative(at(-86_400 * 60), now)).not.toMatch(/ago/);
  });

  test.each([
    [0, '0s'],
    [59.6, '1m 00s'],
    [200, '3m 20s'],
    [7500, '2h 05m'],
  ])('%d seconds last %s', (seconds, words) => {
    expect(duration(seconds)).toBe(words);
  });
});

describe('sizes and shares', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [999_600, '1.0 MB'],
    [12_400_000, '12.4 MB'],
    [123_400_000, '123 MB'],
  ])('%i bytes are %s', (value, words) => {
    expect(bytes(value)).toBe(words);
  });

  test('what is not whole is never called whole', () => {
    expect(percent(9_999_999, 10_000_000)).toBe('99.9 %');
    expect(percent(10, 10)).toBe('100 %');
    expect(percent(0, 0)).toBe('0 %');
  });

  test('one thing is one thing', () => {
    expect(plural(1, 'source')).toBe('1 source');
    expect(plural(12_000, 'source')).toBe('12,000 sources');
  });
});

describe('schedules', () => {
  test.each([
    [1, 'Every minute'],
    [15, 'Every 15 min'],
    [60, 'Every hour'],
    [90, 'Every 90 min'],
    [360, 'Every 6 hours'],
    [1440, 'Every day'],
    [2880, 'Every 2 days'],
  ])('%i minutes are "%s"', (minutes, words) => {
    expect(interval(minutes)).toBe(words);
  });

  test('every kind of schedule and of history has words', () => {
    expect(schedule({ kind: 'cron', pattern: '0 8 * * *', zone: 'UTC' })).toBe('0 8 * * *');
    expect(schedule({ kind: 'manual' })).toBe('Manual');
    expect(history({ from: 'since', date: '2026-01-01' })).toBe('Since 2026-01-01');
    expect(history(undefined)).toBe('Everything');
  });
});
