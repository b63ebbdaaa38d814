/** A run opens over the page one is on: its address is that page's with the run added. */
export function withRun(here: URL, uid: string): string {
  const there = new URL(here);
  there.searchParams.set('run', uid);
  return there.pathname + there.search;
}

/** The page underneath. */
export function withoutRun(here: URL): string {
  const there = new URL(here);
  there.searchParams.delete('run');
  return there.pathname + there.search;
}
