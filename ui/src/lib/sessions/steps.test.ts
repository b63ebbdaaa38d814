import { render, screen } from '@testing-library/svelte';
import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import CodeForm from './CodeForm.svelte';
import { Login } from './login.svelte';
import QrPicture from './QrPicture.svelte';
import StartStep from './StartStep.svelte';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const at = (s: number) => new Date(NOW + s * 1000).toISOString();

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

function pass(seconds: number) {
  vi.advanceTimersByTime(seconds * 1000);
  flushSync();
}

const button = (name: RegExp) => screen.getByRole<HTMLButtonElement>('button', { name });

test('the button that has to wait counts down, and opens by itself', () => {
  const login = new Login('otp');
  login.wait = { act: 'start', until: NOW + 30_000 };
  render(StartStep, { login });
  expect(button(/^Send OTP in 0:30$/).disabled).toBe(true);
  pass(21);
  expect(button(/^Send OTP in 0:09$/).disabled).toBe(true);
  pass(9);
  expect(button(/^Send OTP$/).disabled).toBe(false);
});

test('another code can be asked for once its time has come, and it is said how it comes', () => {
  const login = new Login('otp');
  login.temp = {
    id: 'x',
    session_name: 'desk',
    phone_number: '+15550001',
    step: 'code',
    expires_at: at(300),
    delivery: 'app',
    next_delivery: 'sms',
    code_length: 5,
    resend_at: at(60),
  };
  render(CodeForm, { login });
  expect(screen.getByText('Check your Telegram app for the verification code')).toBeTruthy();
  expect(screen.getByText('5 digits')).toBeTruthy();
  expect(screen.getByText(/in 1:00 by text message/)).toBeTruthy();
  expect(button(/^Send the code again$/).disabled).toBe(true);
  pass(60);
  expect(button(/^Send the code again$/).disabled).toBe(false);
});

test('where there is no other way, no other code is offered', () => {
  const login = new Login('otp');
  login.temp = {
    id: 'x',
    session_name: 'desk',
    phone_number: '+15550001',
    step: 'code',
    expires_at: at(300),
    resend_at: null,
  };
  render(CodeForm, { login });
  expect(screen.queryByText('Send the code again')).toBeNull();
});

test('a QR code has a name and no inline style', () => {
  const { container } = render(QrPicture, { rows: ['101', '010', '101'] });
  expect(screen.getByRole('img', { name: /QR code/ }).getAttribute('viewBox')).toBe('0 0 11 11');
  expect(container.querySelector('[style]')).toBeNull();
});
