import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TempSession } from '$lib/api/types';
import { kept } from './kept';
import { Login } from './login.svelte';

const ID = '11111111-1111-4111-8111-111111111111';
const temp = (change: Partial<TempSession> = {}): TempSession => ({
  id: ID,
  session_name: 'desk',
  phone_number: '+15550001',
  step: 'code',
  expires_at: new Date(Date.now() + 300_000).toISOString(),
  ...change,
});

type Said = { status?: number; code?: string; wait?: number; json: unknown };
/** What the server says to `METHOD /path`, one after the other; the last stays. */
let says: Record<string, Said[]>;
let asked: { what: string; body: unknown }[];

const refusal = (status: number, code: string, detail: string, wait?: number): Said => ({
  status,
  code,
  wait,
  json: { detail },
});
const gone = refusal(404, 'TEMP_SESSION_NOT_FOUND', 'Temp session not found');
const sent = { json: { message: 'OTP sent', temp_session_id: ID, phone_code_hash: 'h' } };
const verified = (requires_password: boolean): Said => ({ json: { message: 'ok', requires_password } });

beforeEach(() => {
  sessionStorage.clear();
  asked = [];
  says = {
    'POST /sessions/send-otp': [sent],
    [`GET /api/temp-sessions/${ID}`]: [{ json: temp() }],
    [`DELETE /api/temp-sessions/${ID}`]: [{ json: { message: 'over' } }],
  };
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    const what = `${init.method} ${url}`;
    asked.push({ what, body: init.body ? JSON.parse(init.body as string) : undefined });
    const queue = says[what];
    if (!queue) return Promise.reject(new TypeError('nobody there'));
    const said = queue.length > 1 ? queue.shift()! : queue[0]!;
    const headers: Record<string, string> = {};
    if (said.code) headers['x-error-code'] = said.code;
    if (said.wait) headers['retry-after'] = String(said.wait);
    return Promise.resolve(new Response(JSON.stringify(said.json), { status: said.status ?? 200, headers }));
  });
});

afterEach(() => vi.unstubAllGlobals());

async function atCode(): Promise<Login> {
  const login = new Login('otp');
  [login.phone, login.name] = [' +15550001 ', ' desk '];
  await login.start();
  return login;
}

