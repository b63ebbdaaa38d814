/** An account of Telegram, for people. */
import type { Account } from '$lib/api/types';

/** `@ada`, or its number where it has no name of that kind. */
export function handle({ username, user_id }: Account): string {
  return username ? `@${username}` : `id\u00a0${user_id}`;
}
