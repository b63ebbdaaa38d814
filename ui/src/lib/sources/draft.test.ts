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
    expect(since.error('policy')).toMatch(/first day/);
  });

  test('on a NAS needs the folder where no NAS target exists', () => {
    const draft = filled({ target: 'NAS' });
    expect(draft.check([])).toBe(false);
    expect(draft.error('path')).toBeTruthy();
    draft.folder = '/mnt/nas';
    expect(draft.check([])).toBe(true);
  });
});

describe('an edited source', () => {
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
