import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { call } from './client';
import { ApiError } from './error';
import { exchangeCode } from './http';
import { commandArgs } from './ipc';
import { routes } from './operations';

function answer(status: number, body: unknown, headers: Record<string, string> = {}) {
  const fetch = vi.fn<(url: string, init: RequestInit) => Promise<Response>>(() =>
    Promise.resolve(new Response(JSON.stringify(body), { status, headers })),
  );
  vi.stubGlobal('fetch', fetch);
  return fetch;
}

const caught = (promise: Promise<unknown>): Promise<ApiError> =>
  promise.then(
    () => Promise.reject(new Error('it should have failed')),
    (error: ApiError) => error,
  );

afterEach(() => vi.unstubAllGlobals());

describe('over HTTP', () => {
  test('path parts are filled in, the rest becomes the query, and the cookie goes along', async () => {
    const fetch = answer(200, []);
    await call('source_messages', { id: 5, limit: 20 });
    expect(fetch).toHaveBeenCalledWith(
      '/api/sources/5/messages?limit=20',
      expect.objectContaining({ credentials: 'same-origin' }),
    );
  });

  test('a body goes as JSON', async () => {
    const fetch = answer(200, {});
    await call('edit_settings', { body: { scheduler: false } });
    expect(fetch.mock.calls[0]?.[1].body).toBe('{"scheduler":false}');
  });

  test('a form goes as it is, and names its own type', async () => {
    const fetch = answer(200, {});
    const body = new FormData();
    await call('upload_session_file', { body });
    expect(fetch.mock.calls[0]?.[1]).toMatchObject({ body, headers: {} });
  });

  test("the contract's error becomes an ApiError with code, hint and wait", async () => {
    answer(429, { detail: 'Telegram asks to wait' }, { 'x-error-code': 'FLOOD_WAIT', 'retry-after': '30' });
    const error = await caught(call('overview'));
    expect(error).toBeInstanceOf(ApiError);
    expect([error.code, error.message, error.retryAfter]).toEqual([
      'FLOOD_WAIT',
      'Telegram asks to wait',
      30,
    ]);
    expect(error.hint).toBeTruthy();
  });

  test('a wrong field is found in the sentence', async () => {
    answer(422, { detail: 'identifier: not a channel name: too short' }, { 'x-error-code': 'INVALID_INPUT' });
    const error = await caught(call('overview'));
    expect(error.fields).toEqual([{ field: 'identifier', reason: 'not a channel name: too short' }]);
  });

  test('an unknown code, a page instead of JSON, and silence are errors too', async () => {
    answer(500, 'oops', { 'x-error-code': 'SOMETHING_NEW' });
    expect((await caught(call('overview'))).code).toBe('INTERNAL');
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('refused')));
    expect((await caught(call('overview'))).code).toBe('DISCONNECTED');
  });

  test('the one-time code leaves the address and is swapped for a cookie', async () => {
    const fetch = answer(200, { message: 'ok' });
    history.replaceState(null, '', '/sources#code=a%2Bb');
    await exchangeCode();
    expect(location.hash).toBe('');
    expect(fetch.mock.calls[0]?.[0]).toBe('/api/auth/exchange');
    expect(fetch.mock.calls[0]?.[1].body).toBe('{"code":"a+b"}');
  });
});

describe('over commands', () => {
  test('path parts go by name and the body as input', () => {
    expect(commandArgs('edit_source', { id: 3, body: { name: 'x' } })).toEqual({
      id: 3,
      input: { name: 'x' },
    });
    expect(commandArgs('list_runs', { limit: 2 })).toEqual({ input: { limit: 2 } });
    expect(commandArgs('delete_session', { id: 3, log_out: true })).toEqual({ id: 3, logOut: true });
    expect(commandArgs('overview', {})).toEqual({});
  });

  test("the window's error keeps its own hint", () => {
    const error = ApiError.from({
      code: 'DISK_FULL',
      detail: 'No room',
      hint: 'Make room',
      fields: [],
      retry_after_s: null,
    });
    expect([error.code, error.hint]).toEqual(['DISK_FULL', 'Make room']);
  });
});

test('every operation stands in the contract under the same id, method and path', () => {
  const contract = JSON.parse(readFileSync('../contract/openapi.json', 'utf8')) as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  const known = new Map(
    Object.entries(contract.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, { operationId }]) => [operationId, `${method.toUpperCase()} ${path}`] as const,
      ),
    ),
  );
  for (const [id, [method, path]] of Object.entries(routes)) expect(known.get(id)).toBe(`${method} ${path}`);
});
