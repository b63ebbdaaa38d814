/** A source being written: what was typed, and what it becomes on the wire. No request is made here. */
import type { FieldError } from '$lib/api/error';
import type {
  AccessLevel,
  CreateSource,
  EditSource,
  HistoryStart,
  Schedule,
  ScrapePolicy,
  SourceRow,
  TargetKind,
  TargetRow,
} from '$lib/api/types';

export type Timing = '5' | '15' | '30' | '60' | '360' | '1440' | 'custom' | 'cron' | 'manual';
const PRESETS: Timing[] = ['5', '15', '30', '60', '360', '1440'];

export class Timetable {
  timing = $state<Timing>('15');
  /** Empty while the field is. */
  minutes = $state<number | null>(120);
  pattern = $state('0 8 * * *');
  zone = $state(Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC');

  static of(schedule: Schedule): Timetable {
    const table = new Timetable();
    if (schedule.kind === 'manual') table.timing = 'manual';
    if (schedule.kind === 'cron') {
      table.timing = 'cron';
      table.pattern = schedule.pattern;
      table.zone = schedule.zone;
    }
    if (schedule.kind === 'interval') {
      const preset = PRESETS.find((one) => Number(one) === schedule.minutes);
      table.timing = preset ?? 'custom';
      table.minutes = schedule.minutes;
    }
    return table;
  }

  get schedule(): Schedule {
    if (this.timing === 'manual') return { kind: 'manual' };
    if (this.timing === 'cron') return { kind: 'cron', pattern: this.pattern.trim(), zone: this.zone.trim() };
    return {
      kind: 'interval',
      minutes: this.timing === 'custom' ? (this.minutes ?? 0) : Number(this.timing),
    };
  }

  /** What is wrong with it, where that can be said without asking. */
  get problem(): string | undefined {
    if (this.timing === 'custom' && !whole(this.minutes, 1, MONTH)) return 'Enter 1 to 44,640 minutes';
    if (this.timing === 'cron' && !this.pattern.trim()) return 'Enter a pattern such as 0 8 * * *';
    return undefined;
  }
}

const MONTH = 44_640;

function whole(value: number | null, least: number, most: number): boolean {
  return value != null && Number.isInteger(value) && value >= least && value <= most;
}

/** The parts of the form that can show what is wrong. */
const PLACES = [
  'name',
  'identifier',
  'channel_title',
  'session_ref',
  'target',
  'target_uid',
  'path',
  'schedule',
  'history',
  'daily_bytes',
  'recent_window',
] as const;
type Place = (typeof PLACES)[number];

/** `policy.recent_window` belongs to the window, `schedule.pattern` to the schedule. */
function placeOf(field: string): Place | undefined {
  const parts = field.split('.').reverse();
  const found = parts.flatMap((part) => PLACES.filter((place) => place === part))[0];
  return found ?? (parts.includes('policy') ? 'history' : undefined);
}

export class SourceDraft {
  name = $state('');
  identifier = $state('');
  title = $state('');
  access = $state<AccessLevel>('public');
  target = $state<TargetKind>('LOCAL');
  session = $state('');
  /** A target of one's own; empty for the default of its kind. */
  targetUid = $state('');
  folder = $state('');
  timetable = $state.raw(new Timetable());
  history = $state<HistoryStart['from']>('all');
  since = $state('');
  media = $state(true);
  recent = $state<number | null>(100);
  /** Megabytes of files a day; empty for no cap. */
  cap = $state<number | null>(null);
  errors = $state.raw<FieldError[]>([]);

  readonly editing: SourceRow | null;
  #before: { schedule: string; policy: string } | null = null;

  constructor(row: SourceRow | null = null) {
    this.editing = row;
    if (!row) return;
    this.identifier = row.identifier;
    this.title = row.channel_title;
    this.#take(row);
    this.#before = { schedule: JSON.stringify(this.timetable.schedule), policy: JSON.stringify(this.policy) };
  }

  /** A new source with the settings of another one, for a channel whose name was wrong. */
  static like(row: SourceRow): SourceDraft {
    const draft = new SourceDraft();
    draft.#take(row);
    return draft;
  }

