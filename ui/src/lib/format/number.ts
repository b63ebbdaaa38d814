/** Numbers for people: grouped digits, sizes in powers of 1000 as disks are sold. */
const whole = new Intl.NumberFormat('en-US');
const compactFormat = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

export function count(value: number): string {
  return whole.format(value);
}

/** `1.2K`; for figures printed rounded anyway. */
export function compact(value: number): string {
  return compactFormat.format(value);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 || size >= 99.95 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

export function percent(part: number, whole: number): string {
  if (whole <= 0) return '0 %';
  const share = (part / whole) * 100;
  // Never call it whole while something is missing.
  if (part < whole && share > 99.9) return '99.9 %';
  return `${share >= 10 && Number.isInteger(Math.round(share * 10) / 10) ? Math.round(share) : share.toFixed(1)} %`;
}
