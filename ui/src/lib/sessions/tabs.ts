/** The ways to a session, as the tabs name them; the address names the one that is open. */
export type Tab = 'otp' | 'qr' | 'upload';

export const tabs: readonly { value: Tab; label: string }[] = [
  { value: 'otp', label: 'OTP Login' },
  { value: 'qr', label: 'QR Code' },
  { value: 'upload', label: 'Upload File' },
];

export function isTab(text: string | null): text is Tab {
  return tabs.some(({ value }) => value === text);
}
