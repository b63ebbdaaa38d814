/** What can be done with kept sessions: ask where it must be asked, do, tell. */
import { call } from '$lib/api/client';
import { ApiError } from '$lib/api/error';
import { keys } from '$lib/api/queries';
import type { SessionRow } from '$lib/api/types';
import { quoted } from '$lib/format/names';
import { plural } from '$lib/format/number';
import { confirm } from '$lib/state/confirm.svelte';
import { toasts } from '$lib/state/toasts.svelte';
import type { QueryClient } from '@tanstack/svelte-query';
import { health } from './health';

export class SessionActions {
  #client: QueryClient;

  constructor(client: QueryClient) {
    this.#client = client;
  }

  check = (session: SessionRow) =>
    this.#do(`Could not check ${quoted(session.session_name)}`, async () => {
      const now = await call('check_session', { id: session.id });
      this.#patch(now);
      const { word, next } = health[now.health];
      if (now.health === 'active') toasts.success(`${quoted(now.session_name)} works`);
      else
        toasts.success(`${quoted(now.session_name)}: ${word.toLowerCase()}`, {
          tone: 'warning',
          detail: next,
        });
    });

  /** Why it has no other name now; nothing when it has. */
  rename = async (session: SessionRow, session_name: string): Promise<ApiError | null> => {
    try {
      this.#patch(await call('edit_session', { id: session.id, body: { session_name } }));
      await this.#again();
      return null;
    } catch (thrown) {
      return ApiError.from(thrown);
    }
  };

  delete = async (session: SessionRow): Promise<void> => {
    const name = quoted(session.session_name);
    if (session.sources.length > 0) return this.#refuse(session);
    const answer = await confirm.ask({
      title: `Delete the session ${name}?`,
      body: 'Gleaner forgets its keys for good. Without the choice below the login stays open at Telegram.',
      action: 'Delete',
      danger: true,
      option: 'Also log out at Telegram',
    });
    if (!answer) return;
    await this.#do(`Could not delete ${name}`, async () => {
      const { message } = await call('delete_session', { id: session.id, log_out: answer.option });
      toasts.success(message);
    });
  };

  async #refuse({ session_name, sources }: SessionRow): Promise<void> {
    await confirm.ask({
      title: `${quoted(session_name)} is in use`,
      body:
        `${plural(sources.length, 'source')} ${sources.length === 1 ? 'is' : 'are'} read with this session. ` +
        'Delete them first, or keep it.',
      links: sources.map(({ id, name }) => ({ label: name, href: `/source?id=${id}` })),
      action: 'Keep it',
      refused: true,
    });
  }

  #patch(now: SessionRow): void {
    this.#client.setQueryData<SessionRow[]>(keys.sessions, (rows) =>
      rows?.map((row) => (row.id === now.id ? now : row)),
    );
  }

  #again(): Promise<void> {
    return this.#client.invalidateQueries({ queryKey: keys.sessions });
  }

  async #do(failing: string, what: () => Promise<void>): Promise<void> {
    try {
      await what();
    } catch (error) {
      toasts.error(error, failing);
    }
    // What was refused may have changed elsewhere meanwhile.
    await this.#again();
  }
}
