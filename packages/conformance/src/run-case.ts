import { type Device, type DeviceInfo, ReceptanceError } from '@receptance/core';
import { type Case, type Expected, multipliesBlocks, type Numbers, TOLERANCES } from './case.ts';
import type { ErrorFigures, Tolerance } from './compare.ts';
import { execute, type Results } from './execute.ts';
import { Verdict } from './verdict.ts';

export type Status = 'passed' | 'failed' | 'unsupported' | 'unknown';

/** What became of one case on one device. */
export interface CaseResult {
  readonly id: string;
  /** `unknown`: data of a kind that this version cannot make a case of. */
  readonly status: Status;
  /** Why it did not pass. */
  readonly reason?: string;
  /** By output, and by variable as `variable <name>`. */
  readonly errors?: Readonly<Record<string, ErrorFigures>>;
}

export interface RunOptions {
  /** Where cases whose expectation is `reference` get it from. */
  readonly reference: Device;
  /** In place of the case's own, by the beginning of its id; the longest that fits counts. */
  readonly tolerance?: ToleranceOverrides;
}

export type ToleranceOverrides = Readonly<Record<string, Partial<Tolerance>>>;

/** Runs one case on one device. Never throws: what is thrown becomes the result. */
export async function runCase(device: Device, test: Case, options: RunOptions): Promise<CaseResult> {
  return guard(test.id, async () => {
    const ragged = raggedStarts(test);
    if (ragged && !device.info.ragged) {
      return { id: test.id, status: 'unsupported', reason: 'the backend takes equally long sequences only' };
    }
    const got = await execute(device, test);
    const want = test.expected === 'reference' ? await execute(options.reference, test) : undefined;
    return judge(device.info, test, got, want, options.tolerance ?? {});
  });
}

/** Turns what `body` throws into a result: a missing kernel is `unsupported`, anything else a failure. */
export async function guard(id: string, body: () => Promise<CaseResult>): Promise<CaseResult> {
  try {
    return await body();
  } catch (error) {
    if (ReceptanceError.isInstance(error) && error.code === 'UNSUPPORTED_OP') {
      return { id, status: 'unsupported', reason: error.message };
    }
    const text = ReceptanceError.isInstance(error) ? `${error.code}: ${error.message}` : String(error);
    return { id, status: 'failed', reason: text };
  }
}

function raggedStarts({ inputs }: Case): boolean {
  const starts = inputs['starts'];
  if (starts === undefined) return false;
  const lengths = Array.from(starts.subarray(1), (end, s) => end - (starts[s] ?? 0));
  return lengths.some((length) => length !== lengths[0]);
}

function judge(
  info: DeviceInfo,
  test: Case,
  got: Results,
  reference: Results | undefined,
  overrides: ToleranceOverrides,
): CaseResult {
  const want: Expected = reference ?? (test.expected === 'reference' ? { outputs: {} } : test.expected);
  const verdict = new Verdict(test.id, info, overrides, multipliesBlocks(test.graph));
  const hold = (name: string, own: string, made: Numbers | undefined, wanted: ArrayLike<number>): void => {
    const tolerances = test.tolerancesOf?.[own] ?? test.tolerances ?? TOLERANCES;
    if (made === undefined) verdict.problem(`${name} is not there`);
    else verdict.compare(name, made, wanted, tolerances, want.roundedToF32?.includes(own));
  };
  for (const problem of got.problems) verdict.problem(problem);
  for (const problem of reference?.problems ?? []) verdict.problem(`reference: ${problem}`);
  for (const [name, wanted] of Object.entries(want.outputs)) hold(name, name, got.outputs[name], wanted);
  for (const [name, wanted] of Object.entries(want.variables ?? {})) {
    hold(`variable ${name}`, name, got.variables[name], wanted);
  }
  return verdict.result();
}
