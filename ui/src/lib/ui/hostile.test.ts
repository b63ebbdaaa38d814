import { render, screen } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import MessageItem from '$lib/source/MessageItem.svelte';

const message = {
  id: 1,
  date: '2026-01-01T00:00:00Z',
  kind: 'message',
  author: '<b>x</b>',
  text: '<img src=x onerror=alert(1)>',
  views: 3,
  views_rounded: false,
  media: ['photo', 'photo'],
  edited: false,
  gone: false,
};

test('text from Telegram is text, whatever it says', () => {
  const { container } = render(MessageItem, { message: { ...message, link: 'https://t.me/a/1' } });
  expect(container.querySelector('img, b')).toBeNull();
  expect(screen.getByText('<img src=x onerror=alert(1)>')).toBeTruthy();
  expect(screen.getByText('2 photos')).toBeTruthy();
});

test("an address that is not Telegram's is no link", () => {
  const { container } = render(MessageItem, { message: { ...message, link: 'javascript:alert(1)' } });
  expect(container.querySelector('a')).toBeNull();
});
