import { afterEach, expect, test, vi } from 'vitest';
import { copy } from './clipboard';

const write = (writeText: unknown) => vi.stubGlobal('navigator', { clipboard: writeText && { writeText } });

afterEach(() => vi.unstubAllGlobals());

test('copies with the clipboard where there is one', async () => {
  const writeText = vi.fn(() => Promise.resolve());
  write(writeText);
  expect(await copy('facts', document.body)).toBe(true);
  expect(writeText).toHaveBeenCalledWith('facts');
});

test.each([undefined, () => Promise.reject(new Error('denied'))])(
  'copies what is selected where there is none, and leaves no trace',
  async (writeText) => {
    write(writeText);
    let selected = '';
    document.execCommand = vi.fn(() => {
      selected = document.querySelector('textarea')?.value ?? '';
      return true;
    });
    expect(await copy('facts', document.body)).toBe(true);
    expect([selected, document.querySelector('textarea')]).toEqual(['facts', null]);
  },
);

test('says so when nothing helps', async () => {
  write(undefined);
  document.execCommand = () => false;
  expect(await copy('facts', document.body)).toBe(false);
});
