/** Logging in as the contract tells it: by code, by QR code, with a file; and everything that goes wrong on the way. */
import assert from 'node:assert/strict';
import { until } from './stage.mjs';

/** What the simulated Telegram does when asked. */
const ACCEPT_QR = '/control/telegram/accept';

/** Its accounts. */
const plain = { phone: '+15550001', code: '12345' };
const guarded = { phone: '+15550002', code: '12345', password: 'harbour lights', hint: 'what the pier shows' };
const bannedPhone = '+15550003';
const floodedPhone = '+15550004';
const moved = { phone: '+15550005', code: '12345' };
const API = { api_id: 12345, api_hash: '0123456789abcdef0123456789abcdef' };

const button = (page, name) => page.getByRole('button', { name, exact: true });
const field = (page, name) => page.getByLabel(name, { exact: true });
const sessions = (page) => page.getByRole('region', { name: 'Existing Sessions' });
const session = (page, name) => sessions(page).getByRole('listitem', { name, exact: true });

async function open(page, url, tab) {
  await page.goto(`${url}/sessions`);
  if (tab) await page.getByRole('tab', { name: tab, exact: true }).click();
}

async function sendOtp(page, phone, name) {
  await field(page, 'Phone Number').fill(phone);
  await field(page, 'Session Name').fill(name);
  await button(page, 'Send OTP').click();
}

async function verify(page, code) {
  await page.getByText('Check your Telegram app for the verification code').waitFor();
  await field(page, 'OTP Code').fill(code);
  await button(page, 'Verify').click();
}

async function givePassword(page, password) {
  await field(page, 'Password').fill(password);
  await button(page, 'Verify').click();
}

async function finalize(page, name) {
  await button(page, 'Finalize Session').click();
  await page.getByText('Session saved successfully!').waitFor();
  await session(page, name).waitFor();
}

/** A field that is marked, and says why. */
async function marked(page, name, why) {
  await page.getByText(why).first().waitFor();
  assert.equal(await field(page, name).getAttribute('aria-invalid'), 'true', `${name} is marked`);
}

