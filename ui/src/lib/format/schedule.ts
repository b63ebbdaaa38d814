/** Schedules in words. */
import type { HistoryStart, Schedule } from '$lib/api/types';

export function interval(minutes: number): string {
  if (minutes % 1440 === 0) return minutes === 1440 ? 'Every day' : `Every ${minutes / 1440} days`;
  if (minutes % 60 === 0) return minutes === 60 ? 'Every hour' : `Every ${minutes / 60} hours`;
  return minutes === 1 ? 'Every minute' : `Every ${minutes} min`;
}

export function schedule(value: Schedule): string {
  switch (value.kind) {
    case 'interval':
      return interval(value.minutes);
    case 'cron':
      return value.pattern;
    case 'manual':
      return 'Manual';
  }
}

/** The same with everything said, for titles. */
export function scheduleInFull(value: Schedule): string {
  return value.kind === 'cron' ? `Cron ${value.pattern} (${value.zone})` : schedule(value);
}

export function history(value: HistoryStart | undefined): string {
  switch (value?.from) {
    case 'since':
      return `Since ${value.date}`;
    case 'now':
      return 'From the day it was added';
    default:
      return 'Everything';
  }
}
