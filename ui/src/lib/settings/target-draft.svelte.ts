/** A target being written. */
import type { FieldError } from '$lib/api/error';
import type { SaveTarget, TargetKind, TargetRow, TargetSettings } from '$lib/api/types';

export class TargetDraft {
  name = $state('');
  kind = $state<TargetKind>('LOCAL');
  path = $state('');
  bucket = $state('');
  endpoint = $state('');
  region = $state('');
  prefix = $state('');
  allowHttp = $state(false);
  isDefault = $state(false);
  errors = $state.raw<FieldError[]>([]);

  readonly uid: string | null;

  constructor(target: TargetRow | null) {
    this.uid = target?.uid ?? null;
    if (!target) return;
    const { settings } = target;
    this.name = target.name;
    this.kind = settings.kind;
    this.isDefault = target.is_default;
    if (settings.kind === 'S3') {
      this.bucket = settings.bucket;
      this.endpoint = settings.endpoint ?? '';
      this.region = settings.region ?? '';
      this.prefix = settings.prefix ?? '';
      this.allowHttp = settings.allow_http ?? false;
    } else this.path = settings.path;
  }

  error(...fields: string[]): string | undefined {
    return this.errors.find(({ field }) => fields.includes(field))?.reason;
  }

  toSave(): SaveTarget {
    return { uid: this.uid, name: this.name.trim(), is_default: this.isDefault, settings: this.#settings };
  }

  get #settings(): TargetSettings {
    if (this.kind !== 'S3') return { kind: this.kind, path: this.path.trim() };
    return {
      kind: 'S3',
      bucket: this.bucket.trim(),
      endpoint: this.endpoint.trim() || null,
      region: this.region.trim() || null,
      prefix: this.prefix.trim(),
      allow_http: this.allowHttp,
    };
  }
}
