import { quantile } from '../statistics.ts';
import type { Window } from './windows.ts';

/** How far later parts of a text are from its first, as shares of that: 0.02 is 2 % more. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

/** Whether a token's time and the process's memory stay as they are. */
export interface Drift {
  /** Parts that were compared: the median of the windows of each counts. */
  readonly parts: number;
  /** Of a token, each measured against a fresh text in the same moment. */
  readonly time: Range;
  readonly memory: Range;
  readonly flat: boolean;
}

/** Beyond this, up or down, nothing is called flat. */
export const FLAT = 0.05;
const PARTS = 10;

/** @param windows of which the first, in which code is compiled, does not count; two more at least */
export function driftOf(windows: readonly Window[]): Drift {
  const kept = windows.slice(1);
  const parts = Math.min(PARTS, kept.length);
  const rangeOf = (value: (window: Window) => number): Range => {
    const medians = Array.from({ length: parts }, (_, part) => {
      const at = (share: number): number => Math.round((share * kept.length) / parts);
      return quantile(kept.slice(at(part), at(part + 1)).map(value), 0.5);
    });
    const [first = Number.NaN, ...later] = medians;
    const shares = later.map((median) => median / first - 1);
    return { least: Math.min(...shares), most: Math.max(...shares) };
  };
  const time = rangeOf(({ best, fresh }) => best / fresh);
  const memory = rangeOf(({ residentBytes }) => residentBytes);
  const flat = [time, memory].every(({ least, most }) => least >= -FLAT && most <= FLAT);
  return { parts, time, memory, flat };
}
