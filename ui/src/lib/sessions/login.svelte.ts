/** A login in progress: what was typed, what Telegram waits for, and what went wrong. */
import { call } from '$lib/api/client';
import { ApiError, type FieldError } from '$lib/api/error';
import type { ContractSession, SessionRow, TempSession, TempStep } from '$lib/api/types';
import { keep, kept, type KeptLogin } from './kept';
import { placed, type Place } from './place';

export type LoginKind = 'otp' | 'qr';
export type Stage = 'start' | TempStep;
/** A button of the login; a wait that Telegram asks for belongs to one. */
export type Act = 'start' | 'verify' | 'resend' | 'finalize';
/** A session that is logged in again. */
export type Again = Pick<SessionRow, 'id' | 'session_name' | 'phone_number'>;

/** What the server gives a login in progress; used only until it says so itself. */
const LIFE_MS = 5 * 60_000;

const SHOWN: Record<Stage, readonly Place[]> = {
  start: ['phone_number', 'session_name'],
  code: ['code'],
  qr: [],
  password: ['password'],
  ready: [],
};

export class Login {
  readonly kind: LoginKind;
  name = $state('');
  phone = $state('');
  code = $state('');
  password = $state('');
  again = $state.raw<Again | null>(null);
  temp = $state.raw<TempSession | null>(null);
  stage = $derived<Stage>(this.temp?.step ?? 'start');
  busy = $state<Act | 'cancel' | 'resume' | null>(null);
  trouble = $state.raw<ApiError | null>(null);
  /** Why a login that was in progress before the reload cannot be looked at. */
  lost = $state.raw<ApiError | null>(null);
  /** The five minutes are over. */
  expired = $state(false);
  /** A code was sent once more. */
  resent = $state(false);
  /** Until when Telegram wants nothing of that kind from us, in milliseconds. */
  wait = $state.raw<{ act: Act; until: number } | null>(null);
  /** Whether it was under way before: the form that comes back takes the keyboard back. */
  returned = false;
  #missing = $state.raw<FieldError[]>([]);
  #looking = false;

  constructor(kind: LoginKind) {
    this.kind = kind;
  }