describe('a login by code', () => {
  test('asks for number and name first, and sends nothing without them', async () => {
    const login = new Login('otp');
    await login.start();
    expect([login.error('phone_number'), login.error('session_name')].every(Boolean)).toBe(true);
    login.clear('phone_number');
    expect(login.error('phone_number')).toBeUndefined();
    expect(login.error('session_name')).toBeTruthy();
    expect(asked).toEqual([]);
  });

  test('goes from number to code to saved, trimmed', async () => {
    const login = await atCode();
    expect(login.stage).toBe('code');
    expect(asked[0]?.body).toEqual({ phone_number: '+15550001', session_name: 'desk', session_id: null });
    says['POST /sessions/verify-otp'] = [verified(false)];
    says[`GET /api/temp-sessions/${ID}`] = [{ json: temp({ step: 'ready' }) }];
    login.code = ' 12345 ';
    await login.verify();
    expect(login.stage).toBe('ready');
    const session = { id: 1, session_name: 'desk', phone_number: '+15550001', created_at: '' };
    says['POST /sessions/finalize'] = [{ json: session }];
    expect(await login.finalize()).toEqual(session);
    expect([login.stage, login.name, login.phone, login.code]).toEqual(['start', '', '', '']);
    expect(kept('otp')).toBeNull();
  });

  test('goes on though the details of the code do not arrive', async () => {
    delete says[`GET /api/temp-sessions/${ID}`];
    expect((await atCode()).stage).toBe('code');
  });

  test('a wrong code keeps the step, and stands at the code until it is typed anew', async () => {
    const login = await atCode();
    says['POST /sessions/verify-otp'] = [refusal(400, 'INVALID_CODE', 'Invalid OTP code'), verified(false)];
    login.code = '00000';
    await login.verify();
    expect(login.stage).toBe('code');
    expect(login.error('code')).toMatch(/^Invalid OTP code\. /);
    expect(login.elsewhere).toBeNull();
    login.clear('code');
    expect(login.error('code')).toBeUndefined();
    says[`GET /api/temp-sessions/${ID}`] = [{ json: temp({ step: 'ready' }) }];
    login.code = '12345';
    await login.verify();
    expect(login.stage).toBe('ready');
  });

  test('the password is asked for, with its hint, and may be wrong first', async () => {
    const login = await atCode();
    says['POST /sessions/verify-otp'] = [
      verified(true),
      refusal(400, 'INVALID_PASSWORD', 'Invalid password'),
      verified(false),
    ];
    says[`GET /api/temp-sessions/${ID}`] = [
      { json: temp({ step: 'password', password_hint: 'what the pier shows' }) },
      { json: temp({ step: 'ready' }) },
    ];
    login.code = '12345';
    await login.verify();
    expect([login.stage, login.temp?.password_hint]).toEqual(['password', 'what the pier shows']);
    await login.verify();
    expect(login.error('password')).toBe('Enter the password');
    login.password = 'harbour light';
    await login.verify();
    expect(login.error('password')).toMatch(/^Invalid password/);
    login.password = 'harbour lights';
    await login.verify();
    expect(login.stage).toBe('ready');
    expect(asked.filter(({ what }) => what.endsWith('verify-otp')).at(-1)?.body).toEqual({
      temp_session_id: ID,
      code: '12345',
      password: 'harbour lights',
    });
  });

  test('an expired one starts again, with number and name kept', async () => {
    const login = await atCode();
    says['POST /sessions/verify-otp'] = [gone];
    login.code = '12345';
    await login.verify();
    expect([login.stage, login.expired, login.phone.trim(), login.name.trim(), login.code]).toEqual([
      'start',
      true,
      '+15550001',
      'desk',
      '',
    ]);
    expect(kept('otp')).toBeNull();
    await login.start();
    expect([login.stage, login.expired]).toEqual(['code', false]);
  });

  test('a wait is counted for the button that caused it, and ends with another number', async () => {
    says['POST /sessions/send-otp'] = [refusal(429, 'FLOOD_WAIT', 'Telegram asks to wait', 30)];
    const login = await atCode();
    expect(login.stage).toBe('start');
    expect(login.wait?.act).toBe('start');
    expect(Math.round((login.wait!.until - Date.now()) / 1000)).toBe(30);
    expect(login.elsewhere?.code).toBe('FLOOD_WAIT');
    login.clear('session_name');
    expect(login.wait).not.toBeNull();
    login.clear('phone_number');
    expect([login.wait, login.elsewhere]).toEqual([null, null]);
  });

  test.each([
    ['INVALID_PHONE', 'Invalid phone number'],
    ['PHONE_BANNED', 'Telegram has banned this number'],
  ])('%s stands at the number', async (code, detail) => {
    says['POST /sessions/send-otp'] = [refusal(400, code, detail)];
    const login = await atCode();
    expect(login.error('phone_number')).toContain(detail);
  });

  test('a missing API id is asked for, and the login goes on afterwards', async () => {
    const why = refusal(409, 'API_NOT_SET', 'Telegram API id and hash are not set');
    says['POST /sessions/send-otp'] = [why, sent];
    const login = await atCode();
    expect([login.stage, login.needsApi]).toEqual(['start', true]);
    await login.start();
    expect([login.stage, login.needsApi]).toEqual(['code', false]);
  });

  test('another code takes its place', async () => {
    const login = await atCode();
    says[`POST /api/temp-sessions/${ID}/resend`] = [{ json: temp({ delivery: 'sms' }) }];
    login.code = '123';
    await login.resend();
    expect([login.temp?.delivery, login.code, login.resent]).toEqual(['sms', '', true]);
  });

  test('cancelling ends it at once, tells the server, and keeps what was typed', async () => {
    const login = await atCode();
    await login.cancel();
    expect([login.stage, login.phone.trim(), kept('otp')]).toEqual(['start', '+15550001', null]);
    expect(asked.at(-1)?.what).toBe(`DELETE /api/temp-sessions/${ID}`);
  });

  test('an answer that comes after the cancelling changes nothing', async () => {
    const login = await atCode();
    const looking = login.look();
    await login.cancel();
    await looking;
    expect(login.stage).toBe('start');
  });

  test('logging in again names the session', async () => {
    const login = new Login('otp');
    login.startOver({ id: 7, session_name: 'desk', phone_number: '+15550001' });
    await login.start();
    expect(asked[0]?.body).toMatchObject({ session_id: 7 });
    expect(kept('otp')?.again?.id).toBe(7);
  });
});

