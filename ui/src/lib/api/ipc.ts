/** Operations over Tauri's commands: same ids, the request body as `input`. */
import { invoke } from '@tauri-apps/api/core';
import type { OperationId } from './operations';

export function inWindow(): boolean {
  return typeof window !== 'undefined' && '__TAURI_INTERNALS__' in window;
}

export function ipc(operation: OperationId, args: Record<string, unknown>): Promise<unknown> {
  return invoke(operation, commandArgs(operation, args));
}

/** Commands take path parts by name and one struct; `list_runs` takes its filter as that struct. */
export function commandArgs(operation: OperationId, args: Record<string, unknown>): Record<string, unknown> {
  if (operation === 'list_runs') return { input: args };
  const { body, ...parts } = args;
  const rest = Object.fromEntries(Object.entries(parts).map(([name, value]) => [camelCase(name), value]));
  return body === undefined ? rest : { ...rest, input: body };
}

/** As Tauri spells the names of a command's arguments. */
function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
