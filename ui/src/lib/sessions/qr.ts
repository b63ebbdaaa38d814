/** A QR code as one path: a rectangle for every run of dark squares. */

/** Squares left white around a code, so that cameras find it. */
export const QUIET = 4;

export function qrPath(rows: string[]): string {
  return rows
    .flatMap((row, y) =>
      [...row.matchAll(/1+/g)].map(
        ({ index, 0: run }) => `M${index + QUIET} ${y + QUIET}h${run.length}v1h-${run.length}z`,
      ),
    )
    .join('');
}

/** Squares on a side, with the white around. */
export function qrSide(rows: string[]): number {
  return rows.length + 2 * QUIET;
}
