import { beforeEach, expect, test, vi } from 'vitest';

const invoke = vi.hoisted(() =>
  vi.fn<(command: string, args?: unknown) => Promise<unknown>>(() => Promise.resolve(null)),
);
const listen = vi.hoisted(() => vi.fn());
vi.mock('@tauri-apps/api/core', () => ({ invoke }));
vi.mock('@tauri-apps/api/event', () => ({ listen }));

beforeEach(() => {
  vi.resetModules();
  vi.clearAllMocks();
  vi.unstubAllGlobals();
});

async function inside() {
  vi.stubGlobal('__TAURI_INTERNALS__', {});
  return (await import('./index')).host;
}

test('the window is asked by name, with what it needs', async () => {
  const host = await inside();
  await host.chooseSessionFile();
  await host.importSession({ token: 't', session_name: 'desk', phone_number: '' });
  await host.exportSession({ id: 3, form: 'telethon_string' });
  await host.saveRecovery('harbour lights');
  await host.restoreRecovery('harbour lights');
  expect(invoke.mock.calls).toEqual([
    ['host_choose_session_file'],
    ['host_import_session', { token: 't', session_name: 'desk', phone_number: '' }],
    ['host_export_session', { id: 3, form: 'telethon_string' }],
    ['host_save_recovery', { passphrase: 'harbour lights' }],
    ['host_restore_recovery', { passphrase: 'harbour lights' }],
  ]);
});

test('a dropped file is told until nobody listens', async () => {
  const host = await inside();
  const stop = vi.fn();
  listen.mockResolvedValue(stop);
  const seen = vi.fn();
  const leave = host.onSessionDropped(seen);
  expect(listen.mock.calls[0]?.[0]).toBe('gleaner-session-dropped');
  const file = { token: 't', name: 'desk.session', size: 28_672 };
  listen.mock.calls[0]?.[1]({ payload: file });
  expect(seen).toHaveBeenCalledWith(file);
  leave();
  await vi.waitFor(() => expect(stop).toHaveBeenCalled());
});

test('a browser can do none of it, and says so', async () => {
  const { host } = await import('./index');
  expect(host.can).toEqual({ chooseFolder: false, reveal: false, sessionFiles: false, recovery: false });
  expect(await host.chooseSessionFile()).toBeNull();
  await expect(host.saveRecovery('harbour lights')).rejects.toThrow(/desktop app/);
  expect(listen).not.toHaveBeenCalled();
});
