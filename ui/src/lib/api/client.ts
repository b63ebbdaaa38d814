/** The typed way to the app, in the window and in a browser alike. */
import { ApiError } from './error';
import { exchangeCode, http } from './http';
import { inWindow, ipc } from './ipc';
import type { Answer, Args, OperationId } from './operations';

export type Transport = (operation: OperationId, args: Record<string, unknown>) => Promise<unknown>;

/** Runs one operation. Fails only with an [`ApiError`]. */
export async function call<O extends OperationId>(
  operation: O,
  ...args: Args<O> extends Record<string, never> ? [] : [Args<O>]
): Promise<Answer<O>> {
  await ready;
  const transport: Transport = inWindow() ? ipc : http;
  try {
    return (await transport(operation, args[0] ?? {})) as Answer<O>;
  } catch (thrown) {
    throw ApiError.from(thrown);
  }
}

/** A one-time code in the address is swapped for a cookie before the first request. */
const ready: Promise<void> = inWindow() ? Promise.resolve() : exchangeCode();
