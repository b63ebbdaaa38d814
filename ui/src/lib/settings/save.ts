/** Saves a change of settings and says so. */
import { call } from '$lib/api/client';
import { keys } from '$lib/api/queries';
import type { EditSettings } from '$lib/api/types';
import { toasts } from '$lib/state/toasts.svelte';
import type { QueryClient } from '@tanstack/svelte-query';

export async function saveSettings(client: QueryClient, body: EditSettings): Promise<void> {
  try {
    client.setQueryData(keys.settings, await call('edit_settings', { body }));
    toasts.success('Settings saved');
  } catch (error) {
    toasts.error(error, 'Could not save the settings');
    await client.invalidateQueries({ queryKey: keys.settings });
  }
}