export const logins = {
  world: { posts: 20 },
  tests: {
    async 'without a session the page says what one is for'({ page, url }) {
      await open(page, url);
      await page.getByText('No session yet').waitFor();
      await page.getByText('Public channels need none').waitFor();
      for (const tab of ['OTP Login', 'QR Code', 'Upload File']) await page.getByRole('tab', { name: tab, exact: true }).waitFor();
    },

    async 'nothing is sent without a number and a name'({ page, url }) {
      await open(page, url);
      await button(page, 'Send OTP').click();
      await marked(page, 'Phone Number', 'Enter the number of the account');
      await marked(page, 'Session Name', 'Give the session a name of your own');
    },

    async 'a missing API id is asked for on the way, and the login goes on'({ page, stage, url }) {
      const { api_hash_set } = await stage.api('GET', '/api/settings/telegram');
      assert.equal(api_hash_set, false, 'nothing is set in a new house');
      await open(page, url);
      await sendOtp(page, plain.phone, 'first');
      await page.getByText('Telegram API id and hash are not set').waitFor();
      await button(page, 'Save and go on').click();
      await marked(page, 'API id', 'Enter the number under');
      await field(page, 'API id').fill(String(API.api_id));
      await field(page, 'API hash').fill(API.api_hash);
      await button(page, 'Save and go on').click();
      await page.getByText('Check your Telegram app for the verification code').waitFor();
      await button(page, 'Cancel').click();
      await button(page, 'Send OTP').waitFor();
      assert.equal(await field(page, 'Phone Number').inputValue(), plain.phone, 'what was typed stays');
    },

    async 'journey 2 of the contract: number, code, saved'({ page, stage, url }) {
      await ready(stage);
      await open(page, url, 'OTP Login');
      await sendOtp(page, plain.phone, 'my_session');
      await verify(page, plain.code);
      await page.getByText('Authentication successful. Ready to finalize.').waitFor();
      await finalize(page, 'my_session');
      await session(page, 'my_session').getByText('Active').waitFor();
      await session(page, 'my_session').getByText(plain.phone).waitFor();
      const [kept] = await stage.api('GET', '/sessions/');
      assert.deepEqual([kept.session_name, kept.phone_number], ['my_session', plain.phone]);
      assert.equal(await field(page, 'Phone Number').inputValue(), '', 'the form is empty again');
    },

    async 'the session can be chosen for a private source, and only there'({ page, url }) {
      await page.goto(`${url}/sources`);
      await button(page, '+ Add New Source').click();
      assert.equal(await field(page, 'Session').isVisible(), false, 'hidden for public');
      assert.equal(await field(page, 'Session').isDisabled(), true, 'disabled for public');
      await field(page, 'Private').check();
      await field(page, 'Session').selectOption({ label: `my_session · ${plain.phone}` });
      await field(page, 'Public').check();
      assert.equal(await field(page, 'Session').isDisabled(), true);
    },

    async 'a number that is none is refused at its field'({ page, stage, url }) {
      await ready(stage);
      await open(page, url);
      await sendOtp(page, 'harbour', 'nobody');
      await marked(page, 'Phone Number', 'Invalid phone number');
      await field(page, 'Phone Number').fill('+1');
      assert.equal(await field(page, 'Phone Number').getAttribute('aria-invalid'), null, 'while it is corrected, it is not wrong');
    },

    async 'a wrong code can be tried again'({ page, stage, url }) {
      await ready(stage);
      await open(page, url);
      await sendOtp(page, plain.phone, 'second_try');
      await verify(page, '99999');
      await marked(page, 'OTP Code', 'Invalid OTP code');
      await verify(page, plain.code);
      await finalize(page, 'second_try');
    },

    async 'the password of an account may be wrong, then right'({ page, stage, url }) {
      await ready(stage);
      await open(page, url);
      await sendOtp(page, guarded.phone, 'guarded');
      await verify(page, guarded.code);
      await page.getByText('2FA password required').waitFor();
      await page.getByText(guarded.hint).waitFor();
      await givePassword(page, 'harbour fog');
      await marked(page, 'Password', 'Invalid password');
      await givePassword(page, guarded.password);
      await finalize(page, 'guarded');
    },

    async 'an account on another data centre logs in all the same'({ page, stage, url }) {
      await ready(stage);
      await open(page, url);
      await sendOtp(page, moved.phone, 'moved');
      await verify(page, moved.code);
      await finalize(page, 'moved');
    },

    async 'a banned number says so, and what to do'({ page, stage, url }) {
      await ready(stage);
      await open(page, url);
      await sendOtp(page, bannedPhone, 'banned');
      await marked(page, 'Phone Number', 'Open an official Telegram app');
    },

    async 'a wait that Telegram asks for is counted down'({ page, stage, url }) {
      await ready(stage);
      await open(page, url);
      await sendOtp(page, floodedPhone, 'flooded');
      await page.getByText('Telegram asks to wait').waitFor();
      const send = page.getByRole('button', { name: /^Send OTP in 0:\d\d$/ });
      assert.equal(await send.isDisabled(), true);
      const before = await send.textContent();
      await until('it counts', async () => (await send.textContent()) !== before);
      await page.getByText('The wait is over').waitFor({ timeout: 40_000 });
      await until('it can be sent again', () => button(page, 'Send OTP').isEnabled());
    },

    async 'an expired login starts again, with name and number kept'({ page, stage, url }) {
      await ready(stage);
      await open(page, url);
      await sendOtp(page, plain.phone, 'too_late');
      await field(page, 'OTP Code').waitFor();
      await forget(page, stage);
      await verify(page, plain.code);
      await page.getByText('The login has expired').waitFor();
      assert.equal(await field(page, 'Phone Number').inputValue(), plain.phone);
      assert.equal(await field(page, 'Session Name').inputValue(), 'too_late');
      await button(page, 'Send OTP').click();
      await field(page, 'OTP Code').waitFor();
      await button(page, 'Cancel').click();
    },

    async 'a reload in the middle finds the login again'({ page, stage, url }) {
      await ready(stage);
      await open(page, url);
      await sendOtp(page, plain.phone, 'reloaded');
      await field(page, 'OTP Code').waitFor();
      await page.reload();
      await verify(page, plain.code);
      await button(page, 'Finalize Session').waitFor();
      await page.reload();
      await button(page, 'Cancel').click();
      await button(page, 'Send OTP').waitFor();
      assert.equal((await stage.api('GET', '/sessions/')).some((one) => one.session_name === 'reloaded'), false);
    },

    async 'a QR code is shown, scanned elsewhere, and saved'({ page, stage, url }) {
      await ready(stage);
      await open(page, url, 'QR Code');
      await field(page, 'Session Name').fill('scanned');
      await button(page, 'Show QR code').click();
      await page.getByRole('img', { name: /^QR code/ }).waitFor();
      await stage.control(ACCEPT_QR, { phone: plain.phone });
      await finalize(page, 'scanned');
    },

    async 'a QR code for an account with a password asks for it'({ page, stage, url }) {
      await ready(stage);
      await open(page, url, 'QR Code');
      await field(page, 'Session Name').fill('scanned_guarded');
      await button(page, 'Show QR code').click();
      await page.getByRole('img', { name: /^QR code/ }).waitFor();
      await stage.control(ACCEPT_QR, { phone: guarded.phone });
      await page.getByText('2FA password required').waitFor();
      await givePassword(page, 'harbour fog');
      await marked(page, 'Password', 'Invalid password');
      await givePassword(page, guarded.password);
      await finalize(page, 'scanned_guarded');
    },

    async 'journey 3 of the contract: a session file'({ page, stage, url }) {
      await ready(stage);
      const buffer = await stage.sessionFile(plain.phone, plain.code);
      await open(page, url, 'Upload File');
      await field(page, 'Session Name').fill('imported_session');
      await field(page, 'Phone Number').fill(plain.phone);
      const chooser = page.waitForEvent('filechooser');
      await button(page, 'Choose File').click();
      await (await chooser).setFiles({ name: 'harbour.session', mimeType: 'application/octet-stream', buffer });
      await button(page, 'Upload').click();
      await page.getByText('Session saved successfully!').waitFor();
      await session(page, 'imported_session').getByText('From Telethon').waitFor();
    },

    async 'a file that is no session says why'({ page, stage, url }) {
      await ready(stage);
      await open(page, url, 'Upload File');
      await button(page, 'Upload').click();
      await page.getByText('Choose a .session file').waitFor();
      const buffer = Buffer.from('a picture of the harbour');
      await page.locator('input[type=file]').setInputFiles({ name: 'harbour.session', mimeType: 'image/png', buffer });
      assert.equal(await field(page, 'Session Name').inputValue(), 'harbour', 'the file names the session');
      const before = (await stage.api('GET', '/sessions/')).length;
      await button(page, 'Upload').click();
      await until('the zone says so', () => button(page, 'Choose another').getAttribute('aria-invalid'));
      assert.equal((await stage.api('GET', '/sessions/')).length, before);
    },

    async 'a session is checked, renamed, and logged in again in place'({ page, stage, url }) {
      await ready(stage);
      await open(page, url);
      await session(page, 'my_session').getByRole('button', { name: 'Check now' }).click();
      await page.getByText('works', { exact: false }).first().waitFor();
      await button(page, 'Rename my_session').click();
      await session(page, 'my_session').getByLabel('Session Name').fill('guarded');
      await button(page, 'Save name').click();
      await session(page, 'my_session').getByText('guarded is the name of another session').waitFor();
      await session(page, 'my_session').getByLabel('Session Name').fill('harbour_desk');
      await button(page, 'Save name').click();
      await session(page, 'harbour_desk').waitFor();
      const { id } = (await stage.api('GET', '/sessions/')).find((one) => one.session_name === 'harbour_desk');
      await session(page, 'harbour_desk').getByRole('button', { name: 'Log in again' }).click();
      assert.equal(await field(page, 'Session Name').isDisabled(), true, 'the name stays');
      await button(page, 'Send OTP').click();
      await verify(page, plain.code);
      await finalize(page, 'harbour_desk');
      const again = (await stage.api('GET', '/sessions/')).find((one) => one.session_name === 'harbour_desk');
      assert.equal(again.id, id, 'it keeps its number');
    },

    async 'a session in use is not deleted, and says by whom'({ page, stage, url }) {
      const { id } = (await stage.api('GET', '/sessions/')).find((one) => one.session_name === 'guarded');
      await stage.add('@harbour_observatory', 'VIP Channel', { access_level: 'private', session_ref: id });
      await open(page, url);
      await session(page, 'guarded').getByRole('link', { name: 'VIP Channel' }).waitFor();
      await button(page, 'Delete guarded').click();
      const refusal = page.getByRole('alertdialog');
      await refusal.getByRole('link', { name: 'VIP Channel' }).waitFor();
      assert.equal(await refusal.getByRole('button', { name: 'Delete', exact: true }).count(), 0);
      await refusal.getByRole('button', { name: 'Keep it' }).click();
    },

    async 'deleting a session asks first, and offers to log out at Telegram'({ page, stage, url }) {
      await open(page, url);
      const before = (await stage.api('GET', '/sessions/')).length;
      await button(page, 'Delete second_try').click();
      const question = page.getByRole('alertdialog');
      await question.getByRole('button', { name: 'Cancel' }).click();
      assert.equal((await stage.api('GET', '/sessions/')).length, before, 'a no changes nothing');
      await button(page, 'Delete second_try').click();
      await question.getByLabel('Also log out at Telegram').check();
      await question.getByRole('button', { name: 'Delete', exact: true }).click();
      await page.getByText('Session deleted successfully').waitFor();
      await session(page, 'second_try').waitFor({ state: 'detached' });
      assert.equal((await stage.api('GET', '/sessions/')).length, before - 1);
    },

    async 'the keyboard alone reaches the tabs, the form and the list'({ page, url }) {
      await open(page, url);
      await page.getByRole('tab', { name: 'OTP Login', exact: true }).focus();
      await page.keyboard.press('ArrowRight');
      await page.waitForURL('**/sessions?tab=qr');
      await page.keyboard.press('ArrowRight');
      await page.waitForURL('**/sessions?tab=upload');
      await page.keyboard.press('Home');
      await page.waitForURL('**/sessions?tab=otp');
      await page.keyboard.press('Tab');
      assert.equal(await field(page, 'Phone Number').evaluate((it) => it === document.activeElement), true);
    },
  },
};

/** Logins need an API id; the journey that asks for it has its own beginning. */
async function ready(stage) {
  await stage.api('PATCH', '/api/settings/telegram', API);
}

/** Ends the login in progress behind the page's back, as five minutes would. */
async function forget(page, stage) {
  const kept = await page.evaluate(() => sessionStorage.getItem('gleaner.login.otp'));
  await stage.api('DELETE', `/api/temp-sessions/${JSON.parse(kept).id}`);
}
