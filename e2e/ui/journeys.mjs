/** What a person does: adds a source as the contract tells it, reads, edits, deletes, and meets errors. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './stage.mjs';

const button = (page, name) => page.getByRole('button', { name, exact: true });
const rowOf = (page, name) => page.getByRole('row').filter({ hasText: name });

async function fill(page, { name, identifier, title = '', folder }) {
  await page.getByLabel('Identifier', { exact: true }).fill(identifier);
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Channel Title', { exact: true }).fill(title);
  if (!folder) return;
  await page.getByText('Keep elsewhere…').click();
  await page.getByLabel('Folder', { exact: true }).fill(folder);
}

async function refusedWith(page, text) {
  await button(page, 'Create Source').click();
  await page.getByRole('dialog').getByText(text).first().waitFor();
}

export const journeys = {
  world: { posts: 60 },
  tests: {
    async 'an empty house says what to do first'({ page, url }) {
      await page.goto(url);
      await page.waitForURL('**/sources');
      await page.getByText('Scrape a public channel now').waitFor();
      await button(page, 'Add your first source').click();
      await page.getByRole('dialog', { name: 'Add New Source' }).waitFor();
    },

    async "journey 1 of the contract: from the form to messages on the screen and files on the disk"({ page, stage, url }) {
      const folder = join(stage.folder, 'archive');
      await page.goto(`${url}/sources`);
      await button(page, '+ Add New Source').click();
      await fill(page, { name: 'Harbour', identifier: '@harbour_observatory', title: 'Harbour Observatory', folder });
      assert.equal(await page.getByLabel('Public', { exact: true }).isChecked(), true);
      assert.equal(await page.getByLabel('Target', { exact: true }).inputValue(), 'LOCAL');
      assert.equal(await page.getByLabel('Session', { exact: true }).isVisible(), false, 'hidden for public');
      assert.equal(await page.getByLabel('Session', { exact: true }).isDisabled(), true, 'disabled for public');
      await button(page, 'Create Source').click();
      await page.getByRole('link', { name: 'Watch it' }).click();
      await page.waitForURL('**/source?id=*');
      const messages = page.getByRole('region', { name: 'Recent messages' }).getByRole('listitem');
      await until('20 messages stand on the page', async () => (await messages.count()) >= 20, 60_000);
      await page.getByRole('region', { name: 'Completeness' }).getByText('100 %').waitFor({ timeout: 60_000 });
      await page.getByRole('region', { name: 'Messages per day' }).locator('.bar').first().waitFor();
      const archives = existsSync(folder) ? readdirSync(folder) : [];
      assert.equal(archives.length, 1, `one archive in ${folder}: ${archives}`);
    },

    async 'a new post appears after Run now, without a reload'({ page, stage, url }) {
      const [source] = await stage.api('GET', '/api/sources');
      await page.goto(`${url}/source?id=${source.id}`);
      const messages = page.getByRole('region', { name: 'Recent messages' }).getByRole('listitem');
      await messages.first().waitFor();
      const before = await messages.first().textContent();
      await stage.control('/control/append', { channel: 'harbour_observatory', count: 1 });
      await until('it can run', async () => button(page, 'Run now').isEnabled());
      await button(page, 'Run now').click();
      await until('the newest message is another one', async () => (await messages.first().textContent()) !== before, 30_000);
    },

    async 'a run can be opened, with its log'({ page, url }) {
      await page.goto(`${url}/runs`);
      await page.getByRole('region', { name: 'Finished runs' }).getByRole('link').first().click();
      await page.getByRole('dialog', { name: 'Run' }).getByRole('region', { name: 'Log' }).waitFor();
      await page.keyboard.press('Escape');
      await page.waitForURL('**/runs');
    },

    async 'a private channel without a session is refused in words'({ page, url }) {
      await page.goto(`${url}/sources`);
      await button(page, '+ Add New Source').click();
      await fill(page, { name: 'VIP', identifier: '@vip_channel' });
      await page.getByLabel('Private', { exact: true }).check();
      assert.equal(await page.getByLabel('Session', { exact: true }).isVisible(), true);
      await refusedWith(page, 'Session required for private');
    },

    async 'wrong input is marked at its field and what was typed stays'({ page, url }) {
      await page.goto(`${url}/sources`);
      await button(page, '+ Add New Source').click();
      await button(page, 'Create Source').click();
      assert.equal(await page.getByLabel('Name', { exact: true }).getAttribute('aria-invalid'), 'true');
      await fill(page, { name: 'Bad', identifier: 'https://example.org/nothing' });
      await button(page, 'Create Source').click();
      await until('the field is marked', async () => {
        return (await page.getByLabel('Identifier', { exact: true }).getAttribute('aria-invalid')) === 'true';
      });
      assert.equal(await page.getByLabel('Identifier', { exact: true }).inputValue(), 'https://example.org/nothing');
    },

    async 'a second source for the same channel and target is refused'({ page, stage, url }) {
      await page.goto(`${url}/sources`);
      await button(page, '+ Add New Source').click();
      await fill(page, { name: 'Again', identifier: 't.me/harbour_observatory', folder: join(stage.folder, 'archive') });
      await refusedWith(page, 'Already a source');
    },

    async 'a channel that does not exist ends in an error with a next step'({ page, stage, url }) {
      const { id } = await stage.add('@nobody_lives_here', 'Nobody');
      await page.goto(`${url}/source?id=${id}`);
      await page.getByRole('alert').getByText(/Unknown channel|No public preview|Not a channel/).waitFor({ timeout: 30_000 });
      await page.getByRole('alert').getByRole('button', { name: 'Copy details' }).waitFor();
      await button(page, 'Add under the right name').click();
      await page.getByRole('dialog', { name: 'Add New Source' }).waitFor();
      assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Nobody');
      assert.equal(await page.getByLabel('Identifier', { exact: true }).inputValue(), '');
    },

    async 'what was typed into a form is not lost by accident'({ page, url }) {
      await page.goto(`${url}/sources`);
      await button(page, '+ Add New Source').click();
      const form = page.getByRole('dialog', { name: 'Add New Source' });
      const question = page.getByRole('alertdialog', { name: 'Discard what you entered?' });
      await form.waitFor();
      await page.mouse.click(300, 600);
      await form.waitFor({ state: 'detached' });
      await button(page, '+ Add New Source').click();
      await page.getByLabel('Name', { exact: true }).fill('Half a thought');
      for (const leave of [() => page.mouse.click(300, 600), () => page.keyboard.press('Escape')]) {
        await leave();
        await question.getByRole('button', { name: 'Cancel' }).click();
        await question.waitFor({ state: 'detached' });
        assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Half a thought');
      }
      await page.keyboard.press('Escape');
      await question.getByRole('button', { name: 'Discard' }).click();
      await form.waitFor({ state: 'detached' });
    },

    async 'an error is brought into sight, and goes when it is corrected'({ page, url }) {
      await page.setViewportSize({ width: 1280, height: 480 });
      await page.goto(`${url}/sources`);
      await button(page, '+ Add New Source').click();
      await fill(page, { name: 'Numbers', identifier: '@numbers_here' });
      await page.getByText('History and files').click();
      const newest = page.getByLabel('Look again at the newest');
      await newest.fill('');
      await button(page, 'Create Source').click();
      await until('the field has the keyboard', () => newest.evaluate((field) => field === document.activeElement));
      assert.equal(await newest.getAttribute('aria-invalid'), 'true');
      await newest.fill('50');
      assert.equal(await newest.getAttribute('aria-invalid'), null);
    },

    async 'pause, resume and edit show at once'({ page, url }) {
      await page.goto(`${url}/sources`);
      const row = rowOf(page, 'Nobody');
      await row.hover();
      await page.getByRole('button', { name: 'Pause Nobody' }).click();
      await row.getByRole('img', { name: 'Paused' }).waitFor();
      await row.hover();
      await page.getByRole('button', { name: 'Resume Nobody' }).click();
      await row.getByRole('img', { name: 'Paused' }).waitFor({ state: 'detached' });
      await row.hover();
      await page.getByRole('button', { name: 'Edit Nobody' }).click();
      await page.getByLabel('Name', { exact: true }).fill('Somebody');
      await button(page, 'Save changes').click();
      await rowOf(page, 'Somebody').waitFor();
    },

    async 'many are added from a list, after a look at what would happen'({ page, stage, url }) {
      await page.goto(`${url}/sources`);
      await button(page, 'Add many').click();
      await page.getByLabel('Channels', { exact: true }).fill('@night_ferry\nt.me/marsad_almina # sea\n@night_ferry\nnot a channel!');
      await button(page, 'Check list').click();
      await page.getByText('2 sources would be added').waitFor();
      assert.equal((await stage.api('GET', '/api/sources')).length, 2, 'a look adds nothing');
      await button(page, 'Add 2 sources').click();
      await rowOf(page, '@night_ferry').waitFor();
      await rowOf(page, '@marsad_almina').waitFor();
    },

    async 'the mouse ticks rows and ranges, and the keyboard goes on from there'({ page, url }) {
      await page.goto(`${url}/sources`);
      const boxes = page.getByRole('gridcell').getByRole('checkbox');
      const bar = page.getByRole('toolbar', { name: 'Chosen sources' });
      await boxes.nth(0).click();
      assert.equal(await boxes.nth(0).isChecked(), true, 'what was clicked is ticked');
      await boxes.nth(2).click({ modifiers: ['Shift'] });
      await bar.getByText('3 chosen').waitFor();
      assert.equal(await boxes.nth(1).isChecked(), true);
      await page.keyboard.press('Shift+ArrowUp');
      await bar.getByText('2 chosen').waitFor();
      assert.equal(await boxes.nth(2).isChecked(), false, 'a range shrinks to where it was begun');
      await page.keyboard.press('Escape');
      await bar.waitFor({ state: 'detached' });
      await page.getByRole('row').nth(2).click({ position: { x: 300, y: 8 } });
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Space');
      await until('the next row is ticked', () => boxes.nth(2).isChecked());
    },

    async 'the keyboard alone chooses, opens and asks before it deletes'({ page, url }) {
      await page.goto(`${url}/sources`);
      await page.getByRole('grid').focus();
      await page.keyboard.press('Home');
      await page.keyboard.press('Space');
      await page.getByRole('toolbar', { name: 'Chosen sources' }).getByText('1 chosen').waitFor();
      await page.keyboard.press('Escape');
      await page.keyboard.press('Delete');
      await page.getByRole('alertdialog').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('alertdialog').waitFor({ state: 'detached' });
      await page.getByRole('grid').focus();
      await page.keyboard.press('Enter');
      await page.waitForURL('**/source?id=*');
    },

    async 'the command palette finds sources and commands'({ page, url }) {
      await page.goto(`${url}/settings`);
      await page.getByRole('heading', { name: 'Settings' }).waitFor();
      await page.keyboard.press('Control+k');
      await page.getByPlaceholder('Find a source or a command').fill('harbour');
      await page.getByRole('option').filter({ hasText: 'Harbour' }).first().waitFor();
      await page.keyboard.press('Enter');
      await page.waitForURL('**/source?id=*');
    },

    async 'a target is tested step by step'({ page, url }) {
      await page.goto(`${url}/settings`);
      await button(page, 'Test').first().click();
      await page.getByText('It works').waitFor();
    },

    async 'deleting asks first, and a no changes nothing'({ page, stage, url }) {
      await page.goto(`${url}/sources`);
      const before = (await stage.api('GET', '/sources/')).length;
      const row = rowOf(page, 'Somebody');
      await row.hover();
      await page.getByRole('button', { name: 'Delete Somebody' }).click();
      const question = page.getByRole('alertdialog');
      await question.getByText('Also delete files').waitFor();
      await question.getByRole('button', { name: 'Cancel' }).click();
      assert.equal((await stage.api('GET', '/sources/')).length, before);
      await row.hover();
      await page.getByRole('button', { name: 'Delete Somebody' }).click();
      await question.getByRole('button', { name: 'Delete', exact: true }).click();
      await page.getByText('Source deleted successfully').waitFor();
      await row.waitFor({ state: 'detached' });
      assert.equal((await stage.api('GET', '/sources/')).length, before - 1);
    },

    async 'deep links open, and unknown ones say so'({ page, url }) {
      await page.goto(`${url}/source?id=987654`);
      await page.getByRole('alert').getByRole('heading', { name: 'Source not found' }).waitFor();
      await page.goto(`${url}/no/such/page`);
      await page.getByText('There is no such page').waitFor();
    },
  },
};
