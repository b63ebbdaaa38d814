/**
 * The real pages in Chromium against the real `gleaner serve` and a simulated Telegram.
 * `node e2e/ui/run.mjs [chapter, or part of a name]`; GLEANER_BIN, GLEANER_TESTKIT_BIN and CHROMIUM say where things are.
 * Ends with `N passed, N failed, N skipped`; every wait is bounded; only loopback is spoken to.
 */
import { setMaxListeners } from 'node:events';
import { Stage } from './stage.mjs';
import { journeys } from './journeys.mjs';
import { looks } from './looks.mjs';
import { many } from './many.mjs';
import { logins } from './sessions.mjs';

setMaxListeners(50);
const wanted = process.argv[2] ?? '';
const tally = { passed: 0, failed: 0, skipped: 0 };

async function main() {
  const missing = Stage.missing();
  const chapters = { journeys, sessions: logins, looks, many };
  for (const [title, chapter] of Object.entries(chapters)) {
    const fits = (name) => (wanted in chapters ? wanted === title : name.includes(wanted));
    const tests = Object.entries(chapter.tests).filter(([name]) => fits(name));
    if (tests.length === 0) continue;
    if (missing) {
      tests.forEach(([name]) => report('skipped', name, missing));
      continue;
    }
    const stage = await Stage.open(chapter.world).catch((error) => error);
    if (stage instanceof Error) {
      tests.forEach(([name]) => report('failed', name, stage.stack));
      continue;
    }
    try {
      for (const [name, test] of tests) await perform(stage, name, test);
    } finally {
      await stage.close();
    }
  }
  console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
  process.exitCode = tally.failed > 0 ? 1 : 0;
}

async function perform(stage, name, test) {
  const started = Date.now();
  try {
    await stage.inPage(test);
    report('passed', name, `${((Date.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    report('failed', name, error.stack);
  }
}

function report(outcome, name, note) {
  tally[outcome] += 1;
  const word = { passed: 'ok     ', failed: 'FAILED ', skipped: 'SKIPPED' }[outcome];
  console.log(`${word} ${name} (${note})`);
}

await main();
