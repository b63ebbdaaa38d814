import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { SessionRow } from '$lib/api/types';
import { comesBy, whereToLook } from './delivery';
import { choice, health, origin } from './health';
import { keyWords, passphraseProblem } from './key';
import { isTab, tabs } from './tabs';

const contract = JSON.parse(readFileSync('../contract/openapi.json', 'utf8')) as {
  components: { schemas: Record<string, { enum: string[] }> };
};
const members = (name: string) => [...contract.components.schemas[name]!.enum].sort();

describe('every member of the contract has words', () => {
  test('health and origin', () => {
    expect(Object.keys(health).sort()).toEqual(members('SessionHealth'));
    expect(Object.keys(origin).sort()).toEqual(members('SessionOrigin'));
  });

  test('states of the key', () => {
    expect(Object.keys(keyWords).sort()).toEqual(members('KeyState'));
  });

  test('ways of a code', () => {
    for (const way of members('CodeDelivery')) {
      expect(whereToLook(way as 'app')).toBeTruthy();
      expect(comesBy(way as 'app')).toBeTruthy();
    }
  });
});

test("the contract's words are said exactly", () => {
  expect(tabs.map(({ label }) => label)).toEqual(['OTP Login', 'QR Code', 'Upload File']);
  expect(whereToLook('app')).toBe('Check your Telegram app for the verification code');
  expect(whereToLook(undefined)).toBe('Check your Telegram app for the verification code');
  expect([isTab('qr'), isTab('string'), isTab(null)]).toEqual([true, false, false]);
});

test('whatever is not well says what to do, in sentences', () => {
  for (const [state, { next, tone }] of Object.entries(health)) {
    expect(Boolean(next), state).toBe(state !== 'active');
    expect(tone === 'green', state).toBe(state === 'active');
    expect(next ?? 'A sentence.').toMatch(/^[A-Z].*\.$/s);
  }
  for (const { title, means, next } of Object.values(keyWords)) {
    expect(title).toMatch(/^[A-Z].*[^.!]$/);
    for (const text of [means, next]) expect(text).toMatch(/^[A-Z].*\.$/s);
  }
});

test('only a key that is there, or not needed yet, lets sessions in', () => {
  const usable = Object.entries(keyWords).filter(([, words]) => words.usable);
  expect(usable.map(([state]) => state).sort()).toEqual(['none', 'ready']);
});

test('a session to choose from says number and trouble', () => {
  const row = { session_name: 'Desk', phone_number: '+15550001', health: 'active' } as SessionRow;
  expect(choice(row)).toBe('Desk · +15550001');
  expect(choice({ ...row, phone_number: '', health: 'unauthorised' })).toBe('Desk (logged out)');
});

test.each([
  ['short', 'short', { first: 'Use at least 12 characters' }],
  ['harbour lights', 'harbour light', { second: 'Type the same passphrase twice' }],
  ['harbour lights', 'harbour lights', {}],
])('the passphrase %s, repeated as %s', (first, second, problem) => {
  expect(passphraseProblem(first, second)).toEqual(problem);
});
