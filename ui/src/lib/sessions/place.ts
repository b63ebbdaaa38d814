/** Where in a form of this page an error belongs. */
import type { ApiError, FieldError } from '$lib/api/error';
import type { UiCode } from '$lib/errors/codes';

export type Place = 'phone_number' | 'session_name' | 'code' | 'password' | 'session';

const PLACES: Partial<Record<UiCode, Place>> = {
  INVALID_PHONE: 'phone_number',
  PHONE_BANNED: 'phone_number',
  INVALID_CODE: 'code',
  INVALID_PASSWORD: 'password',
  DUPLICATE_SESSION: 'session_name',
  NOT_A_SESSION: 'session',
};

/** What the wire calls the things of these forms. */
const FIELDS: Record<string, Place> = {
  phone_number: 'phone_number',
  session_name: 'session_name',
  code: 'code',
  password: 'password',
  session_file: 'session',
  session_string: 'session',
};

/** The error at its fields, as far as these are `shown`; the rest is nobody's and stands below the form. */
export function placed(error: ApiError | null, shown: readonly Place[]): FieldError[] {
  if (!error) return [];
  const place = PLACES[error.code];
  const found = place
    ? [{ field: place, reason: sentence(error) }]
    : error.fields.flatMap(({ field, reason }) => {
        const known = FIELDS[field.split('.').at(-1) ?? ''];
        return known ? [{ field: known, reason: capital(reason) }] : [];
      });
  return found.filter(({ field }) => shown.some((one) => one === field));
}

/** `Invalid OTP code. Type the newest code.` */
function sentence({ message, hint }: ApiError): string {
  if (!hint || hint === message) return message;
  return `${message.replace(/[.:]$/, '')}. ${hint}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
