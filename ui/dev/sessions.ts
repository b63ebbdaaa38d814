/** The made-up logins and sessions behind the mock: any code logs in but 00000, any password but `wrong`. */
import type { SessionRow, SourceRow, TempSession } from '../src/lib/api/types';
import type { Answer } from './world.ts';

const MINUTE = 60_000;
const at = (ms: number) => new Date(Date.now() + ms).toISOString();

export class SessionWorld {
  readonly #sources: () => SourceRow[];
  #rows: SessionRow[];
  #temps = new Map<string, TempSession>();
  #next = 100;

  constructor(sources: () => SourceRow[]) {
    this.#sources = sources;
    this.#rows = [
      row(1, 'Harbour desk', 'active', { name: 'Ada Lovelace', username: 'ada_reads', user_id: 4_210_001 }),
      row(2, 'مكتب المرصد', 'unauthorised', { name: 'ليلى حداد', username: null, user_id: 4_210_002 }),
    ];
  }

  /** Nothing when it is about something else. */
  answer(method: string, url: URL, body: Record<string, unknown>): Answer | undefined {
    const path = url.pathname;
    const [, , , id = '', verb] = path.split('/');
    if (path === '/sessions/send-otp') return this.#begin(body, 'code');
    if (path === '/sessions/verify-otp') return this.#verify(body);
    if (path === '/sessions/finalize') return this.#keep(String(body.temp_session_id));
    if (path === '/sessions/upload-file' || path === '/api/sessions/import-string')
      return ok(this.#add(String(body.session_name ?? 'Uploaded'), '+15550009'));
    if (path.startsWith('/sessions/') && method === 'DELETE') return this.#drop(Number(path.split('/')[2]));
    if (path === '/api/sessions') return ok(this.#rows.map((one) => this.#used(one)));
    if (path.startsWith('/api/sessions/')) return this.#change(Number(id), verb, body);
    if (path === '/api/temp-sessions/qr') return this.#begin(body, 'qr');
    if (path.startsWith('/api/temp-sessions/')) return this.#temp(method, id, verb, body);
    if (path.startsWith('/api/key')) return ok(KEY);
    if (path === '/api/settings/telegram')
      return ok({ api_id: Number(body.api_id ?? 12345), api_hash_set: true, proxy: null });
    return undefined;
  }

  #begin(body: Record<string, unknown>, step: 'code' | 'qr'): Answer {
    const id = `00000000-0000-4000-8000-${String(this.#next++).padStart(12, '0')}`;
    const temp: TempSession = {
      id,
      session_name: String(body.session_name),
      phone_number: String(body.phone_number ?? ''),
      step,
      expires_at: at(5 * MINUTE),
      ...(step === 'code'
        ? { delivery: 'app', next_delivery: 'sms', code_length: 5, resend_at: at(MINUTE) }
        : { qr: { rows: squares(), expires_at: at(MINUTE / 2) } }),
    };
    this.#temps.set(id, temp);
    if (step === 'qr') return ok(temp);
    const message = `OTP sent to ${temp.phone_number}`;
    return ok({ message, temp_session_id: id, phone_code_hash: 'made-up' });
  }

  #verify(body: Record<string, unknown>): Answer {
    const temp = this.#temps.get(String(body.temp_session_id));
    if (!temp) return GONE;
    if (body.code === '00000') return refused(400, 'INVALID_CODE', 'Invalid OTP code');
    const wants = temp.phone_number.endsWith('2') && body.password === undefined;
    if (body.password === 'wrong') return refused(400, 'INVALID_PASSWORD', 'Invalid password');
    temp.step = wants ? 'password' : 'ready';
    temp.password_hint = wants ? 'what the pier shows' : null;
    return ok({ message: wants ? '2FA password required' : READY, requires_password: wants });
  }

  #temp(method: string, id: string, verb: string | undefined, body: Record<string, unknown>): Answer {
    const temp = this.#temps.get(id);
    if (!temp) return GONE;
    if (method === 'DELETE') {
      this.#temps.delete(id);
      return ok({ message: 'Login cancelled' });
    }
    if (verb === 'resend')
      Object.assign(temp, { delivery: 'sms', next_delivery: 'call', resend_at: at(MINUTE) });
    if (verb === 'password') {
      if (body.password === 'wrong') return refused(400, 'INVALID_PASSWORD', 'Invalid password');
      temp.step = 'ready';
    }
    return ok(temp);
  }

  #keep(id: string): Answer {
    const temp = this.#temps.get(id);
    if (!temp) return GONE;
    this.#temps.delete(id);
    return ok(this.#add(temp.session_name, temp.phone_number));
  }

  #add(name: string, phone: string): SessionRow {
    const made = row(this.#next++, name, 'active', {
      name: 'Ada Lovelace',
      username: 'ada_reads',
      user_id: 1,
    });
    made.phone_number = phone;
    this.#rows.push(made);
    return made;
  }

  #change(id: number, verb: string | undefined, body: Record<string, unknown>): Answer {
    const one = this.#rows.find((row) => row.id === id);
    if (!one) return refused(404, 'SESSION_NOT_FOUND', 'Session not found');
    if (verb === 'check') one.checked_at = at(0);
    else one.session_name = String(body.session_name);
    return ok(this.#used(one));
  }

  #drop(id: number): Answer {
    this.#rows = this.#rows.filter((row) => row.id !== id);
    return ok({ message: 'Session deleted successfully' });
  }

  #used(one: SessionRow): SessionRow {
    const sources = this.#sources().filter(({ session_ref }) => session_ref === one.id);
    return { ...one, sources: sources.map(({ id, name }) => ({ id, name })) };
  }
}

const READY = 'Authentication successful. Ready to finalize.';
const GONE = refused(404, 'TEMP_SESSION_NOT_FOUND', 'Temp session not found');
const KEY = {
  state: 'ready',
  kept_in: 'Secret Service (GNOME Keyring)',
  detail: '',
  kid: '3f2a91c0',
  recovery_saved: false,
};

function row(
  id: number,
  session_name: string,
  health: SessionRow['health'],
  account: { name: string; username: string | null; user_id: number },
): SessionRow {
  return {
    id,
    uid: `01930000-0000-7000-8000-${String(900 + id).padStart(12, '0')}`,
    session_name,
    phone_number: `+1555000${id}`,
    created_at: at(-90 * MINUTE * id),
    origin: 'otp',
    health,
    checked_at: at(-40 * MINUTE),
    account: { ...account, is_bot: false, phone_number: null },
    dc_id: 2,
    foreign_address: null,
    warnings: [],
    sources: [],
  };
}

/** Squares that look like a code, and lead nowhere. */
function squares(): string[] {
  const size = 33;
  const eye = (x: number, y: number) => {
    for (const [ox, oy] of [
      [0, 0],
      [size - 7, 0],
      [0, size - 7],
    ] as const) {
      const [dx, dy] = [x - ox, y - oy];
      if (dx < -1 || dy < -1 || dx > 7 || dy > 7) continue;
      const ring = Math.max(Math.abs(dx - 3), Math.abs(dy - 3));
      return ring === 3 || ring <= 1 ? '1' : '0';
    }
    return (x * 7 + y * 13 + ((x * y) % 5)) % 3 === 0 ? '1' : '0';
  };
  return Array.from({ length: size }, (_, y) => Array.from({ length: size }, (_, x) => eye(x, y)).join(''));
}

function ok(json: unknown): Answer {
  return { status: 200, json };
}

function refused(status: number, code: string, detail: string): Answer {
  return { status, code, json: { detail } };
}
