/** What is open above the page. */
import type { SourceRow } from '$lib/api/types';

class Panels {
  palette = $state(false);
  /** The source form: closed, for a new source, or for an existing one. */
  form = $state.raw<'closed' | 'new' | SourceRow>('closed');
  addMany = $state(false);
}

export const panels = new Panels();
