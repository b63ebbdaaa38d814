/** How it looks and reads: axe in both themes, and screenshots to look at. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { axeSource, root, until } from './stage.mjs';

const shots = process.env.GLEANER_SHOTS ?? join(root, 'e2e/results/screens');
const names = ['harbour_observatory', 'night_ferry', 'marsad_almina', 'severny_mayak', 'minato_tenmon', 'moss_and_meadow'];

const pages = {
  sources: { path: '/sources', ready: (page) => page.getByRole('row').nth(1).waitFor() },
  form: {
    path: '/sources',
    ready: async (page) => {
      await page.getByRole('button', { name: '+ Add New Source' }).click();
      await page.getByRole('dialog').waitFor();
      await page.getByText('Schedule, history and files').click();
    },
  },
  detail: { path: '/source?id=1', ready: (page) => page.getByRole('region', { name: 'Recent messages' }).getByRole('listitem').first().waitFor() },
  activity: { path: '/runs', ready: (page) => page.getByRole('region', { name: 'Finished runs' }).waitFor() },
  settings: { path: '/settings', ready: (page) => page.getByText('Copy diagnostics').waitFor() },
  palette: {
    path: '/sources',
    ready: async (page) => {
      await page.getByRole('row').nth(1).waitFor();
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').getByRole('option').first().waitFor();
    },
  },
};

let filled = false;
async function fill(stage) {
  if (filled) return;
  filled = true;
  for (const name of names) {
    const words = name.replaceAll('_', ' ');
    await stage.add(`@${name}`, words[0].toUpperCase() + words.slice(1), { schedule: { kind: 'interval', minutes: 30 } });
  }
  await stage.add('@nobody_lives_here', 'Nobody lives here');
  await until('every first run is over', async () => (await stage.api('GET', '/api/overview')).running + (await stage.api('GET', '/api/overview')).queued === 0, 120_000);
}

function seen(scheme, name) {
  return async ({ stage }) => {
    await fill(stage);
    await stage.inPage(
      async ({ page, url }) => {
        await page.goto(url + pages[name].path);
        await pages[name].ready(page);
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
  };
}

export const looks = {
  world: { posts: 400 },
  tests: Object.fromEntries(
    ['light', 'dark'].flatMap((scheme) => Object.keys(pages).map((name) => [`${name} in ${scheme} has nothing serious for axe`, seen(scheme, name)])),
  ),
};
