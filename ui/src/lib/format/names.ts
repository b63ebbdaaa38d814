/** Names of people and channels inside sentences of ours. */

/** Isolated, so that a right-to-left name leaves the words around it where they are. */
export function quoted(name: string): string {
  return `“\u2068${name}\u2069”`;
}
