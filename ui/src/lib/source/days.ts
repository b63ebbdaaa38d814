/** Days as a chart needs them: without holes, no more than fit. */
import type { DayCount } from '$lib/api/types';

const DAY_MS = 86_400_000;

export interface Bar {
  /** First day of the bar, UTC. */
  day: Date;
  /** Days it stands for. */
  days: number;
  messages: number;
  views: number;
}

/** The newest `limit` bars; days without messages are zero, and long histories fold into weeks or months. */
export function bars(days: DayCount[], limit = 180): Bar[] {
  const known = new Map(days.map((one) => [Date.parse(one.day), one]));
  if (known.size === 0) return [];
  const first = Math.min(...known.keys());
  const last = Math.max(...known.keys());
  const span = (last - first) / DAY_MS + 1;
  const width = span <= limit ? 1 : span <= limit * 7 ? 7 : 30;
  const result: Bar[] = [];
  for (let start = last - (width - 1) * DAY_MS; start > first - width * DAY_MS; start -= width * DAY_MS) {
    const bar: Bar = { day: new Date(start), days: width, messages: 0, views: 0 };
    for (let at = start; at < start + width * DAY_MS; at += DAY_MS) {
      bar.messages += known.get(at)?.messages ?? 0;
      bar.views += known.get(at)?.views ?? 0;
    }
    result.push(bar);
  }
  return result.reverse();
}
