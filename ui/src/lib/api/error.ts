/** The one error the UI knows, whichever way it came. */
import { adviceFor, isCode, type UiCode } from '$lib/errors/codes';

export interface FieldError {
  field: string;
  reason: string;
}

interface Facts {
  hint?: string | null;
  fields?: FieldError[];
  retryAfter?: number | null;
}

export class ApiError extends Error {
  readonly code: UiCode;
  readonly hint: string | null;
  readonly fields: FieldError[];
  readonly retryAfter: number | null;

  constructor(code: UiCode, detail: string, facts: Facts = {}) {
    super(detail);
    this.name = 'ApiError';
    this.code = code;
    this.hint = facts.hint ?? adviceFor(code).next ?? null;
    this.fields = facts.fields ?? fieldsIn(code, detail);
    this.retryAfter = facts.retryAfter ?? null;
  }

  /** Anything thrown, as an ApiError. */
  static from(thrown: unknown): ApiError {
    if (thrown instanceof ApiError) return thrown;
    if (isWire(thrown)) {
      return new ApiError(isCode(thrown.code) ? thrown.code : 'INTERNAL', thrown.detail, {
        hint: thrown.hint,
        fields: thrown.fields?.length ? thrown.fields : undefined,
        retryAfter: thrown.retry_after_s,
      });
    }
    if (typeof thrown === 'string') return new ApiError('INTERNAL', thrown);
    return new ApiError('INTERNAL', thrown instanceof Error ? thrown.message : 'Something went wrong');
  }

  /** What to paste into a report. */
  toText(): string {
    return [`${this.code}: ${this.message}`, this.hint].filter(Boolean).join('\n');
  }
}

/** `target: no NAS target …` names its field; HTTP carries nothing more. */
function fieldsIn(code: UiCode, detail: string): FieldError[] {
  if (code !== 'INVALID_INPUT') return [];
  const [, field, reason] = /^([a-z_][\w.]*): (.+)$/s.exec(detail) ?? [];
  return field && reason ? [{ field, reason }] : [];
}

interface Wire {
  code: string;
  detail: string;
  hint?: string | null;
  fields?: FieldError[];
  retry_after_s?: number | null;
}

function isWire(value: unknown): value is Wire {
  return typeof value === 'object' && value !== null && 'code' in value && 'detail' in value;
}
