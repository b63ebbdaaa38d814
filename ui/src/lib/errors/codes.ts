/**
 * Every error code, its tone and its next step: the one table. A code missing here does not compile,
 * and a test holds the table against the contract.
 */
import type { Code } from '$lib/api/types';

/** The contract's codes and the one only a client can know. */
export type UiCode = Code | 'DISCONNECTED';

export type Tone = 'error' | 'warning' | 'info';

/** What helps; the UI turns it into a button. */
export type Step =
  'settings' | 'activity' | 'edit-source' | 'add-again' | 'run-again' | 'reload' | 'sessions' | 'sources';

export interface Advice {
  /** How loud it is. */
  tone: Tone;
  /** In three words, for badges and headings. */
  title: string;
  /** What a person can do. */
  next?: string;
  /** Where. */
  step?: Step;
}

export const advice: Record<UiCode, Advice> = {
  INVALID_INPUT: { tone: 'error', title: 'Check the form', next: 'Correct the marked field and try again.' },
  SOURCE_NOT_FOUND: {
    tone: 'warning',
    title: 'Source not found',
    next: 'It may have been deleted.',
    step: 'sources',
  },
  SESSION_NOT_FOUND: {
    tone: 'error',
    title: 'Session not found',
    next: 'Choose another session, or log in again under Sessions.',
    step: 'sessions',
  },
  RUN_NOT_FOUND: {
    tone: 'warning',
    title: 'Run not found',
    next: 'Old runs are pruned after 90 days.',
    step: 'activity',
  },
  TARGET_NOT_FOUND: {
    tone: 'error',
    title: 'Target not found',
    next: 'Choose another target.',
    step: 'settings',
  },
  SESSION_REQUIRED: {
    tone: 'error',
    title: 'Session required',
    next: 'Choose a session that is a member of the channel.',
  },
  DUPLICATE_SOURCE: {
    tone: 'warning',
    title: 'Already a source',
    next: 'Open the existing source, or choose another target.',
  },
  DUPLICATE_SESSION: {
    tone: 'warning',
    title: 'Already a session',
    next: 'Choose another name, or use the session that is there.',
  },
  TEMP_SESSION_NOT_FOUND: {
    tone: 'warning',
    title: 'Login expired',
    next: 'Start again: a login in progress ends after 5 minutes.',
  },
  INVALID_PHONE: {
    tone: 'error',
    title: 'Invalid phone number',
    next: 'Write it in international form, such as +1234567890.',
  },
  PHONE_BANNED: {
    tone: 'error',
    title: 'Number banned',
    next: 'Open an official Telegram app with this number: it offers to ask for a review.',
  },
  INVALID_CODE: {
    tone: 'error',
    title: 'Invalid code',
    next:
      'Type the newest code, or ask for a new one. ' +
      'Never send a login code through Telegram: that voids it.',
  },
  INVALID_PASSWORD: {
    tone: 'error',
    title: 'Invalid password',
    next: 'This is the password of two-step verification, set in Telegram under Privacy and Security.',
  },
  SESSION_NOT_VERIFIED: { tone: 'warning', title: 'Not verified yet', next: 'Enter the code first.' },
  API_NOT_SET: {
    tone: 'warning',
    title: 'API id and hash missing',
    next: 'Get them at my.telegram.org under “API development tools”, and enter them in Settings.',
    step: 'settings',
  },
  API_INVALID: {
    tone: 'error',
    title: 'API id or hash refused',
    next: 'Check them in Settings against my.telegram.org.',
    step: 'settings',
  },
  SESSION_DEAD: {
    tone: 'error',
    title: 'Session ended',
    next: 'Log in again: the session keeps its sources.',
    step: 'sessions',
  },
  NOT_A_SESSION: {
    tone: 'error',
    title: 'Not a session',
    next: 'Choose a .session file of Telethon, Pyrogram or Kurigram, or paste a session string.',
  },
  KEYRING_LOCKED: {
    tone: 'warning',
    title: 'Keyring locked',
    next: 'Unlock the keyring, then try again.',
    step: 'sessions',
  },
  KEYRING_ABSENT: {
    tone: 'error',
    title: 'No keyring',
    next:
      'Start a keyring service, such as GNOME Keyring or KWallet, ' +
      'or name a key file in GLEANER_ENCRYPTION_KEY_FILE.',
    step: 'sessions',
  },
  KEY_GONE: {
    tone: 'error',
    title: 'Key gone',
    next: 'Restore it from the recovery file; nothing was changed.',
    step: 'sessions',
  },
  KEY_WRONG: {
    tone: 'error',
    title: 'Another key',
    next: 'Restore the right key from the recovery file; nothing was changed.',
    step: 'sessions',
  },
  IN_USE: { tone: 'warning', title: 'In use', next: 'Move or delete what uses it first.' },
  ALREADY_RUNNING: {
    tone: 'info',
    title: 'Already running',
    next: 'Wait for the current run, or cancel it in Activity.',
    step: 'activity',
  },
  CHANNEL_UNKNOWN: {
    tone: 'error',
    title: 'Unknown channel',
    next: 'Open the name on t.me. If it is misspelt, add the channel under the right one and delete this source.',
    step: 'add-again',
  },
  CHANNEL_NO_PREVIEW: {
    tone: 'warning',
    title: 'No public preview',
    next: 'Check the name; a channel without a public page needs a session that can read it.',
    step: 'add-again',
  },
  NOT_A_CHANNEL: {
    tone: 'error',
    title: 'Not a channel',
    next: 'Only channels have a public page; groups need a session.',
    step: 'add-again',
  },
  CHANNEL_BANNED: {
    tone: 'error',
    title: 'Channel banned',
    next: 'Nothing can be read any more; what was scraped stays.',
  },
  CHANNEL_REPLACED: {
    tone: 'error',
    title: 'Another channel now',
    next: 'Add the new channel as its own source; the old archive stays as it is.',
    step: 'sources',
  },
  FLOOD_WAIT: { tone: 'info', title: 'Waiting', next: 'The run goes on by itself when the wait is over.' },
  UNREACHABLE: {
    tone: 'warning',
    title: 'Unreachable',
    next: 'Check the connection; the next scheduled run tries again.',
    step: 'run-again',
  },
  UNEXPECTED_PAGE: {
    tone: 'error',
    title: 'Unexpected page',
    next: 'Update Gleaner; if it persists, copy the diagnostics into a report.',
  },
  TARGET_DENIED: {
    tone: 'error',
    title: 'Target refuses',
    next: "Check the folder's permissions or the bucket's credentials in Settings.",
    step: 'settings',
  },
  TARGET_UNREACHABLE: {
    tone: 'error',
    title: 'Target unreachable',
    next: 'Mount the share or check the address, then press Run now.',
    step: 'settings',
  },
  TARGET_FOREIGN: {
    tone: 'error',
    title: 'Folder taken',
    next: 'Choose an empty folder for this source.',
    step: 'edit-source',
  },
  ARCHIVE_MISSING: {
    tone: 'error',
    title: 'Archive not there',
    next:
      'Mount the disk, restore the folder or correct the target, then press Run now. Deleted on purpose? ' +
      'Choose another target for this source, or delete the source and add it again.',
    step: 'edit-source',
  },
  ARCHIVE_DAMAGED: {
    tone: 'error',
    title: 'Archive damaged',
    next: 'Restore the archive from a backup. If a newer Gleaner wrote it, update this one.',
    step: 'run-again',
  },
  DISK_FULL: {
    tone: 'error',
    title: 'Disk full',
    next: 'Free some space or lower the free-space floor, then press Run now.',
    step: 'settings',
  },
  DAILY_CAP_REACHED: {
    tone: 'info',
    title: 'Daily cap reached',
    next: 'The run goes on tomorrow, or raise the cap.',
    step: 'edit-source',
  },
  LEASE_LOST: {
    tone: 'info',
    title: 'Taken over',
    next: 'Another run of this source goes on in its place.',
    step: 'activity',
  },
  INTERRUPTED: {
    tone: 'info',
    title: 'Interrupted',
    next: 'Nothing is lost: the next run goes on from the last batch.',
    step: 'run-again',
  },
  DATABASE: {
    tone: 'error',
    title: 'Database error',
    next: 'Check that the data folder is writable and has room.',
    step: 'settings',
  },
  UNAUTHORIZED: {
    tone: 'warning',
    title: 'Signed out',
    next: 'Open the address that `gleaner serve` printed.',
  },
  FORBIDDEN: {
    tone: 'error',
    title: 'Refused',
    next: 'Open Gleaner at the address it printed, not through another name.',
  },
  NOT_AVAILABLE: {
    tone: 'info',
    title: 'Not there yet',
    next: 'This belongs to a later version of Gleaner.',
  },
  INTERNAL: {
    tone: 'error',
    title: 'Something broke',
    next: 'Try again; if it persists, copy the details into a report.',
  },
  DISCONNECTED: {
    tone: 'warning',
    title: 'No connection',
    next: 'Is Gleaner still running? This page reconnects by itself.',
    step: 'reload',
  },
};

export function isCode(text: string): text is UiCode {
  return Object.hasOwn(advice, text);
}

export function adviceFor(code: UiCode): Advice {
  return advice[code];
}
