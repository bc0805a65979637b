import { type Device, type DeviceInfo, ReceptanceError } from '@receptance/core';
import { type Case, type Numbers, TOLERANCES } from './case.ts';
import { type ErrorFigures, errorFigures, outside, type Tolerance } from './compare.ts';
import { execute, type Results } from './execute.ts';

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
  const stored = test.expected === 'reference' ? undefined : test.expected;
  const outputs = reference?.outputs ?? stored?.outputs ?? {};
  const variables = reference?.variables ?? stored?.variables ?? {};
  const errors: Record<string, ErrorFigures> = {};
  const problems = [...got.problems, ...(reference?.problems.map((problem) => `reference: ${problem}`) ?? [])];
  const hold = (name: string, own: string, made: Numbers | undefined, want: ArrayLike<number>): void => {
    if (made === undefined) {
      problems.push(`${name} is not there`);
      return;
    }
    const figures = errorFigures(made, want);
    errors[name] = figures;
    const problem = outside(name, figures, toleranceFor(info, test, own, overrides));
    if (problem !== undefined) problems.push(problem);
  };
  for (const [name, want] of Object.entries(outputs)) hold(name, name, got.outputs[name], want);
  for (const [name, want] of Object.entries(variables)) hold(`variable ${name}`, name, got.variables[name], want);
  if (Object.keys(errors).length === 0 && problems.length === 0) problems.push('nothing was compared');
  if (problems.length === 0) return { id: test.id, status: 'passed', errors };
  return { id: test.id, status: 'failed', reason: problems.join('\n'), errors };
}

function toleranceFor(info: DeviceInfo, test: Case, name: string, overrides: ToleranceOverrides): Tolerance {
  const own = (test.tolerancesOf?.[name] ?? test.tolerances ?? TOLERANCES)[info.float];
  return { ...own, ...overrideFor(`${test.id}/${name}`, overrides) };
}

/** The override whose key is the longest beginning of `id`. */
export function overrideFor(id: string, overrides: ToleranceOverrides): Partial<Tolerance> {
  const keys = Object.keys(overrides).filter((key) => id === key || id.startsWith(key));
  const [longest] = keys.sort((a, b) => b.length - a.length);
  return longest === undefined ? {} : (overrides[longest] ?? {});
}
