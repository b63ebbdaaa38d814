/** The made-up facts behind the mock: deterministic, varied, with long and right-to-left texts. */
import { SessionWorld } from './sessions.ts';
import type {
  Completeness,
  DayCount,
  MessageRow,
  RunDetail,
  RunRow,
  SourceRow,
  TargetRow,
} from '../src/lib/api/types';

export interface Answer {
  status: number;
  json: unknown;
  code?: string;
}

const TITLES = [
  'Harbour Observatory',
  'Полевая кухня',
  'مرصد المدينة',
  '海辺の新聞',
  'Tide & Timetable',
  'Rooftop Botanists',
  'ספריית הרחוב',
  'A Very Long Channel Title About Regional Railway Timetables, Ferries and Night Buses of the Northern Coast',
  'Quiet Maps',
  'Signal Hill Radio',
  'Lantern Street',
  'Café Météo',
];
const TEXTS = [
  'The ferry to the outer islands leaves at 06:40 tomorrow; the 09:10 is cancelled because of fog.',
  'صباح الخير: أغلقت المحطة الشمالية أبوابها حتى الظهر بسبب أعمال الصيانة.',
  'Photos from last night’s low tide 🌊📷 — more in the album. #harbour #tide',
  'Сегодня на рынке: черешня, молодой картофель и свежий укроп.\nЗавтра будем с восьми утра.',
  'Full text of the council’s decision: https://example.org/decisions/2026/114?lang=en&view=full-text-with-annexes',
  '今朝の海は静かです。',
];
const HOUR = 3600_000;

export class World {
  readonly sources: SourceRow[];
  readonly now = Date.now();
  readonly logins = new SessionWorld(() => this.sources);

  constructor(count: number) {
    this.sources = Array.from({ length: count }, (_, index) => this.source(index + 1));
  }

  answer(method: string, url: URL, body: Record<string, unknown>): Answer {
    const [, head, a, b, c] = url.pathname.split('/');
    const ok = (json: unknown): Answer => ({ status: 200, json });
    const login = this.logins.answer(method, url, body);
    if (login) return login;
    if (head === 'sources' && method === 'POST') return this.create(body);
    if (head === 'sources' && method === 'DELETE') {
      this.drop(Number(a));
      return ok({ message: 'Source deleted successfully' });
    }
    if (a === 'sources' && b === 'import') return ok(importReport(String(body.text)));
    if (a === 'sources' && b === 'bulk') return ok({ done: (body.ids as number[]).length, failed: [] });
    if (a === 'sources' && !b) return ok(this.sources);
    if (a === 'sources') return this.one(Number(b), c);
    if (a === 'runs') return b ? ok(this.run(b)) : ok(this.runs(url.searchParams));
    if (a === 'targets') return b === 'test' ? ok(report) : ok(method === 'POST' ? targets[0] : targets);
    if (a === 'settings') return ok({ ...settings, ...body });
    if (a === 'overview')
      return ok({
        sources: this.sources.length,
        paused: 3,
        failing: 4,
        running: 1,
        queued: 1,
        messages: 12_403_112,
        next_run_at: new Date(this.now + 4 * 60_000).toISOString(),
      });
    if (a === 'data')
      return ok({
        message: 'A copy of the data folder was written.',
        path: '/backup/gleaner.tar',
        restart: false,
      });
    return { status: 404, json: { detail: 'Not found' }, code: 'SOURCE_NOT_FOUND' };
  }

  private create(body: Record<string, unknown>): Answer {
    if (body.access_level === 'private')
      return { status: 400, json: { detail: 'Session required for private' }, code: 'SESSION_REQUIRED' };
    const row = { ...this.source(this.sources.length + 1), ...body, next_run_at: null } as SourceRow;
    this.sources.push(row);
    return { status: 200, json: row };
  }

  private drop(id: number): void {
    this.sources.splice(
      this.sources.findIndex((row) => row.id === id),
      1,
    );
  }

  private one(id: number, part: string | undefined): Answer {
    const row = this.sources.find((one) => one.id === id);
    if (!row) return { status: 404, json: { detail: 'Source not found' }, code: 'SOURCE_NOT_FOUND' };
    const ok = (json: unknown): Answer => ({ status: 200, json });
    if (part === 'completeness') return ok(completeness());
    if (part === 'days') return ok(this.days());
    if (part === 'messages') return ok(this.messages(row));
    if (part === 'pause') row.paused_at = new Date().toISOString();
    if (part === 'resume') row.paused_at = null;
    return ok({
      ...row,
      channel_id: 1100000001,
      description: 'Ships, weather and tides of the harbour, every day.\nWrite to us: @harbour_post',
      subscribers: 48_200,
      subscribers_rounded: true,
      verified: true,
      location: '/home/ada/Gleaner/harbour-observatory-1100000001',
      files: 3_204,
      file_bytes: 8_412_000_331,
      files_missing: [{ reason: 'log in to get this file', count: 41 }],
      oldest: '2019-03-01T08:00:00Z',
      newest: new Date(this.now - HOUR).toISOString(),
      edited: 212,
      gone: 17,
    });
  }

