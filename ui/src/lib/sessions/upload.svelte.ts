/** A session brought along, as a file or as a text. */
import { call } from '$lib/api/client';
import { ApiError, type FieldError } from '$lib/api/error';
import { host, type HeldFile } from '$lib/host';
import { placed, type Place } from './place';

/** A file of this browser, or one that the window holds. */
export type Picked = File | HeldFile;
export type Form = 'file' | 'string';

/** Real ones have some ten kilobytes; a video dropped by mistake is not sent. */
const MOST_BYTES = 64 * 1024 * 1024;
const SHOWN: readonly Place[] = ['session_name', 'phone_number', 'session'];

export class Upload {
  form = $state<Form>('file');
  name = $state('');
  phone = $state('');
  file = $state.raw<Picked | null>(null);
  text = $state('');
  busy = $state(false);
  trouble = $state.raw<ApiError | null>(null);
  /** Until when Telegram wants us to wait, in milliseconds. */
  waitUntil = $state(0);
  #missing = $state.raw<FieldError[]>([]);

  error(place: Place): string | undefined {
    return [...this.#missing, ...placed(this.trouble, SHOWN)].find(({ field }) => field === place)?.reason;
  }

  /** What is wrong and stands at no field. */
  get elsewhere(): ApiError | null {
    return this.trouble && placed(this.trouble, SHOWN).length === 0 ? this.trouble : null;
  }

  clear(place: string | undefined): void {
    this.#missing = this.#missing.filter(({ field }) => field !== place);
    if (placed(this.trouble, SHOWN).some(({ field }) => field === place)) this.trouble = null;
  }

  take(file: Picked): void {
    this.form = 'file';
    this.file = file;
    this.clear('session');
    if (this.name.trim() === '') this.name = file.name.replace(/\.session$/i, '').slice(0, 100);
    if (this.name.trim() !== '') this.clear('session_name');
  }

  /** True once it is kept. */
  async send(): Promise<boolean> {
    if (this.busy || !this.#check()) return false;
    this.busy = true;
    this.trouble = null;
    this.waitUntil = 0;
    try {
      await this.#give();
      this.reset();
      return true;
    } catch (thrown) {
      const error = ApiError.from(thrown);
      this.trouble = error;
      this.waitUntil =
        error.code === 'FLOOD_WAIT' && error.retryAfter ? Date.now() + error.retryAfter * 1000 : 0;
      return false;
    } finally {
      this.busy = false;
    }
  }

  reset(): void {
    this.name = '';
    this.phone = '';
    this.file = null;
    this.text = '';
    this.trouble = null;
    this.#missing = [];
  }

  #check(): boolean {
    const wrong: FieldError[] = [];
    if (!this.name.trim())
      wrong.push({ field: 'session_name', reason: 'Give the session a name of your own' });
    if (this.form === 'file' && !this.file)
      wrong.push({ field: 'session', reason: 'Choose a .session file' });
    if (this.form === 'file' && this.file && this.file.size > MOST_BYTES)
      wrong.push({ field: 'session', reason: 'Too big for a session file: one has some ten kilobytes' });
    if (this.form === 'string' && !this.text.trim())
      wrong.push({ field: 'session', reason: 'Paste the session string' });
    this.#missing = wrong;
    return wrong.length === 0;
  }

  #give(): Promise<unknown> {
    const session_name = this.name.trim();
    const phone_number = this.phone.trim();
    if (this.form === 'string') {
      return call('import_session_string', {
        body: { session_name, phone_number, session_string: this.text.trim() },
      });
    }
    const file = this.file;
    if (file && 'token' in file) return host.importSession({ token: file.token, session_name, phone_number });
    const body = new FormData();
    body.append('session_name', session_name);
    body.append('phone_number', phone_number);
    if (file) body.append('session_file', file);
    return call('upload_session_file', { body });
  }
}

/** A file dropped on the window, wherever it was dropped: the page takes it from here. */
class Arrived {
  file = $state.raw<HeldFile | null>(null);
}

export const arrived = new Arrived();
