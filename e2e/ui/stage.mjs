/** What a test stands on: a simulated Telegram, a server on a fresh data folder, and a browser. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const fromUi = createRequire(join(root, 'ui/package.json'));
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
const bins = {
  gleaner: process.env.GLEANER_BIN ?? join(target, 'debug/gleaner'),
  testkit: process.env.GLEANER_TESTKIT_BIN ?? join(target, 'debug/gleaner-testkit'),
};
const CHROMIUMS = [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'].filter(Boolean);
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const STEP_MS = 20_000;
/** What the sessions of tests are sealed with: no keyring is needed here. */
const KEY = 'dGVzdC10ZXN0LXRlc3QtdGVzdC10ZXN0LXRlc3QtMTI=';

export class Stage {
  /** Why nothing can be tested here; `null` when everything is there. */
  static missing() {
    for (const [name, path] of Object.entries(bins)) if (!existsSync(path)) return `${name} is not built: ${path}`;
    if (!existsSync(join(root, 'ui/node_modules/playwright-core'))) return 'ui/node_modules has no playwright-core';
    return chromium() ? null : 'no Chromium on the path';
  }

  static async open({ posts = 60, rate = 0 } = {}) {
    const stage = new Stage();
    try {
      stage.folder = mkdtempSync(join(tmpdir(), 'gleaner-e2e-'));
      stage.site = await start(bins.testkit, ['site', '--light', `--posts=${posts}`, '--control-port=0', '--telegram-port=0'], {}, 2);
      stage.env = {
        GLEANER_DATA_DIR: join(stage.folder, '.local/share/gleaner'),
        GLEANER_PREVIEW_URL: stage.site.lines[0],
        GLEANER_PREVIEW_RATE: String(rate),
        GLEANER_DEMO_TELEGRAM: stage.site.lines[1].replace('http://', ''),
        GLEANER_ENCRYPTION_KEY: KEY,
        HOME: stage.folder,
        XDG_DATA_HOME: join(stage.folder, '.local/share'),
        XDG_STATE_HOME: join(stage.folder, '.local/state'),
      };
      stage.server = await start(bins.gleaner, ['serve', '--dev', '--port', '0'], stage.env);
      stage.url = /http:\/\/[^\s/]+/.exec(stage.server.lines[0])[0];
      stage.browser = await fromUi('playwright-core').chromium.launch({ executablePath: chromium(), args: FLAGS });
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  /** One test in a page of its own; whatever the CSP refuses and whatever breaks in the page fails it. */
  async inPage(test, options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    context.setDefaultTimeout(STEP_MS);
    if (process.env.GLEANER_UI_BUILD) await pagesFromDisk(context, this.url, process.env.GLEANER_UI_BUILD);
    const page = await context.newPage();
    const broken = [];
    page.on('pageerror', (error) => broken.push(error.stack ?? String(error)));
    page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text())) broken.push(message.text());
    });
    try {
      await test({ page, stage: this, url: this.url });
      if (broken.length > 0) throw new Error(`the page complained:\n${broken.join('\n')}`);
    } catch (error) {
      if (broken.length > 0 && !error.message.startsWith('the page complained')) error.stack += `\nthe page complained:\n${broken.join('\n')}`;
      const seen = await page.locator('main').innerText({ timeout: 1000 }).catch(() => 'nothing');
      error.stack += `\nthe page showed: ${seen.slice(0, 600).replaceAll(/\s+/g, ' ')}`;
      throw error;
    } finally {
      await context.close();
    }
  }

  async api(method, path, body) {
    const answer = await fetch(this.url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(300_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  control(path, body) {
    return fetch(this.site.lines[1] + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(STEP_MS),
    });
  }

  /** Runs the command on the same data folder. */
  async gleaner(...args) {
    const options = { env: { ...process.env, ...this.env }, timeout: 60_000 };
    const { stdout } = await promisify(execFile)(bins.gleaner, args, options);
    return stdout;
  }

  /** A `.session` file of a login of its own, of which nothing is kept here. */
  async sessionFile(phone, code) {
    const { temp_session_id } = await this.api('POST', '/sessions/send-otp', { phone_number: phone, session_name: 'to export' });
    await this.api('POST', '/sessions/verify-otp', { temp_session_id, code });
    const { id } = await this.api('POST', '/sessions/finalize', { temp_session_id });
    const file = join(this.folder, `exported-${id}.session`);
    await this.gleaner('session', 'export', 'to export', file, '--yes');
    await this.api('DELETE', `/sessions/${id}`);
    return readFileSync(file);
  }

  /** A source over the API, for tests that are about something else. */
  add(identifier, name, more = {}) {
    return this.api('POST', '/sources/', {
      name,
      identifier,
      channel_title: '',
      access_level: 'public',
      target: 'LOCAL',
      session_ref: null,
      path: join(this.folder, 'Telegram archive'),
      schedule: { kind: 'manual' },
      ...more,
    });
  }

  async close() {
    await this.browser?.close();
    for (const process of [this.server, this.site]) await process?.stop();
    if (this.folder) rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Asks until it holds, and says what it last saw when it never does. */
export async function until(what, ask, ms = STEP_MS) {
  const end = Date.now() + ms;
  for (;;) {
    const seen = await ask();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * With GLEANER_UI_BUILD=ui/build the pages come from that folder, under the CSP its own index asks for,
 * so that a change of the UI is tested without building the server anew.
 */
async function pagesFromDisk(context, url, build) {
  const index = readFileSync(join(build, 'index.html'), 'utf8');
  const csp = /content-security-policy" content="([^"]*)"/.exec(index)[1];
  const ours = (path) => /^\/(api|sources|sessions)\//.test(path);
  await context.route(
    (address) => address.origin === url && !ours(address.pathname),
    (route) => {
      const path = join(build, new URL(route.request().url()).pathname);
      if (existsSync(path) && statSync(path).isFile()) return route.fulfill({ path });
      return route.fulfill({ body: index, contentType: 'text/html', headers: { 'content-security-policy': csp } });
    },
  );
}

export const axeSource = () => fromUi.resolve('axe-core/axe.min.js');

/** Starts a program and waits for its first lines, which are addresses. */
async function start(bin, args, env, lines = 1) {
  const child = spawn(bin, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (part) => (said = (said + part).slice(-4000)));
  // A program that cannot be started never exits.
  const ended = new Promise((resolve) => child.once('exit', resolve).once('error', () => resolve(null)));
  const first = [];
  const ready = new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      first.push(line);
      if (first.length === lines) resolve();
    });
    child.once('error', reject);
    void ended.then((code) => reject(new Error(`${bin} ended with ${code}: ${said}`)));
    setTimeout(() => reject(new Error(`${bin} said nothing in 30 s: ${said}`)), 30_000).unref();
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const hard = setTimeout(() => child.kill('SIGKILL'), 12_000);
    await ended;
    clearTimeout(hard);
  };
  try {
    await ready;
  } catch (error) {
    await stop();
    throw error;
  }
  return { lines: first, stop };
}

function chromium() {
  const folders = (process.env.PATH ?? '').split(':');
  const candidates = CHROMIUMS.flatMap((name) => (name.includes('/') ? [name] : folders.map((folder) => join(folder, name))));
  return candidates.find((path) => existsSync(path));
}