describe('a reload', () => {
  test('finds the login again, and no secret was kept', async () => {
    const before = await atCode();
    before.code = '98765';
    before.password = 'harbour lights';
    expect(JSON.stringify(Object.entries(sessionStorage))).not.toMatch(/98765|harbour/);
    says[`GET /api/temp-sessions/${ID}`] = [{ json: temp({ step: 'password' }) }];
    const after = new Login('otp');
    await after.resume();
    expect([after.stage, after.name, after.phone]).toEqual(['password', 'desk', '+15550001']);
  });

  test('after the five minutes starts again with number and name', async () => {
    await atCode();
    says[`GET /api/temp-sessions/${ID}`] = [gone];
    const after = new Login('otp');
    await after.resume();
    expect([after.stage, after.expired, after.phone]).toEqual(['start', true, '+15550001']);
  });

  test('while the server is away can be tried again', async () => {
    await atCode();
    const answer = says[`GET /api/temp-sessions/${ID}`]!;
    delete says[`GET /api/temp-sessions/${ID}`];
    const after = new Login('otp');
    await after.resume();
    expect(after.lost?.code).toBe('DISCONNECTED');
    says[`GET /api/temp-sessions/${ID}`] = answer;
    await after.resume();
    expect([after.stage, after.lost]).toEqual(['code', null]);
  });

  test('with nothing in progress asks nothing', async () => {
    sessionStorage.setItem('gleaner.login.otp', 'not json');
    await new Login('otp').resume();
    expect(asked).toEqual([]);
  });
});

describe('a login by QR code', () => {
  const qr = (row: string) => temp({ step: 'qr', qr: { rows: [row], expires_at: '2026-01-01T00:00:30Z' } });

  async function shown(): Promise<Login> {
    says['POST /api/temp-sessions/qr'] = [{ json: qr('10') }];
    const login = new Login('qr');
    login.name = 'desk';
    await login.start();
    return login;
  }

  test('takes every new code, survives silence, and sees the scan', async () => {
    const login = await shown();
    expect(login.temp?.qr?.rows).toEqual(['10']);
    says[`GET /api/temp-sessions/${ID}`] = [{ json: qr('01') }];
    await login.look();
    expect(login.temp?.qr?.rows).toEqual(['01']);
    delete says[`GET /api/temp-sessions/${ID}`];
    await login.look();
    expect([login.stage, login.elsewhere?.code]).toEqual(['qr', 'DISCONNECTED']);
    says[`GET /api/temp-sessions/${ID}`] = [{ json: temp({ step: 'ready' }) }];
    await login.look();
    expect([login.stage, login.elsewhere]).toEqual(['ready', null]);
  });

  test('asks for the password in its own way', async () => {
    const login = await shown();
    says[`GET /api/temp-sessions/${ID}`] = [{ json: temp({ step: 'password' }) }];
    await login.look();
    says[`POST /api/temp-sessions/${ID}/password`] = [{ json: temp({ step: 'ready' }) }];
    login.password = 'harbour lights';
    await login.verify();
    expect(login.stage).toBe('ready');
  });

  test('that is over says so', async () => {
    const login = await shown();
    says[`GET /api/temp-sessions/${ID}`] = [gone];
    await login.look();
    expect([login.stage, login.expired, login.name]).toEqual(['start', true, 'desk']);
  });
});
