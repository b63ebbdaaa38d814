/** Operations over fetch, same origin, with the cookie. */
import { ApiError } from './error';
import { isCode, type UiCode } from '$lib/errors/codes';
import { routes, type OperationId } from './operations';

export async function http(operation: OperationId, args: Record<string, unknown>): Promise<unknown> {
  const [method, template] = routes[operation];
  const { body, ...rest } = args;
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest[name];
    delete rest[name];
    return encodeURIComponent(String(value));
  });
  return send(method, path + query(rest), body);
}

/** Drops `#code=…` from the address and swaps it for a cookie. */
export async function exchangeCode(): Promise<void> {
  if (typeof location === 'undefined') return;
  const code = /^#code=(.+)$/.exec(location.hash)?.[1];
  if (!code) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  // A stale code is no reason to stop: the next request says so if the cookie is missing too.
  await send('POST', '/api/auth/exchange', { code: decodeURIComponent(code) }).catch(() => undefined);
}

async function send(method: string, url: string, body: unknown): Promise<unknown> {
  const answer = await reach(url, {
    method,
    credentials: 'same-origin',
    ...payload(body),
  });
  if (!answer.ok) throw await refusal(answer);
  const text = await answer.text();
  return text === '' ? undefined : JSON.parse(text);
}

/** A form goes as it is, and the browser names its boundary; the rest goes as JSON. */
function payload(body: unknown): RequestInit {
  if (body === undefined) return { headers: {} };
  if (body instanceof FormData) return { headers: {}, body };
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    throw new ApiError('DISCONNECTED', 'Gleaner does not answer');
  }
}

async function refusal(answer: Response): Promise<ApiError> {
  const header = answer.headers.get('x-error-code') ?? '';
  const code: UiCode = isCode(header) ? header : answer.status === 401 ? 'UNAUTHORIZED' : 'INTERNAL';
  const retryAfter = Number(answer.headers.get('retry-after')) || null;
  const detail = await answer
    .json()
    .then((body: { detail?: unknown }) => (typeof body.detail === 'string' ? body.detail : null))
    .catch(() => null);
  return new ApiError(code, detail ?? `${answer.status} ${answer.statusText}`, { retryAfter });
}

function query(args: Record<string, unknown>): string {
  const given = Object.entries(args).filter(([, value]) => value !== undefined && value !== null);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}
