/** Changes as they happen: SSE in a browser, a Tauri event in the window. */
import { listen } from '@tauri-apps/api/event';
import { call } from './client';
import { ApiError } from './error';
import { inWindow } from './ipc';
import type { GleanerEvent } from './types';

export type Link = 'connecting' | 'live' | 'lost';

const AGAIN_MS = 3000;

/**
 * Numbers of events are not compared here: the server tells each once, and they start anew with
 * erased or restored data.
 */
export class EventFeed {
  link = $state<Link>('connecting');
  /** Why there is no link, where waiting alone does not help. */
  refused = $state.raw<ApiError | null>(null);

  /** Calls `seen` for every event, and `caughtUp` whenever events may have been missed before. */
  start(seen: (event: GleanerEvent) => void, caughtUp: () => void): () => void {
    const live = () => {
      this.link = 'live';
      this.refused = null;
      caughtUp();
    };
    return inWindow() ? this.#fromWindow(seen, live) : this.#fromServer(seen, live);
  }

  #fromWindow(seen: (event: GleanerEvent) => void, live: () => void): () => void {
    let stopped = false;
    let again: ReturnType<typeof setTimeout> | undefined;
    let off: () => void = () => undefined;
    const open = () =>
      listen<GleanerEvent>('gleaner-event', ({ payload }) => seen(payload)).then(
        (stop) => {
          if (stopped) return stop();
          off = stop;
          live();
        },
        () => {
          if (stopped) return;
          this.link = 'lost';
          again = setTimeout(() => void open(), AGAIN_MS);
        },
      );
    void open();
    return () => {
      stopped = true;
      clearTimeout(again);
      off();
    };
  }

  #fromServer(seen: (event: GleanerEvent) => void, live: () => void): () => void {
    if (typeof EventSource === 'undefined') return () => undefined;
    let source: EventSource;
    let again: ReturnType<typeof setTimeout> | undefined;
    const open = () => {
      source = new EventSource('/api/events');
      source.onopen = live;
      source.onmessage = ({ data }) => seen(JSON.parse(data as string) as GleanerEvent);
      source.onerror = () => {
        this.link = 'lost';
        if (source.readyState !== EventSource.CLOSED) return; // The browser tries again by itself.
        void this.#askWhy();
        again = setTimeout(open, AGAIN_MS);
      };
    };
    open();
    return () => {
      clearTimeout(again);
      source.close();
    };
  }

  /** A stream tells no reason for its end; a small request does: a server that started anew knows no cookie. */
  async #askWhy(): Promise<void> {
    if (this.refused) return;
    const error = await call('overview').then(
      () => null,
      (thrown: unknown) => ApiError.from(thrown),
    );
    if (this.link === 'lost' && error?.code !== 'DISCONNECTED') this.refused = error;
  }
}
