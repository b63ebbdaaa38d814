/** The key that sessions are sealed with, in words: what each state means and what helps. */
import type { KeyState } from '$lib/api/types';

export interface KeyWords {
  tone: 'quiet' | 'warning' | 'error';
  title: string;
  /** What it means for the sessions. */
  means: string;
  /** What to do, where the app has no better words. */
  next: string;
  /** Whether sessions can be opened, or new ones kept. */
  usable: boolean;
  /** Whether a recovery file helps. */
  restore: boolean;
}

export const keyWords: Record<KeyState, KeyWords> = {
  ready: {
    tone: 'quiet',
    title: 'The key is there',
    means: 'Every session is sealed with it.',
    next: 'Keep the recovery file somewhere else than this computer.',
    usable: true,
    restore: false,
  },
  none: {
    tone: 'quiet',
    title: 'No key yet',
    means: 'Nothing is sealed yet: the first session makes the key.',
    next: 'Log in, or upload a session.',
    usable: true,
    restore: true,
  },
  locked: {
    tone: 'warning',
    title: 'The keyring is locked',
    means: 'Until it is open, no session can be used or added. Public channels go on.',
    next: 'Unlock the keyring of your desktop, then try again.',
    usable: false,
    restore: false,
  },
  absent: {
    tone: 'error',
    title: 'There is no keyring',
    means: 'Gleaner keeps no key in plain files, so no session can be used or added. Public channels go on.',
    next: 'Start a keyring service, such as GNOME Keyring or KWallet, or name a key file in GLEANER_ENCRYPTION_KEY_FILE. Then try again.',
    usable: false,
    restore: false,
  },
  gone: {
    tone: 'error',
    title: 'The key is gone',
    means: 'The keyring has no key any more for the sessions kept here. Nothing was changed.',
    next: 'Restore it from the recovery file. Without one, delete the sessions and log in again.',
    usable: false,
    restore: true,
  },
  wrong: {
    tone: 'error',
    title: 'The keyring holds another key',
    means: 'The sessions kept here were sealed with a different one. Nothing was changed.',
    next: 'Restore the right key from the recovery file.',
    usable: false,
    restore: true,
  },
  damaged: {
    tone: 'error',
    title: 'The key cannot be read',
    means: 'What the keyring holds is no key. It was left as it is, and so were the sessions.',
    next: 'Restore the key from the recovery file.',
    usable: false,
    restore: true,
  },
};

/** Shortest passphrase of a recovery file. */
export const PASSPHRASE_LEAST = 12;

/** What is wrong with a new passphrase; nothing when it will do. */
export function passphraseProblem(first: string, second: string): { first?: string; second?: string } {
  if ([...first].length < PASSPHRASE_LEAST) return { first: `Use at least ${PASSPHRASE_LEAST} characters` };
  return first === second ? {} : { second: 'Type the same passphrase twice' };
}
