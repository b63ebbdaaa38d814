/** Changes as they happen: SSE in a browser, a Tauri event in the window. */
import { listen } from '@tauri-apps/api/event';
import { inWindow } from './ipc';
import type { GleanerEvent } from './types';

export type Link = 'connecting' | 'live' | 'lost';

export class EventFeed {
  link = $state<Link>('connecting');
  #last = 0;
  #stop: () => void = () => undefined;

  /** Calls `seen` for every event, and `caughtUp` whenever events may have been missed. */
  start(seen: (event: GleanerEvent) => void, caughtUp: () => void): () => void {
    const receive = (event: GleanerEvent) => {
      // Numbers rise, but begin anew when data was erased or an older backup restored.
      if (event.tag !== 'progress') this.#last = event.seq;
      seen(event);
    };
    this.#stop = inWindow() ? this.#fromWindow(receive) : this.#fromServer(receive, caughtUp);
    return () => this.#stop();
  }

  #fromWindow(receive: (event: GleanerEvent) => void): () => void {
    const off = listen<GleanerEvent>('gleaner-event', ({ payload }) => receive(payload));
    void off.then(() => (this.link = 'live'));
    return () => void off.then((stop) => stop());
  }

  #fromServer(receive: (event: GleanerEvent) => void, caughtUp: () => void): () => void {
    if (typeof EventSource === 'undefined') return () => undefined;
    let source: EventSource;
    let again: ReturnType<typeof setTimeout> | undefined;
    const open = () => {
      source = new EventSource(this.#last > 0 ? `/api/events?after=${this.#last}` : '/api/events');
      source.onopen = () => {
        caughtUp();
        this.link = 'live';
      };
      source.onmessage = ({ data }) => receive(JSON.parse(data as string) as GleanerEvent);
      source.onerror = () => {
        this.link = 'lost';
        if (source.readyState !== EventSource.CLOSED) return; // The browser tries again by itself.
        again = setTimeout(open, 3000);
      };
    };
    open();
    return () => {
      clearTimeout(again);
      source.close();
    };
  }
}