  /** What is wrong with a field. */
  error(place: Place): string | undefined {
    const found = [...this.#missing, ...placed(this.trouble, SHOWN[this.stage])];
    return found.find(({ field }) => field === place)?.reason;
  }

  /** What is wrong and stands at no field. */
  get elsewhere(): ApiError | null {
    return this.trouble && placed(this.trouble, SHOWN[this.stage]).length === 0 ? this.trouble : null;
  }

  /** Whether the login stops for want of an API id and hash. */
  get needsApi(): boolean {
    return this.trouble?.code === 'API_NOT_SET' || this.trouble?.code === 'API_INVALID';
  }

  /** What is being corrected is wrong no more until it is sent. */
  clear(place: string | undefined): void {
    this.#missing = this.#missing.filter(({ field }) => field !== place);
    if (placed(this.trouble, SHOWN[this.stage]).some(({ field }) => field === place)) this.trouble = null;
    // Another number has not been asked to wait.
    if (place === 'phone_number' && this.wait?.act === 'start') this.#rest();
  }

  /** Step 1: sends the code, or shows the first QR code. */
  start = (): Promise<void> => {
    const session_name = this.name.trim();
    const phone_number = this.phone.trim();
    this.#missing = [
      ...(this.kind === 'otp' && !phone_number
        ? [{ field: 'phone_number', reason: 'Enter the number of the account, with its +' }]
        : []),
      ...(session_name ? [] : [{ field: 'session_name', reason: 'Give the session a name of your own' }]),
    ];
    if (this.#missing.length > 0) return Promise.resolve();
    const session_id = this.again?.id ?? null;
    return this.#attempt('start', async () => {
      if (this.kind === 'qr')
        return this.#take(await call('start_qr', { body: { session_name, session_id } }));
      const { temp_session_id: id } = await call('send_otp', {
        body: { phone_number, session_name, session_id },
      });
      // Should the details not arrive, the code can be entered all the same.
      const expires_at = new Date(Date.now() + LIFE_MS).toISOString();
      this.#take({ id, session_name, phone_number, step: 'code', expires_at });
      await this.#read(id).catch(() => undefined);
    });
  };

  /** Step 2: the code, or the password. */
  verify = (): Promise<void> => {
    const temp = this.temp;
    const wanted = this.stage === 'password' ? 'password' : 'code';
    if (!temp || !this.#has(wanted)) return Promise.resolve();
    return this.#attempt('verify', async () => {
      if (this.kind === 'qr') {
        return this.#take(
          await call('give_temp_password', { id: temp.id, body: { password: this.password } }),
        );
      }
      const { requires_password } = await call('verify_otp', {
        body: {
          temp_session_id: temp.id,
          code: this.code.trim(),
          ...(this.stage === 'password' ? { password: this.password } : {}),
        },
      });
      const step = requires_password ? 'password' : 'ready';
      if (this.temp?.id === temp.id) this.#take({ ...this.temp, step });
      await this.#read(temp.id).catch(() => undefined);
    });
  };

  resend = (): Promise<void> => {
    const temp = this.temp;
    if (!temp) return Promise.resolve();
    return this.#attempt('resend', async () => {
      this.#take(await call('resend_code', { id: temp.id }));
      this.code = '';
      this.resent = true;
    });
  };

  /** Step 3: the session is kept for good; `null` when it is not. */
  finalize = async (): Promise<ContractSession | null> => {
    const temp = this.temp;
    let saved: ContractSession | null = null;
    if (!temp) return null;
    await this.#attempt('finalize', async () => {
      saved = await call('finalize_session', { body: { temp_session_id: temp.id } });
      this.reset();
    });
    return saved;
  };

  /** Ends it here and at Telegram; name and number stay, to be corrected. */
  cancel = (): Promise<void> => {
    const temp = this.temp;
    if (!temp || this.busy === 'cancel') return Promise.resolve();
    this.#over();
    this.busy = 'cancel';
    // Whoever does not hear of it forgets it after five minutes.
    return call('cancel_temp_session', { id: temp.id }).then(
      () => void (this.busy = null),
      () => void (this.busy = null),
    );
  };

  /** Looks how far it is: a QR code may have been scanned, or the time be over. */
  look = async (): Promise<void> => {
    const id = this.temp?.id;
    if (!id || this.#looking || this.busy) return;
    this.#looking = true;
    try {
      await this.#read(id);
      if (this.trouble?.code === 'DISCONNECTED') this.trouble = null;
    } catch (thrown) {
      if (this.temp?.id === id) this.#meet('start', ApiError.from(thrown));
    }
    this.#looking = false;
  };

  /** Finds a login again that was in progress when the page was left. */
  resume = (): Promise<void> => {
    const before = kept(this.kind);
    if (!before || this.temp) return Promise.resolve();
    this.name = before.session_name;
    this.phone = before.phone_number;
    this.again = before.again;
    this.lost = null;
    return this.#attempt('resume', async () => {
      this.temp = await call('get_temp_session', { id: before.id });
    });
  };

  /** Logs a session in again, in place: it keeps its number and its sources. */
  startOver(session: Again | null): void {
    this.reset();
    this.again = session;
    this.name = session?.session_name ?? '';
    this.phone = session?.phone_number ?? '';
  }

  reset(): void {
    this.#over();
    this.again = null;
    this.name = '';
    this.phone = '';
  }

  #over(): void {
    this.returned = this.temp !== null;
    this.temp = null;
    this.code = '';
    this.password = '';
    this.expired = false;
    this.resent = false;
    this.trouble = null;
    this.lost = null;
    this.wait = null;
    this.#missing = [];
    keep(this.kind, null);
  }

  #rest(): void {
    this.wait = null;
    if (this.trouble?.code === 'FLOOD_WAIT') this.trouble = null;
  }

  #has(wanted: 'code' | 'password'): boolean {
    const given = wanted === 'code' ? this.code.trim() : this.password;
    const reason = wanted === 'code' ? 'Enter the code' : 'Enter the password';
    this.#missing = given ? [] : [{ field: wanted, reason }];
    return given !== '';
  }

  async #read(id: string): Promise<void> {
    const temp = await call('get_temp_session', { id });
    // Cancelled, or begun anew, while this was on its way.
    if (this.temp?.id === id) this.#take(temp);
  }

  #take(temp: TempSession): void {
    this.temp = temp;
    const { id } = temp;
    const login: KeptLogin = {
      id,
      session_name: this.name.trim(),
      phone_number: this.phone.trim(),
      again: this.again,
    };
    keep(this.kind, login);
  }

  async #attempt(act: Act | 'resume', what: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = act;
    this.trouble = null;
    this.expired = false;
    this.resent = false;
    // Another button goes on waiting.
    if (this.wait?.act === act) this.wait = null;
    try {
      await what();
    } catch (thrown) {
      const error = ApiError.from(thrown);
      if (act === 'resume' && error.code !== 'TEMP_SESSION_NOT_FOUND') this.lost = error;
      else this.#meet(act === 'resume' ? 'start' : act, error);
    } finally {
      this.busy = null;
    }
  }

  #meet(act: Act, error: ApiError): void {
    if (error.code === 'TEMP_SESSION_NOT_FOUND') {
      this.#over();
      this.expired = true;
      return;
    }
    if (error.code === 'FLOOD_WAIT' && error.retryAfter) {
      this.wait = { act, until: Date.now() + error.retryAfter * 1000 };
    }
    this.trouble = error;
  }
}
