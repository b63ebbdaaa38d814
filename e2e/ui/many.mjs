/** Ten thousand sources: the page opens at once, and typing into the filter drops nothing. */
import assert from 'node:assert/strict';
import { until } from './stage.mjs';

const COUNT = 10_000;
const name = (n) => `channel_${String(n).padStart(5, '0')}`;

async function fill(stage) {
  if ((await stage.api('GET', '/sources/')).length >= COUNT) return;
  const started = Date.now();
  for (let from = 0; from < COUNT; from += 1000) {
    const text = Array.from({ length: 1000 }, (_, i) => `@${name(from + i)}`).join('\n');
    await stage.api('POST', '/api/sources/import', { text, target: 'LOCAL', schedule: { kind: 'manual' } });
  }
  console.log(`        added ${COUNT} sources in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

export const many = {
  // The usual pace: first runs trickle through while the page is measured.
  world: { posts: 1, rate: 5 },
  tests: {
    async 'the page with all sources opens'({ page, stage, url }) {
      await fill(stage);
      await page.goto(`${url}/settings`);
      await page.getByText('Copy diagnostics').waitFor();
      // Taken in the page, at the frame after the first row exists: asking from outside costs time of its own.
      await page.addInitScript(() => {
        const watch = new MutationObserver(() => {
          if (!document.querySelector('[role=gridcell]')) return;
          watch.disconnect();
          requestAnimationFrame(() => (window.firstRows = performance.now()));
        });
        watch.observe(document, { childList: true, subtree: true });
      });
      const times = [];
      for (let round = 0; round < 5; round += 1) {
        await page.goto(`${url}/sources`, { waitUntil: 'commit' });
        await page.locator('[role=gridcell]').first().waitFor();
        times.push(await (await page.waitForFunction(() => window.firstRows)).jsonValue());
      }
      times.sort((a, b) => a - b);
      console.log(`        ${COUNT} sources: first rows after ${times[2].toFixed(0)} ms (median of 5, this build)`);
      // The newest come first and alone; the rest takes over without a blink.
      await until('all rows are there', async () => {
        return (await page.getByRole('grid').getAttribute('aria-rowcount')) === String(COUNT + 1);
      });
      console.log(`        all ${COUNT} after ${(await page.evaluate(() => performance.now())).toFixed(0)} ms (last of 5)`);
      assert.ok((await page.getByRole('row').count()) < 80, 'only rows in sight exist');
    },

    async 'typing into the filter drops no letter and answers at once'({ page, stage, url }) {
      await fill(stage);
      await page.goto(`${url}/sources`);
      await page.locator('[role=gridcell]').first().waitFor();
      const field = page.getByRole('searchbox', { name: 'Filter sources' });
      await field.focus();
      await page.evaluate(() => {
        window.slow = [];
        new PerformanceObserver((list) => window.slow.push(...list.getEntries().map((e) => e.duration))).observe({ type: 'event', durationThreshold: 16, buffered: true });
      });
      const wanted = name(1234);
      await page.keyboard.type(wanted, { delay: 30 });
      assert.equal(await field.inputValue(), wanted, 'every letter arrived');
      await until('one source is left', async () => (await page.getByRole('grid').getAttribute('aria-rowcount')) === '2');
      const slow = await page.evaluate(() => window.slow);
      const worst = Math.max(0, ...slow);
      console.log(`        ${wanted.length} letters into ${COUNT} sources: slowest input ${worst.toFixed(0)} ms, ${slow.length} events over 16 ms`);
    },

    async 'all of them are chosen and paused in one go'({ page, stage, url }) {
      await fill(stage);
      await page.goto(`${url}/sources`);
      await page.getByRole('searchbox', { name: 'Filter sources' }).fill('channel_000');
      await until('100 are left', async () => (await page.getByRole('grid').getAttribute('aria-rowcount')) === '101');
      await page.getByLabel('Choose all').click();
      await page.getByRole('toolbar', { name: 'Chosen sources' }).getByRole('button', { name: 'Pause' }).click();
      await page.getByText('100 sources paused').waitFor();
    },
  },
};
