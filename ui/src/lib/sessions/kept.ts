/** What a reload of the page must find again of a login: no code and no password is among it. */
import type { Again, LoginKind } from './login.svelte';

export interface KeptLogin {
  id: string;
  session_name: string;
  phone_number: string;
  again: Again | null;
}

const key = (kind: LoginKind) => `gleaner.login.${kind}`;

export function keep(kind: LoginKind, login: KeptLogin | null): void {
  try {
    if (login) sessionStorage.setItem(key(kind), JSON.stringify(login));
    else sessionStorage.removeItem(key(kind));
  } catch {
    // Without storage a reload begins anew.
  }
}

export function kept(kind: LoginKind): KeptLogin | null {
  try {
    const text = sessionStorage.getItem(key(kind));
    const found = text ? (JSON.parse(text) as Partial<KeptLogin>) : null;
    if (typeof found?.id !== 'string') return null;
    return {
      id: found.id,
      session_name: found.session_name ?? '',
      phone_number: found.phone_number ?? '',
      again: found.again ?? null,
    };
  } catch {
    return null;
  }
}
