import { describe, expect, test } from 'vitest';
import { World } from '../../../dev/world';
import { SourceDraft, Timetable } from './draft.svelte';

const filled = (change: Partial<SourceDraft> = {}) =>
  Object.assign(new SourceDraft(), { name: ' BBC News ', identifier: '@bbcnews', title: 'BBC News' }, change);

describe('a new source', () => {
  test("becomes the contract's body, trimmed, with the default schedule", () => {
    expect(filled().toCreate()).toEqual({
      name: 'BBC News',
      identifier: '@bbcnews',
      channel_title: 'BBC News',
      access_level: 'public',
      target: 'LOCAL',
      session_ref: null,
      schedule: { kind: 'interval', minutes: 15 },
      policy: { media: true, history: { from: 'all' }, recent_window: 100, daily_bytes: null },
    });
  });

  test('never sends a session for a public channel', () => {
    expect(filled({ access: 'public', session: '4' }).toCreate().session_ref).toBeNull();
    expect(filled({ access: 'private', session: '4' }).toCreate().session_ref).toBe(4);
  });

  test('prefers a typed folder to a chosen target', () => {
    const body = filled({ folder: ' /srv/a ', targetUid: 'u' }).toCreate();
    expect([body.path, body.target_uid]).toEqual(['/srv/a', undefined]);
  });

  test('is not sent without name and identifier, or with a first day that is missing', () => {
    const empty = new SourceDraft();
    expect(empty.check([])).toBe(false);
    expect(empty.errors.map(({ field }) => field)).toEqual(['name', 'identifier']);
    const since = filled({ history: 'since' });
    expect(since.check([])).toBe(false);
    expect(since.error('history')).toMatch(/first day/);
  });

  test('on a NAS needs the folder where no NAS target exists', () => {
    const draft = filled({ target: 'NAS' });
    expect(draft.check([])).toBe(false);
    expect(draft.error('path')).toBeTruthy();
    draft.folder = '/mnt/nas';
    expect(draft.check([])).toBe(true);
  });
});

describe('a number', () => {
  test.each([
    ['an emptied window', { recent: null }, 'recent_window'],
    ['a window beyond a thousand', { recent: 1001 }, 'recent_window'],
    ['half a message', { recent: 1.5 }, 'recent_window'],
    ['a cap below one', { cap: 0 }, 'daily_bytes'],
  ] as const)('that cannot be (%s) is said at its field', (_, change, field) => {
    const draft = filled(change);
    expect(draft.check([])).toBe(false);
    expect(draft.errors.map((one) => one.field)).toEqual([field]);
  });

  test('of minutes must be there', () => {
    const draft = filled();
    draft.timetable.timing = 'custom';
    draft.timetable.minutes = null;
    expect(draft.check([])).toBe(false);
    expect(draft.error('schedule')).toMatch(/minutes/);
  });
});

describe('an error of the app', () => {
  const refused = (field: string) => Object.assign(filled(), { errors: [{ field, reason: 'no' }] });

  test.each([
    ['policy.recent_window', 'recent_window'],
    ['policy.history.date', 'history'],
    ['policy', 'history'],
    ['schedule.pattern', 'schedule'],
    ['target_uid', 'target_uid'],
  ] as const)('about %s stands at %s, until that is typed in', (field, place) => {
    const draft = refused(field);
    expect([draft.error(place), draft.placed]).toEqual(['no', true]);
    draft.clear('name');
    expect(draft.error(place)).toBe('no');
    draft.clear(place);
    expect(draft.error(place)).toBeUndefined();
  });

  test('about nothing in the form stands nowhere in it', () => {
    expect(refused('weather').placed).toBe(false);
  });
});

describe('a source after another one', () => {
  test('takes its settings, not its channel', () => {
    const row = { ...new World(30).sources[5]!, session_ref: null };
    const draft = SourceDraft.like(row);
    expect([draft.editing, draft.identifier, draft.title]).toEqual([null, '', '']);
    expect(draft.toCreate()).toMatchObject({
      name: row.name,
      target_uid: row.target_uid,
      schedule: row.schedule,
    });
  });
});

describe('an edited source', () => {
  test('sends nothing that was not changed', () => {
    for (const row of new World(12).sources) expect(new SourceDraft(row).toEdit()).toEqual({});
  });

  test('sends what was changed, alone', () => {
    const draft = new SourceDraft(new World(3).sources[0]!);
    draft.name = 'Another';
    expect(draft.toEdit()).toEqual({ name: 'Another' });
    draft.timetable.timing = 'manual';
    draft.media = false;
    expect(Object.keys(draft.toEdit())).toEqual(['name', 'schedule', 'policy']);
  });

  test('keeps its target unless another one is chosen', () => {
    const draft = new SourceDraft(new World(3).sources[0]!);
    expect(draft.toEdit()).not.toHaveProperty('target_uid');
    draft.targetUid = 'another';
    expect(draft.toEdit().target_uid).toBe('another');
  });
});

test.each([
  { kind: 'interval', minutes: 15 } as const,
  { kind: 'interval', minutes: 77 } as const,
  { kind: 'cron', pattern: '0 8 * * 1-5', zone: 'Europe/Berlin' } as const,
  { kind: 'manual' } as const,
])('a schedule comes back from the form as it went in: %o', (schedule) => {
  expect(Timetable.of(schedule).schedule).toEqual(schedule);
});
