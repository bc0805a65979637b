/** Numbers as people read them. */
const locale = 'en';

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });

export function count(value: number): string {
  return whole.format(value);
}

export function short(value: number): string {
  return precise.format(value);
}

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${precise.format(value / 1000 ** power)} ${units[power]}`;
}

export function milliseconds(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value < 1000 ? `${precise.format(value)} ms` : `${precise.format(value / 1000)} s`;
}

export function percent(value: number): string {
  if (value > 0 && value < 0.001) return '< 0.1 %';
  return `${precise.format(Math.round(1000 * value) / 10)} %`;
}

/** A token that is made of spaces or marks, made visible. */
export function visible(token: string): string {
  if (token === '') return '∅';
  return token.replaceAll(' ', '␣').replaceAll('\n', '⏎').replaceAll('\t', '⇥');
}
