import { afterEach, describe, expect, test, vi } from 'vitest';
import { Upload } from './upload.svelte';

function answer(status: number, json: unknown, headers: Record<string, string> = {}) {
  const fetch = vi.fn<(url: string, init: RequestInit) => Promise<Response>>(() =>
    Promise.resolve(new Response(JSON.stringify(json), { status, headers })),
  );
  vi.stubGlobal('fetch', fetch);
  return fetch;
}

const file = (name = 'harbour.session') => new File(['SQLite format 3'], name);

afterEach(() => vi.unstubAllGlobals());

describe('a session file', () => {
  test("goes as the contract's form, and names itself where no name was typed", async () => {
    const fetch = answer(200, { id: 2 });
    const upload = new Upload();
    upload.take(file());
    expect(upload.name).toBe('harbour');
    upload.phone = ' +15550001 ';
    expect(await upload.send()).toBe(true);
    const [url, init] = fetch.mock.calls[0]!;
    const body = init.body as FormData;
    expect(url).toBe('/sessions/upload-file');
    expect(init.headers).toEqual({});
    expect([body.get('session_name'), body.get('phone_number')]).toEqual(['harbour', '+15550001']);
    expect((body.get('session_file') as File).name).toBe('harbour.session');
    expect([upload.name, upload.phone, upload.file]).toEqual(['', '', null]);
  });

  test('keeps a name that was typed', () => {
    const upload = new Upload();
    upload.name = 'Desk';
    upload.take(file());
    expect(upload.name).toBe('Desk');
  });

  test('is asked for, and never sent when it cannot be one', async () => {
    const fetch = answer(200, {});
    const upload = new Upload();
    expect(await upload.send()).toBe(false);
    expect([upload.error('session_name'), upload.error('session')].every(Boolean)).toBe(true);
    upload.take(Object.defineProperty(file('film.mp4'), 'size', { value: 5e9 }));
    expect(await upload.send()).toBe(false);
    expect(upload.error('session')).toMatch(/Too big/);
    expect(fetch).not.toHaveBeenCalled();
  });

  test.each([
    ['NOT_A_SESSION', 'Not a session file: it is a picture', 'session'],
    ['DUPLICATE_SESSION', 'Desk is the name of another session', 'session_name'],
    ['INVALID_PHONE', 'Invalid phone number', 'phone_number'],
  ] as const)('refused with %s says so at its field, and stays', async (code, detail, place) => {
    answer(400, { detail }, { 'x-error-code': code });
    const upload = new Upload();
    upload.take(file());
    expect(await upload.send()).toBe(false);
    expect(upload.error(place)).toContain(detail);
    expect(upload.elsewhere).toBeNull();
    expect(upload.file).not.toBeNull();
    upload.clear(place);
    expect(upload.error(place)).toBeUndefined();
  });

  test('that Telegram asks to wait for counts down', async () => {
    answer(429, { detail: 'wait' }, { 'x-error-code': 'FLOOD_WAIT', 'retry-after': '9' });
    const upload = new Upload();
    upload.take(file());
    await upload.send();
    expect(upload.elsewhere?.code).toBe('FLOOD_WAIT');
    expect(upload.waitUntil).toBeGreaterThan(Date.now());
  });
});

test('a session string goes trimmed, and is forgotten afterwards', async () => {
  const fetch = answer(200, { id: 3 });
  const upload = new Upload();
  upload.form = 'string';
  upload.name = 'Desk';
  upload.text = '  1ApWap…  ';
  expect(await upload.send()).toBe(true);
  expect(fetch.mock.calls[0]?.[0]).toBe('/api/sessions/import-string');
  expect(JSON.parse(fetch.mock.calls[0]?.[1].body as string)).toEqual({
    session_name: 'Desk',
    phone_number: '',
    session_string: '1ApWap…',
  });
  expect(upload.text).toBe('');
});
