/** Short news at the edge of the window. What can be copied into a report stays until closed; the rest leaves by itself. */
import { ApiError } from '$lib/api/error';
import { adviceFor, type Tone } from '$lib/errors/codes';

export interface Toast {
  id: number;
  tone: Tone | 'success';
  title: string;
  detail?: string;
  /** What to copy into a report. */
  copy?: string;
  link?: { label: string; href: string };
}

const SHOWN_MS = 6000;

class Toasts {
  list = $state<Toast[]>([]);
  #next = 1;

  success(title: string, more: Partial<Toast> = {}): void {
    this.#add({ tone: 'success', title, ...more });
  }

  /** An error in the words of the one table. */
  error(thrown: unknown, doing?: string): void {
    const error = ApiError.from(thrown);
    const detail = doing
      ? `${error.message}${error.hint ? `. ${error.hint}` : ''}`
      : (error.hint ?? undefined);
    this.#add({
      tone: adviceFor(error.code).tone,
      title: doing ?? error.message,
      detail,
      copy: error.toText(),
    });
  }

  close(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  #add(toast: Omit<Toast, 'id'>): void {
    const id = this.#next++;
    this.list = [...this.list.slice(-3), { id, ...toast }];
    if (toast.copy === undefined) setTimeout(() => this.close(id), SHOWN_MS);
  }
}

export const toasts = new Toasts();
