/** What only a desktop can do, with an honest answer where there is none. */
import { invoke } from '@tauri-apps/api/core';
import { inWindow } from '$lib/api/ipc';

export interface Host {
  /** What this host can do; the UI shows nothing it cannot keep. */
  can: { chooseFolder: boolean; reveal: boolean };
  /** A folder chosen by the person; `null` when cancelled. */
  chooseFolder(): Promise<string | null>;
  /** Shows a file or folder in the system's file manager. */
  reveal(path: string): Promise<void>;
  /** Opens an address in the browser. */
  openLink(url: string): Promise<void>;
}

const desktop: Host = {
  can: { chooseFolder: true, reveal: true },
  chooseFolder: () => invoke<string | null>('host_choose_folder'),
  reveal: (path) => invoke('host_reveal', { path }),
  openLink: (url) => invoke('host_open_url', { url }),
};

const web: Host = {
  can: { chooseFolder: false, reveal: false },
  chooseFolder: () => Promise.resolve(null),
  reveal: () => Promise.reject(new Error('A browser cannot open folders')),
  openLink: (url) => {
    window.open(url, '_blank', 'noopener,noreferrer');
    return Promise.resolve();
  },
};

export const host: Host = inWindow() ? desktop : web;
