/** Time that is left, in numbers and in words. */

/** Whole seconds until then, never below zero; 0 where there is no such moment. */
export function secondsLeft(until: string | number | null | undefined, now: number): number {
  if (until == null) return 0;
  const end = typeof until === 'number' ? until : Date.parse(until);
  return Number.isFinite(end) ? Math.max(0, Math.ceil((end - now) / 1000)) : 0;
}

/** `0:07`, `4:32`, `1:02:03`. */
export function clockFace(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
