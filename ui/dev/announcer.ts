/**
 * Kit's route announcer carries the only inline style of the app, which the CSP refuses.
 * Our own class for screen-reader texts does the same.
 */
import type { Plugin } from 'vite';

export function announcerWithoutInlineStyle(): Plugin {
  return {
    name: 'gleaner-announcer',
    enforce: 'pre',
    transform: {
      filter: { id: /generated\/root\.svelte$/ },
      handler(code) {
        const clean = code.replace(/(<div id="svelte-announcer"[^>]*?) style="[^"]*"/, '$1 class="sr"');
        if (clean === code)
          this.error('Kit changed its route announcer: look whether it still has an inline style');
        return { code: clean, map: null };
      },
    },
  };
}