  private source(id: number): SourceRow {
    const title = TITLES[id % TITLES.length] as string;
    const kind = id % 7 === 0 ? 'S3' : id % 5 === 0 ? 'NAS' : 'LOCAL';
    return {
      id,
      uid: uid(id),
      name: `${title.slice(0, 60)}${id > TITLES.length ? ` ${id}` : ''}`,
      identifier: `@channel_${id}`,
      channel_title: title,
      access_level: id % 9 === 4 ? 'private' : 'public',
      target: kind,
      target_uid: uid(7),
      target_name: kind === 'LOCAL' ? 'This computer' : kind === 'NAS' ? 'Archive share' : 'Cold bucket',
      session_ref: id % 9 === 4 ? 1 : null,
      schedule:
        id % 6 === 0
          ? { kind: 'cron', pattern: '0 8 * * 1-5', zone: 'Europe/Berlin' }
          : id % 11 === 0
            ? { kind: 'manual' }
            : { kind: 'interval', minutes: id % 4 ? 15 : 360 },
      policy: { media: true, history: { from: 'all' }, recent_window: 100, daily_bytes: null },
      paused_at: id % 13 === 0 ? new Date(this.now - 5 * HOUR).toISOString() : null,
      next_run_at:
        id % 11 === 0 || id % 13 === 0 ? null : new Date(this.now + (id % 50) * 60_000).toISOString(),
      messages: (id * 7919) % 40_000,
      last_run: id % 17 === 16 ? null : this.runOf(id),
      created_at: '2026-01-10T10:00:00Z',
    };
  }

  private runOf(id: number): RunRow {
    const state =
      id % 10 === 3 && id < 20
        ? 'running'
        : id % 8 === 7
          ? 'failed'
          : id % 19 === 18
            ? 'paused'
            : 'completed';
    const at = (ms: number) => new Date(this.now - ms).toISOString();
    return {
      uid: uid(1000 + id),
      source_id: id,
      source_name: TITLES[id % TITLES.length] as string,
      trigger: id % 3 ? 'schedule' : 'manual',
      state,
      code:
        state === 'failed'
          ? (['UNREACHABLE', 'CHANNEL_NO_PREVIEW', 'DISK_FULL'] as const)[id % 3]
          : state === 'paused'
            ? 'FLOOD_WAIT'
            : null,
      detail:
        state === 'failed'
          ? 'https://t.me answered 502 five times within two minutes'
          : state === 'paused'
            ? 'Telegram asks to wait 12 minutes'
            : null,
      hint: null,
      paused_until: state === 'paused' ? at(-12 * 60_000) : null,
      created_at: at((id % 40) * 300_000 + 9000),
      started_at: at((id % 40) * 300_000 + 8000),
      finished_at: state === 'running' ? null : at((id % 40) * 300_000),
      counts: {
        messages: id % 4 ? (id * 31) % 260 : 0,
        edited: id % 5,
        gone: id % 7 === 0 ? 1 : 0,
        files: id % 23,
        file_bytes: (id % 23) * 1_204_331,
        pages: 12,
        page_bytes: 1_204_000,
        files_skipped: 0,
        files_failed: id % 9 === 0 ? 1 : 0,
        retries: id % 3,
        samples: 40,
      },
      folded: id % 6 === 0 ? 14 : 1,
      progress:
        state === 'running'
          ? {
              phase: 'backfill',
              ids_left: 8_200,
              ids_planned: 40_000,
              files_in_flight: 4,
              messages_per_s: 78.4,
              bytes_per_s: 2_412_000,
              eta_s: 104,
            }
          : null,
    };
  }

  private runs(query: URLSearchParams): RunRow[] {
    const of = query.get('source_id');
    const state = query.get('state');
    const over = query.get('over');
    const text = (query.get('search') ?? '').toLowerCase();
    const before = query.get('before');
    const runs = Array.from({ length: 600 }, (_, i) => this.runOf(of ? Number(of) : i + 1))
      .map((run, i) =>
        of ? { ...run, uid: uid(5000 + i), finished_at: new Date(this.now - i * HOUR).toISOString() } : run,
      )
      .filter((run) => !state || run.state === state)
      .filter((run) => !over || (run.state !== 'running' && run.state !== 'queued') === (over === 'true'))
      .filter((run) => run.source_name.toLowerCase().includes(text));
    const from = before ? runs.findIndex((run) => run.uid === before) + 1 : 0;
    return runs.slice(from, from + Number(query.get('limit') ?? 100));
  }

