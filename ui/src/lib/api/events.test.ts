import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { listen } from '@tauri-apps/api/event';
import { EventFeed } from './events.svelte';

vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

/** The browser's end of a stream, moved by hand. */
class Stream {
  static readonly CLOSED = 2;
  static all: Stream[] = [];
  static get last() {
    return Stream.all.at(-1)!;
  }
  readyState = 0;
  onopen = () => undefined as void;
  onerror = () => undefined as void;
  onmessage: (message: { data: string }) => void = () => undefined;
  constructor(readonly url: string) {
    Stream.all.push(this);
  }
  close() {
    this.readyState = Stream.CLOSED;
  }
  end() {
    this.close();
    this.onerror();
  }
  tell(event: object) {
    this.onmessage({ data: JSON.stringify(event) });
  }
}

const seen = vi.fn();
const caughtUp = vi.fn();
const answers = (status: number, code?: string) =>
  vi.stubGlobal('fetch', () =>
    Promise.resolve(
      new Response(JSON.stringify({ detail: 'why' }), {
        status,
        headers: code ? { 'x-error-code': code } : {},
      }),
    ),
  );

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  Stream.all = [];
  vi.stubGlobal('EventSource', Stream);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  delete (window as { __TAURI_INTERNALS__?: object }).__TAURI_INTERNALS__;
});

describe('in a browser', () => {
  test('every new connection may have missed something', () => {
    const feed = new EventFeed();
    feed.start(seen, caughtUp);
    Stream.last.onopen();
    expect(feed.link).toBe('live');
    Stream.last.onerror();
    expect(feed.link).toBe('lost');
    Stream.last.onopen();
    expect(caughtUp).toHaveBeenCalledTimes(2);
  });

  test('after an erase or a restore numbers start anew, and every event counts', () => {
    new EventFeed().start(seen, caughtUp);
    Stream.last.tell({ seq: 900, tag: 'runs' });
    Stream.last.onerror();
    Stream.last.onopen();
    Stream.last.tell({ seq: 1, tag: 'sources' });
    expect(seen).toHaveBeenLastCalledWith({ seq: 1, tag: 'sources' });
  });

  test('a server that forgot the cookie is named, asked once, and forgiven once it answers', async () => {
    answers(401, 'UNAUTHORIZED');
    const feed = new EventFeed();
    feed.start(seen, caughtUp);
    Stream.last.end();
    await vi.waitUntil(() => feed.refused);
    expect(feed.refused).toMatchObject({ code: 'UNAUTHORIZED', hint: expect.stringContaining('address') });
    const asked = vi.fn(() => Promise.reject(new Error('asked again')));
    vi.stubGlobal('fetch', asked);
    await vi.advanceTimersByTimeAsync(3000);
    Stream.last.end();
    await vi.advanceTimersByTimeAsync(3000);
    expect(Stream.all).toHaveLength(3);
    expect(asked).not.toHaveBeenCalled();
    Stream.last.onopen();
    expect(feed.refused).toBeNull();
  });

  test('a server that is away is waited for without a word', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed to fetch')));
    const feed = new EventFeed();
    feed.start(seen, caughtUp);
    Stream.last.end();
    await vi.advanceTimersByTimeAsync(3000);
    expect(feed.refused).toBeNull();
    expect(Stream.all).toHaveLength(2);
  });
});

describe('in the window', () => {
  beforeEach(() => {
    (window as { __TAURI_INTERNALS__?: object }).__TAURI_INTERNALS__ = {};
  });

  test('what was read before the window listened is read again', async () => {
    vi.mocked(listen).mockResolvedValue(() => undefined);
    const feed = new EventFeed();
    feed.start(seen, caughtUp);
    expect(caughtUp).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(0);
    expect(feed.link).toBe('live');
    expect(caughtUp).toHaveBeenCalledOnce();
  });

  test('a window that cannot listen tries again', async () => {
    vi.mocked(listen).mockRejectedValueOnce(new Error('not allowed'));
    vi.mocked(listen).mockResolvedValue(() => undefined);
    const feed = new EventFeed();
    feed.start(seen, caughtUp);
    await vi.advanceTimersByTimeAsync(0);
    expect(feed.link).toBe('lost');
    await vi.advanceTimersByTimeAsync(3000);
    expect(feed.link).toBe('live');
  });
});
