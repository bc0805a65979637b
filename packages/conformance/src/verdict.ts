import type { DeviceInfo } from '@receptance/core';
import { EIGHT_BIT_TOLERANCE } from './case.ts';
import { type ErrorFigures, errorFigures, outside, type Tolerance, type Tolerances } from './compare.ts';
import type { CaseResult, ToleranceOverrides } from './run-case.ts';

/** Gathers what was compared and what went wrong, and says in the end whether a check passed. */
export class Verdict {
  readonly #id: string;
  readonly #info: DeviceInfo;
  readonly #overrides: ToleranceOverrides;
  readonly #roundsActivations: boolean;
  readonly #errors: Record<string, ErrorFigures> = {};
  readonly #problems: string[] = [];

  /** @param inBlocks whether weights in blocks are multiplied by */
  constructor(id: string, info: DeviceInfo, overrides: ToleranceOverrides = {}, inBlocks = false) {
    this.#roundsActivations = inBlocks && info.blockActivations === 'int8';
    this.#id = id;
    this.#info = info;
    this.#overrides = overrides;
  }

  problem(text: string): void {
    this.#problems.push(text);
  }

  /** Holds numbers against those wanted, within the tolerance for the device's float or the one that overrides it. */
  compare(
    name: string,
    got: ArrayLike<number>,
    want: ArrayLike<number>,
    tolerances: Tolerances,
    wantedIsF32 = false,
  ): void {
    const figures = errorFigures(got, want, wantedIsF32);
    this.#errors[name] = figures;
    const own = this.#roundsActivations ? EIGHT_BIT_TOLERANCE : tolerances[this.#info.float];
    const tolerance = { ...own, ...overrideFor(`${this.#id}/${name}`, this.#overrides) };
    const problem = outside(name, figures, tolerance);
    if (problem !== undefined) this.#problems.push(problem);
  }

  result(): CaseResult {
    const [id, errors] = [this.#id, this.#errors];
    if (this.#problems.length > 0) return { id, status: 'failed', reason: this.#problems.join('\n'), errors };
    if (Object.keys(errors).length === 0) return { id, status: 'failed', reason: 'nothing was compared' };
    return { id, status: 'passed', errors };
  }
}

/** The override whose key is the longest beginning of `id`. */
function overrideFor(id: string, overrides: ToleranceOverrides): Partial<Tolerance> {
  const [longest] = Object.keys(overrides)
    .filter((key) => id.startsWith(key))
    .sort((a, b) => b.length - a.length);
  return longest === undefined ? {} : (overrides[longest] ?? {});
}
