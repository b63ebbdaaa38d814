import { redirect } from '@sveltejs/kit';

/** The first page is the list of sources. */
export function load() {
  redirect(307, '/sources');
}
