/** What is open above the page. */
import type { SourceRow } from '$lib/api/types';

class Panels {
  palette = $state(false);
  /** The source form: closed, for a new source, for a new one like another, or for an existing one. */
  form = $state.raw<'closed' | 'new' | { like: SourceRow } | SourceRow>('closed');
  addMany = $state(false);
}

export const panels = new Panels();