  #take(row: SourceRow): void {
    this.name = row.name;
    this.access = row.access_level;
    this.target = row.target;
    this.targetUid = row.target_uid;
    this.session = row.session_ref == null ? '' : String(row.session_ref);
    this.timetable = Timetable.of(row.schedule);
    const { policy } = row;
    this.history = policy.history?.from ?? 'all';
    this.since = policy.history?.from === 'since' ? policy.history.date : '';
    this.media = policy.media ?? true;
    this.recent = policy.recent_window ?? 100;
    this.cap = policy.daily_bytes == null ? null : policy.daily_bytes / 1e6;
  }

  error(...places: Place[]): string | undefined {
    return this.errors.find(({ field }) => places.some((place) => place === placeOf(field)))?.reason;
  }

  /** Whether every error stands at a field of the form. */
  get placed(): boolean {
    return this.errors.length > 0 && this.errors.every(({ field }) => placeOf(field));
  }

  /** What is being corrected is wrong no more until it is sent. */
  clear(place: string | undefined): void {
    if (place && this.errors.length > 0) {
      this.errors = this.errors.filter(({ field }) => placeOf(field) !== place);
    }
  }

  /** What can be said without asking; true when there is nothing to say. */
  check(targets: TargetRow[]): boolean {
    const wrong: FieldError[] = [];
    if (!this.name.trim()) wrong.push({ field: 'name', reason: 'Give it a name of your own' });
    if (!this.identifier.trim())
      wrong.push({ field: 'identifier', reason: 'Enter a channel such as @channel or a t.me link' });
    if (this.history === 'since' && !this.since)
      wrong.push({ field: 'history', reason: 'Choose the first day wanted' });
    if (this.needsFolder(targets) && !this.folder.trim()) {
      wrong.push({ field: 'path', reason: 'Enter the folder on the mounted share' });
    }
    const schedule = this.timetable.problem;
    if (schedule) wrong.push({ field: 'schedule', reason: schedule });
    if (this.media && this.cap != null && !(this.cap >= 1))
      wrong.push({ field: 'daily_bytes', reason: 'Enter at least 1 MB, or nothing for no cap' });
    if (!whole(this.recent, 0, 1000))
      wrong.push({ field: 'recent_window', reason: 'Enter 0 to 1,000 messages' });
    this.errors = wrong;
    return wrong.length === 0;
  }

  /** A NAS without a default target needs its folder here and now. */
  needsFolder(targets: TargetRow[]): boolean {
    return !this.editing && this.target === 'NAS' && !targets.some((one) => one.settings.kind === 'NAS');
  }

  toCreate(): CreateSource {
    const folder = this.folder.trim();
    return {
      name: this.name.trim(),
      identifier: this.identifier.trim(),
      channel_title: this.title.trim(),
      access_level: this.access,
      target: this.target,
      session_ref: this.access === 'private' && this.session ? Number(this.session) : null,
      ...(folder ? { path: folder } : this.targetUid ? { target_uid: this.targetUid } : {}),
      schedule: this.timetable.schedule,
      policy: this.policy,
    };
  }

  /** Only what was changed here: the rest may have been changed elsewhere, and a sent schedule starts anew. */
  toEdit(): EditSource {
    const { editing } = this;
    const name = this.name.trim();
    const title = this.title.trim();
    const { schedule } = this.timetable;
    return {
      ...(name !== editing?.name ? { name } : {}),
      ...(title !== editing?.channel_title ? { channel_title: title } : {}),
      ...(JSON.stringify(schedule) !== this.#before?.schedule ? { schedule } : {}),
      ...(JSON.stringify(this.policy) !== this.#before?.policy ? { policy: this.policy } : {}),
      ...(this.targetUid && this.targetUid !== editing?.target_uid ? { target_uid: this.targetUid } : {}),
    };
  }

  private get policy(): ScrapePolicy {
    return {
      media: this.media,
      history: this.history === 'since' ? { from: 'since', date: this.since } : { from: this.history },
      recent_window: this.recent ?? 100,
      daily_bytes: this.cap ? Math.round(this.cap * 1e6) : null,
    };
  }
}
