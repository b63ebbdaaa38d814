/** A target's place as a person would say it. */
import type { TargetSettings } from '$lib/api/types';

export function place(settings: TargetSettings): string {
  if (settings.kind !== 'S3') return settings.path;
  const prefix = settings.prefix ? `/${settings.prefix}` : '';
  const server = settings.endpoint ? ` at ${settings.endpoint.replace(/^https?:\/\//, '')}` : '';
  return `s3://${settings.bucket}${prefix}${server}`;
}
