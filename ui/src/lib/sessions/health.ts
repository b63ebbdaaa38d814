/** Whether a session works, in tone, words and what to do. */
import type { SessionHealth, SessionOrigin, SessionRow } from '$lib/api/types';
import type { DotState } from '$lib/ui/StateDot.svelte';

export interface HealthWords {
  tone: 'neutral' | 'green' | 'yellow' | 'red';
  dot: DotState;
  /** On the badge. */
  word: string;
  /** What to do; nothing where all is well. */
  next?: string;
  /** Whether logging in again is the cure. */
  logIn?: boolean;
}

export const health: Record<SessionHealth, HealthWords> = {
  unchecked: {
    tone: 'neutral',
    dot: 'none',
    word: 'Unchecked',
    next: 'Nobody has asked Telegram yet whether it works. Press Check now.',
  },
  active: { tone: 'green', dot: 'ok', word: 'Active' },
  unauthorised: {
    tone: 'yellow',
    dot: 'waiting',
    word: 'Logged out',
    next: 'Telegram does not know this login any more. Log in again: the session keeps its sources.',
    logIn: true,
  },
  banned: {
    tone: 'red',
    dot: 'failed',
    word: 'Banned',
    next: 'Telegram has banned or deleted this account. Open an official app with its number to ask for a review.',
  },
  duplicated: {
    tone: 'red',
    dot: 'failed',
    word: 'Used twice',
    next:
      'The same login was used in two places at once, and Telegram has ended it for good. ' +
      'Stop the other program, then log in again: the session keeps its sources.',
    logIn: true,
  },
};

export const origin: Record<SessionOrigin, string> = {
  otp: 'Logged in with a code',
  qr: 'Logged in with a QR code',
  telethon: 'From Telethon',
  pyrogram: 'From Pyrogram',
  kurigram: 'From Kurigram',
};

/** A session in a list to choose from: `Harbour desk · +15550001 (logged out)`. */
export function choice(session: SessionRow): string {
  const number = session.phone_number || session.account?.phone_number;
  const state = session.health === 'active' ? '' : ` (${health[session.health].word.toLowerCase()})`;
  return [session.session_name, number].filter(Boolean).join(' · ') + state;
}
