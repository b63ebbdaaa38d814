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
  minutes = $state(120);
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
    return { kind: 'interval', minutes: this.timing === 'custom' ? this.minutes : Number(this.timing) };
  }
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
  recent = $state(100);
  /** Megabytes of files a day; empty for no cap. */
  cap = $state<number | null>(null);
  errors = $state.raw<FieldError[]>([]);

  readonly editing: SourceRow | null;

  constructor(row: SourceRow | null = null) {
    this.editing = row;
    if (!row) return;
    this.name = row.name;
    this.identifier = row.identifier;
    this.title = row.channel_title;
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

  error(...fields: string[]): string | undefined {
    return this.errors.find(({ field }) => fields.includes(field.split('.')[0] ?? field))?.reason;
  }

  /** What can be said without asking; true when there is nothing to say. */
  check(targets: TargetRow[]): boolean {
    const wrong: FieldError[] = [];
    if (!this.name.trim()) wrong.push({ field: 'name', reason: 'Give it a name of your own' });
    if (!this.identifier.trim())
      wrong.push({ field: 'identifier', reason: 'Enter a channel such as @channel or a t.me link' });
    if (this.history === 'since' && !this.since)
      wrong.push({ field: 'policy', reason: 'Choose the first day wanted' });
    if (this.needsFolder(targets) && !this.folder.trim()) {
      wrong.push({ field: 'path', reason: 'Enter the folder on the mounted share' });
    }
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

  toEdit(): EditSource {
    const moved = this.targetUid && this.targetUid !== this.editing?.target_uid;
    return {
      name: this.name.trim(),
      channel_title: this.title.trim(),
      schedule: this.timetable.schedule,
      policy: this.policy,
      ...(moved ? { target_uid: this.targetUid } : {}),
    };
  }

  private get policy(): ScrapePolicy {
    return {
      media: this.media,
      history: this.history === 'since' ? { from: 'since', date: this.since } : { from: this.history },
      recent_window: this.recent,
      daily_bytes: this.cap ? Math.round(this.cap * 1e6) : null,
    };
  }
}
