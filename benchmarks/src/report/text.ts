import { quantile, spread } from '../statistics.ts';
import type { Measurement } from './report.ts';

export function medianOf(measurement: Measurement | undefined, share = 0.5): number {
  return measurement === undefined ? Number.NaN : quantile(measurement.samples, share);
}

/** A median, and the range of the middle half. */
export function range(measurement: Measurement | undefined): string {
  if (measurement === undefined) return '';
  const { median, low, high, count } = spread(measurement.samples);
  return count === 1 ? figure(median) : `${figure(median)} (${figure(low)}…${figure(high)})`;
}

/** Three digits. */
export function figure(x: number): string {
  if (!Number.isFinite(x)) return '';
  return x >= 100 ? x.toFixed(0) : x.toPrecision(3);
}

export function giga(x: number): string {
  return figure(x / 1e9);
}

export function mega(x: number): string {
  return Number.isFinite(x) ? (x / 1e6).toFixed(0) : '';
}

export function percent(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(0)} %` : '';
}

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

export function alignedRows(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
