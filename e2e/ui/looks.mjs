/** How it looks and reads: axe in both themes, and screenshots to look at. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { axeSource, root, until } from './stage.mjs';

const shots = process.env.GLEANER_SHOTS ?? join(root, 'e2e/results/screens');
const names = ['harbour_observatory', 'night_ferry', 'marsad_almina', 'severny_mayak', 'minato_tenmon', 'moss_and_meadow'];

const row = (page) => page.getByRole('row').nth(1).waitFor();
const message = (page) => page.getByRole('region', { name: 'Recent messages' }).getByRole('listitem').first().waitFor();

/** Each look: where it is, when it is ready, and what the world must be like for it. */
const pages = {
  'sources-empty': { world: empty, path: '/sources', ready: (page) => page.getByText('Scrape a public channel now').waitFor() },
  sources: { path: '/sources', ready: row },
  chosen: {
    path: '/sources',
    ready: async (page) => {
      const boxes = page.getByRole('gridcell').getByRole('checkbox');
      await boxes.nth(1).click();
      await boxes.nth(3).click({ modifiers: ['Shift'] });
      await page.getByRole('toolbar', { name: 'Chosen sources' }).waitFor();
    },
  },
  error: {
    path: '/sources',
    before: (page) => page.route(/\/api\/sources/, (route) => route.abort()),
    ready: (page) => page.getByRole('alert').getByRole('heading', { name: 'No connection' }).waitFor(),
  },
  form: {
    path: '/sources',
    ready: async (page) => {
      await page.getByRole('button', { name: '+ Add New Source' }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  detail: { path: '/source?id=1', ready: message },
  'detail-below': {
    path: '/source?id=1',
    ready: async (page) => {
      await message(page);
      await page.getByRole('region', { name: 'Recent messages' }).evaluate((part) => part.scrollIntoView({ block: 'start' }));
    },
  },
  'detail-failed': { path: '/source?id=7', ready: (page) => page.getByRole('alert').getByRole('button', { name: 'Copy details' }).waitFor() },
  'activity-live': {
    world: busy,
    path: '/runs',
    ready: async (page) => {
      const bar = page.getByRole('region', { name: 'Running now' }).getByRole('progressbar');
      await until('the run is under way', async () => Number(await bar.getAttribute('aria-valuenow')) > 5, 40_000);
    },
    after: rest,
  },
  'activity-history': { path: '/runs', ready: (page) => page.getByRole('region', { name: 'Finished runs' }).getByRole('link').first().waitFor() },
  sessions: { path: '/sessions', ready: (page) => page.getByText('No session yet').waitFor() },
  'sessions-refused': {
    path: '/sessions',
    ready: async (page) => {
      await page.getByRole('button', { name: 'Send OTP', exact: true }).click();
      await page.getByText('Enter the number of the account').waitFor();
    },
  },
  'sessions-qr': { path: '/sessions?tab=qr', ready: (page) => page.getByRole('button', { name: 'Show QR code' }).waitFor() },
  'sessions-upload': { path: '/sessions?tab=upload', ready: (page) => page.getByRole('button', { name: 'Choose File' }).waitFor() },
  settings: { path: '/settings', ready: (page) => page.getByText('Copy diagnostics').waitFor() },
  palette: {
    path: '/sources',
    ready: async (page) => {
      await row(page);
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').getByRole('option').first().waitFor();
    },
  },
};

/** Nothing there yet. The looks of an empty house come first, before the others fill it. */
async function empty() {}

let filled = false;
async function filledWorld(stage) {
  if (filled) return;
  filled = true;
  for (const name of names) {
    const words = name.replaceAll('_', ' ');
    await stage.add(`@${name}`, words[0].toUpperCase() + words.slice(1), { schedule: { kind: 'interval', minutes: 30 } });
  }
  await stage.add('@nobody_lives_here', 'Nobody lives here');
  await atRest(stage);
}

async function atRest(stage) {
  await until(
    'every run is over',
    async () => {
      const { running, queued } = await stage.api('GET', '/api/overview');
      return running + queued === 0;
    },
    120_000,
  );
}

/** A big channel read from a slow site: a run to watch. */
async function busy(stage) {
  await filledWorld(stage);
  await stage.control('/control/faults', { scope: 'all', faults: { latency: 1500 } });
  await stage.add('@mitzpe_hanamal', 'Mitzpe Hanamal');
}

async function rest(stage) {
  await stage.control('/control/faults', { scope: 'all', faults: {} });
  const busyOne = (await stage.api('GET', '/api/sources')).find(({ name }) => name === 'Mitzpe Hanamal');
  await atRest(stage);
  await stage.api('DELETE', `/sources/${busyOne.id}`);
}

/** Paths of the stage read as a person's own: a picture is no place for a folder that is gone tomorrow. */
async function atHome(context, stage) {
  await context.route(/\/(api\/(?!events)|sources\/|sessions\/)/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replaceAll(stage.folder, '/home/ada') });
  });
}

function seen(scheme, name) {
  const { world = filledWorld, path, before, ready, after } = pages[name];
  return async ({ stage }) => {
    await world(stage);
    await stage.inPage(
      async ({ page, url }) => {
        await atHome(page.context(), stage);
        await before?.(page);
        await page.goto(url + path);
        await ready(page);
        await page.getByText('Live', { exact: true }).waitFor();
        // Entrances are over when nothing but the endless pulses moves.
        await until('animations rest', () =>
          page.evaluate(() => document.getAnimations().every((a) => a.effect.getComputedTiming().iterations === Infinity || a.playState === 'finished')),
        );
        mkdirSync(shots, { recursive: true });
        await page.screenshot({ path: join(shots, `${name}-${scheme}.png`) });
        await page.evaluate(readFileSync(axeSource(), 'utf8'));
        const { violations } = await page.evaluate(() => window.axe.run());
        const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        const told = serious.map((v) => `${v.id}: ${v.help}\n  ${v.nodes.slice(0, 3).map((n) => n.html + '\n  ' + n.failureSummary).join('\n  ')}`);
        assert.equal(told.length, 0, told.join('\n'));
      },
      { colorScheme: scheme, reducedMotion: 'reduce' },
    );
    await after?.(stage);
  };
}

const schemes = ['light', 'dark'];
const order = Object.keys(pages).sort((a, b) => Number(pages[b].world === empty) - Number(pages[a].world === empty));
const tests = order.flatMap((name) => schemes.map((scheme) => [`${name} in ${scheme} has nothing serious for axe`, seen(scheme, name)]));

export const looks = {
  world: { posts: 400 },
  tests: Object.fromEntries(tests),
};
