/** What only a desktop can do, with an honest answer where there is none. */
import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import { inWindow } from '$lib/api/ipc';
import type { KeyStatus, SessionRow } from '$lib/api/types';

/** A session file that the window holds: its content never enters the page. */
export interface HeldFile {
  token: string;
  name: string;
  size: number;
}

export type ExportForm = 'telethon_file' | 'telethon_string';

export interface Host {
  /** What this host can do; the UI shows nothing it cannot keep. */
  can: { chooseFolder: boolean; reveal: boolean; sessionFiles: boolean; recovery: boolean };
  /** A folder chosen by the person; `null` when cancelled. */
  chooseFolder(): Promise<string | null>;
  /** Shows a file or folder in the system's file manager. */
  reveal(path: string): Promise<void>;
  /** Opens an address in the browser. */
  openLink(url: string): Promise<void>;
  /** A `.session` file chosen by the person; `null` when cancelled. */
  chooseSessionFile(): Promise<HeldFile | null>;
  /** Calls `seen` for every `.session` file dropped on the window. */
  onSessionDropped(seen: (file: HeldFile) => void): () => void;
  /** Keeps the session in a held file. */
  importSession(held: { token: string; session_name: string; phone_number: string }): Promise<SessionRow>;
  /** Writes a session where the person says; `null` when cancelled. */
  exportSession(wish: { id: number; form: ExportForm }): Promise<{ path: string } | null>;
  /** Writes the key, sealed with a passphrase, where the person says; `null` when cancelled. */
  saveRecovery(passphrase: string): Promise<{ path: string } | null>;
  /** Takes the key from a recovery file that the person chooses; `null` when cancelled. */
  restoreRecovery(passphrase: string): Promise<KeyStatus | null>;
}

const desktop: Host = {
  can: { chooseFolder: true, reveal: true, sessionFiles: true, recovery: true },
  chooseFolder: () => invoke<string | null>('host_choose_folder'),
  reveal: (path) => invoke('host_reveal', { path }),
  openLink: (url) => invoke('host_open_url', { url }),
  chooseSessionFile: () => invoke<HeldFile | null>('host_choose_session_file'),
  onSessionDropped(seen) {
    const listening = listen<HeldFile>('gleaner-session-dropped', ({ payload }) => seen(payload));
    // Without the event the button is still there.
    listening.catch(() => undefined);
    return () => void listening.then((stop) => stop()).catch(() => undefined);
  },
  importSession: (held) => invoke<SessionRow>('host_import_session', held),
  exportSession: (wish) => invoke<{ path: string } | null>('host_export_session', wish),
  saveRecovery: (passphrase) => invoke<{ path: string } | null>('host_save_recovery', { passphrase }),
  restoreRecovery: (passphrase) => invoke<KeyStatus | null>('host_restore_recovery', { passphrase }),
};

const onlyInWindow = () => Promise.reject(new Error('Only the desktop app can do that'));

const web: Host = {
  can: { chooseFolder: false, reveal: false, sessionFiles: false, recovery: false },
  chooseFolder: () => Promise.resolve(null),
  reveal: () => Promise.reject(new Error('A browser cannot open folders')),
  openLink: (url) => {
    window.open(url, '_blank', 'noopener,noreferrer');
    return Promise.resolve();
  },
  chooseSessionFile: () => Promise.resolve(null),
  onSessionDropped: () => () => undefined,
  importSession: onlyInWindow,
  exportSession: onlyInWindow,
  saveRecovery: onlyInWindow,
  restoreRecovery: onlyInWindow,
};

export const host: Host = inWindow() ? desktop : web;
