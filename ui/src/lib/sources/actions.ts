/** What can be done with sources, from whichever button: ask where it must be asked, do, tell. */
import { call } from '$lib/api/client';
import { keys } from '$lib/api/queries';
import type { BulkAction, SourceRow } from '$lib/api/types';
import { quoted } from '$lib/format/names';
import { plural } from '$lib/format/number';
import { confirm } from '$lib/state/confirm.svelte';
import { toasts } from '$lib/state/toasts.svelte';
import type { QueryClient } from '@tanstack/svelte-query';

type Named = Pick<SourceRow, 'id' | 'name'>;

export class SourceActions {
  #client: QueryClient;

  constructor(client: QueryClient) {
    this.#client = client;
  }

  run = (source: Named) =>
    this.#do(`Could not run ${quoted(source.name)}`, async () => {
      await call('run_source', { id: source.id });
      toasts.success(`${quoted(source.name)} is queued`, { link: { label: 'Show activity', href: '/runs' } });
    });

  pause = (source: Named) =>
    this.#do(`Could not pause ${quoted(source.name)}`, async () => {
      await call('pause_source', { id: source.id });
      toasts.success(`${quoted(source.name)} is paused`, {
        detail: 'It runs only when asked until you resume it.',
      });
    });

  resume = (source: Named) =>
    this.#do(`Could not resume ${quoted(source.name)}`, async () => {
      await call('resume_source', { id: source.id });
      toasts.success(`${quoted(source.name)} is scheduled again`);
    });

  /** True once it is gone. */
  delete = async (source: Named): Promise<boolean> => {
    const answer = await confirm.ask({
      title: `Delete ${quoted(source.name)}?`,
      body: 'The source and its run history are removed. The files it scraped stay where they are.',
      action: 'Delete',
      danger: true,
      option: 'Also delete files',
    });
    if (!answer) return false;
    return this.#do(`Could not delete ${quoted(source.name)}`, async () => {
      const { message } = await call('delete_source', { id: source.id, files: answer.option });
      toasts.success(message);
    });
  };

  deleteMany = async (ids: number[]): Promise<boolean> => {
    const answer = await confirm.ask({
      title: `Delete ${plural(ids.length, 'source')}?`,
      body: 'The sources and their run history are removed. The files they scraped stay where they are.',
      action: `Delete ${plural(ids.length, 'source')}`,
      danger: true,
      option: 'Also delete files',
    });
    return answer ? this.bulk(ids, { action: 'delete', files: answer.option }, 'deleted') : false;
  };

  bulk = (ids: number[], action: BulkAction, done: string): Promise<boolean> =>
    this.#do('Could not change the sources', async () => {
      const report = await call('bulk_sources', { body: { ids, ...action } });
      const [first] = report.failed;
      if (!first) toasts.success(`${plural(report.done, 'source')} ${done}`);
      else {
        toasts.error(
          { code: first.code, detail: first.detail },
          `${plural(report.done, 'source')} ${done}, ${report.failed.length} not`,
        );
      }
    });

  async #do(failing: string, what: () => Promise<void>): Promise<boolean> {
    try {
      await what();
      await this.#client.invalidateQueries({ queryKey: keys.sources });
      return true;
    } catch (error) {
      toasts.error(error, failing);
      return false;
    }
  }
}
