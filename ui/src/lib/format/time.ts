/** Times for people, in their own zone; the exact one is always a hover away. */
const exactFormat = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'long',
});
const dayFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const dayThisYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** With date, seconds and zone: for titles. */
export function exact(at: string | Date): string {
  return exactFormat.format(new Date(at));
}

export function day(at: string | Date, now = new Date()): string {
  const date = new Date(at);
  return (date.getFullYear() === now.getFullYear() ? dayThisYear : dayFormat).format(date);
}

export function clock(at: string | Date): string {
  return clockFormat.format(new Date(at));
}

const steps: [limit: number, unit: number, suffix: string][] = [
  [60, 1, 's'],
  [3600, 60, 'm'],
  [86_400, 3600, 'h'],
  [86_400 * 14, 86_400, 'd'],
];

/** `just now`, `4m ago`, `in 3h`; beyond two weeks the day. */
export function relative(at: string | Date, now: Date): string {
  const seconds = (new Date(at).getTime() - now.getTime()) / 1000;
  const size = Math.abs(seconds);
  if (size < 10) return seconds > 0 ? 'now' : 'just now';
  const step = steps.find(([limit]) => size < limit);
  if (!step) return day(at, now);
  const text = `${Math.floor(size / step[1])}${step[2]}`;
  return seconds > 0 ? `in ${text}` : `${text} ago`;
}

/** `45s`, `3m 20s`, `2h 05m`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${String(s % 60).padStart(2, '0')}s`;
  return `${Math.floor(s / 3600)}h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')}m`;
}
