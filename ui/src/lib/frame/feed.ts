/** The one event feed of this window. */
import { EventFeed } from '$lib/api/events.svelte';

export const feed = new EventFeed();