  private run(runUid: string): RunDetail {
    const run = this.runOf(Number(runUid.slice(-6)) % 1000);
    const line = (s: number, level: string, text: string) => ({
      at: new Date(this.now - 60_000 + s * 1000).toISOString(),
      level,
      text,
    });
    return {
      ...run,
      uid: runUid,
      log: [
        line(0, 'info', 'opened the archive harbour-observatory-1100000001'),
        line(1, 'info', 'read the newest page: 12 new messages'),
        line(3, 'warning', 'page before 1200: answered 502, trying again in 2 s'),
        line(9, 'error', 'https://t.me answered 502 five times within two minutes'),
      ],
    };
  }

  private days(): DayCount[] {
    return Array.from({ length: 120 }, (_, i) => ({
      day: new Date(this.now - (119 - i) * 24 * HOUR).toISOString().slice(0, 10),
      messages: i % 9 === 4 ? 0 : Math.round(14 + 10 * Math.sin(i / 5) + ((i * 37) % 11)),
      views: 1000 * ((i * 13) % 40),
    }));
  }

  private messages(row: SourceRow): MessageRow[] {
    return Array.from({ length: 40 }, (_, i) => ({
      id: 9000 - i,
      date: new Date(this.now - i * 1.7 * HOUR).toISOString(),
      kind: i % 12 === 11 ? 'service' : 'message',
      author: i % 6 === 5 ? 'Ada' : null,
      text: i % 12 === 11 ? 'Channel photo updated' : (TEXTS[i % TEXTS.length] as string),
      views: 1200 + i * 371,
      views_rounded: true,
      media: i % 3 === 2 ? ['photo', 'photo', 'photo'] : i % 7 === 3 ? ['video'] : [],
      edited: i % 8 === 1,
      gone: i % 13 === 6,
      link: `https://t.me/${row.identifier.slice(1)}/${9000 - i}`,
    }));
  }
}

function completeness(): Completeness {
  const steps = Array.from({ length: 200 }, (_, i) => {
    const missing = i > 20 && i < 62 ? 45 : i === 130 ? 20 : 0;
    const empty = i > 150 && i < 170 ? 30 + (i % 15) : i % 7;
    return { first: i * 45 + 1, last: (i + 1) * 45, kept: Math.max(0, 45 - missing - empty), missing };
  });
  return {
    first: 1,
    last: 9000,
    kept: 6512,
    empty: 623,
    missing: 1865,
    gone: 17,
    steps,
    missing_ranges: [
      { first: 5851, last: 5870 },
      { first: 946, last: 2790 },
    ],
    empty_ranges: Array.from({ length: 100 }, (_, i) => ({
      first: 8990 - i * 45,
      last: 8990 - i * 45 + (i % 7),
    })),
  };
}

const targets: TargetRow[] = [
  {
    uid: uid(7),
    name: 'This computer',
    is_default: true,
    settings: { kind: 'LOCAL', path: '/home/ada/Gleaner' },
    sources: 12,
  },
  {
    uid: uid(8),
    name: 'Archive share',
    is_default: true,
    settings: { kind: 'NAS', path: '/mnt/archive/telegram' },
    sources: 3,
  },
  {
    uid: uid(9),
    name: 'Cold bucket',
    is_default: true,
    settings: {
      kind: 'S3',
      bucket: 'press-archive',
      endpoint: 'https://s3.example.org',
      region: null,
      prefix: 'telegram',
    },
    sources: 2,
  },
];
const report = {
  ok: false,
  steps: [
    { name: 'connect', ok: true, detail: 'the folder exists' },
    { name: 'write', ok: false, detail: 'permission denied: give this user write access to the folder' },
  ],
};
const settings = {
  data_dir: '/home/ada/.local/share/gleaner',
  log_dir: '/home/ada/.local/state/gleaner',
  data_bytes: 84_201_330,
  preview_url: 'https://t.me',
  scheduler: true,
  scheduler_here: true,
  daily_bytes: null,
  free_space_floor: 2_000_000_000,
  version: '0.1.0',
};

function importReport(text: string) {
  const lines = text
    .split(/\n/)
    .filter(Boolean)
    .map((input, i) => ({
      input,
      identifier: input,
      state: i % 4 === 3 ? 'refused' : i % 3 === 2 ? 'duplicate' : 'added',
      detail: i % 4 === 3 ? 'not a channel name' : i % 3 === 2 ? 'there is such a source already' : null,
    }));
  return { lines, added: lines.filter((line) => line.state === 'added').length };
}

function uid(n: number): string {
  return `01930000-0000-7000-8000-${String(n).padStart(12, '0')}`;
}
