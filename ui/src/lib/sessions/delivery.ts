/** How a login code comes, in words. */
import type { CodeDelivery } from '$lib/api/types';

/** Where to look for it. The first sentence is the contract's. */
const WHERE: Record<CodeDelivery, string> = {
  app: 'Check your Telegram app for the verification code',
  sms: 'Check your text messages for the verification code',
  call: 'Telegram calls you and says the verification code',
  missed_call: 'Telegram calls and hangs up: the code is the end of the number that called',
  email: 'Check your mail for the verification code',
  fragment: 'Look for the verification code on fragment.com',
  other: 'Telegram has sent the verification code',
};

const BY: Record<CodeDelivery, string> = {
  app: 'in the Telegram app',
  sms: 'by text message',
  call: 'by a call',
  missed_call: 'by a missed call',
  email: 'by mail',
  fragment: 'on fragment.com',
  other: 'in another way',
};

export function whereToLook(delivery: CodeDelivery | null | undefined): string {
  return WHERE[delivery ?? 'app'];
}

/** `by text message`; nothing where Telegram does not say. */
export function comesBy(delivery: CodeDelivery | null | undefined): string {
  return delivery ? BY[delivery] : '';
}
