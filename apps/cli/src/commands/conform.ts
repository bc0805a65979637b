import type { CaseResult, GoldenFile, Report, Status, SuiteOptions } from '@receptance/conformance';
import { type Backend, ReceptanceError } from '@receptance/core';
import { backendNamed, backendNames, DEFAULT_BACKEND } from '../backends.ts';
import { type Command, columns, command } from '../command.ts';
import { badOption, COMMON } from '../options.ts';
import type { Terminal } from '../terminal.ts';

const options = {
  backend: { value: 'NAME', help: `${backendNames().join(', ')} (default: ${DEFAULT_BACKEND})` },
  all: { help: 'every backend that is there, one after the other; with --golden, those files beside the suite' },
  golden: { value: 'DIR', help: 'hold it to the golden files in this folder and below, in place of the suite' },
  only: { value: 'LIST', help: 'only checks whose ids begin so: wkv7/, golden/logits/' },
  ...COMMON,
} as const;

/** Cases listed of those that are unsupported for the same reason. */
const MOST_LISTED = 8;

type Held = Pick<SuiteOptions, 'golden' | 'only'>;

interface Outcome extends Report {
  readonly interrupted?: boolean;
}

export const conform: Command = command({
  name: 'conform',
  summary: 'Holds a backend to the conformance suite.',
  usage: '[--backend NAME | --all] [--golden DIR] [--only LIST]',
  options,
  examples: [
    ['conform --backend wasm', 'every case of the suite; the exit status is 1 when one fails'],
    ['conform --backend wasm --only wkv7/,timeMix7/', 'what a change to a kernel touches'],
    ['conform --backend reference --golden golden', 'golden ops and models that were computed elsewhere'],
    ['conform --all --json', 'a report of each backend, and why others are not there'],
    ['conform --backend webgpu --json', 'each case by its id, with its status and its errors'],
  ],
  async run(values, terminal) {
    const directory = values.text('golden');
    const golden = directory === undefined ? undefined : await goldenIn(directory);
    const only = values.text('only')?.split(',');
    const options = { ...(golden === undefined ? {} : { golden }), ...(only === undefined ? {} : { only }) };
    if (values.flag('all')) {
      if (values.text('backend') !== undefined) throw badOption('--all and --backend exclude each other', 'give one');
      return conformAll(options, terminal);
    }
    const backend = await backendNamed(values.text('backend') ?? DEFAULT_BACKEND);
    const alone = golden === undefined ? {} : { only: ['golden/'] };
    const outcome = await hold(backend, { ...alone, ...options }, terminal);
    if (terminal.json) terminal.writeJson(outcome);
    else terminal.write(summaryOf(outcome));
    return statusOf(outcome, terminal);
  },
});

/** Holds a backend to the suite, for as long as nothing interrupts it. */
async function hold(backend: Backend, options: Held, terminal: Terminal): Promise<Outcome> {
  const { runSuite } = await import('@receptance/conformance');
  const results: CaseResult[] = [];
  const onResult = (result: CaseResult, total: number): void => {
    results.push(result);
    if (!terminal.json) showResult(result, terminal);
    terminal.status(`${backend.name} ${results.length} of ${total}: ${result.id}`);
  };
  try {
    return await runSuite(backend, { ...options, signal: terminal.signal, onResult });
  } catch (error) {
    if (!terminal.signal.aborted) throw error;
    // Nothing was run after the last result.
    return { backend: backend.name, adapter: '', results, ...countsOf(results), interrupted: true };
  }
}

/** Every backend there is; one that this machine lacks is named with the reason. */
async function conformAll(options: Held, terminal: Terminal): Promise<number> {
  const reports: Outcome[] = [];
  const unavailable: { readonly backend: string; readonly reason: string }[] = [];
  // `auto` is one of the others.
  const names = backendNames().filter((each) => each !== 'auto');
  for (const [i, name] of names.entries()) {
    // It takes minutes, and with --json nothing else is written before the end.
    terminal.note(`${name}, ${i + 1} of ${names.length}`);
    try {
      const outcome = await hold(await backendNamed(name), options, terminal);
      reports.push({ ...outcome, backend: name });
      if (!terminal.json) terminal.write(summaryOf(outcome));
      if (outcome.interrupted === true) break;
    } catch (error) {
      if (!ReceptanceError.isInstance(error) || error.code !== 'BACKEND_UNAVAILABLE') throw error;
      unavailable.push({ backend: name, reason: error.message });
      if (!terminal.json) terminal.write(`\n${name} is left out: ${error.message}\n`);
    }
  }
  if (terminal.json) terminal.writeJson({ reports, unavailable });
  return Math.max(0, ...reports.map((report) => statusOf(report, terminal)));
}

/** @throws ReceptanceError `FILE_NOT_FOUND` for a folder that cannot be read, or holds nothing */
async function goldenIn(directory: string): Promise<GoldenFile[]> {
  const { goldenFiles } = await import('@receptance/conformance/node');
  const files = await goldenFiles(directory).catch((cause: unknown) => {
    throw noGolden(`${directory} cannot be read`, cause);
  });
  if (files.length === 0) throw noGolden(`${directory} holds no files`);
  return files;
}

function noGolden(message: string, cause?: unknown): ReceptanceError {
  return new ReceptanceError('FILE_NOT_FOUND', message, { hint: 'give a folder with .safetensors files', cause });
}

function statusOf({ failed, interrupted }: Outcome, terminal: Terminal): number {
  if (interrupted === true) return terminal.interrupted ? 130 : 0;
  return failed > 0 ? 1 : 0;
}

function countsOf(results: readonly CaseResult[]): Readonly<Record<Status, number>> {
  const count = (status: Status): number => results.filter((result) => result.status === status).length;
  return {
    passed: count('passed'),
    failed: count('failed'),
    unsupported: count('unsupported'),
    unknown: count('unknown'),
  };
}

/** Failures as they come, everything else when it is asked for. */
function showResult({ id, status, reason, errors = {} }: CaseResult, terminal: Terminal): void {
  const worst = Math.max(0, ...Object.values(errors).map(({ nmse }) => nmse));
  if (status === 'failed') terminal.write(`failed  ${id}\n${indented(reason)}`);
  else if (terminal.verbose)
    terminal.write(`${status}  ${id}  ${status === 'passed' ? `NMSE ${format(worst)}` : reason}\n`);
}

/** What is of one kind on a line, failures first; then what was not held to anything, and why. */
function summaryOf({ backend, adapter, results, interrupted, ...counts }: Outcome): string {
  const rows = [...grouped(results, ({ id }) => kindOf(id))].map(([kind, all]) => {
    const worst = Math.max(0, ...all.flatMap(({ errors = {} }) => Object.values(errors).map(({ nmse }) => nmse)));
    return { kind, failed: countsOf(all).failed, text: `${describe(countsOf(all))}, worst NMSE ${format(worst)}` };
  });
  rows.sort((a, b) => b.failed - a.failed);
  const missing = results.filter(({ status }) => status === 'unsupported' || status === 'unknown');
  const name = adapter === '' ? backend : `${backend} (${adapter})`;
  return [
    '',
    ...columns(rows.map(({ kind, text }) => [kind, text])),
    ...[...grouped(missing, ({ status, reason }) => `${status}: ${reason}`)].map(
      ([why, all]) => `${why}\n${listed(all)}`,
    ),
    `\n${name}: ${describe(counts)}${interrupted === true ? ', interrupted' : ''}\n`,
  ].join('\n');
}

/** `wkv7` of `wkv7/f32/N=32`; of golden files also what they are. */
function kindOf(id: string): string {
  const parts = id.split('/');
  return parts.slice(0, parts[0] === 'golden' ? 2 : 1).join('/');
}

function listed(results: readonly CaseResult[]): string {
  const shown = results.slice(0, MOST_LISTED).map(({ id }) => `    ${id}`);
  const more = results.length - shown.length;
  return [...shown, ...(more > 0 ? [`    and ${more} more; --verbose lists all`] : [])].join('\n');
}

function describe({ passed, failed, unsupported, unknown }: Readonly<Record<Status, number>>): string {
  const rest = Object.entries({ failed, unsupported, unknown }).filter(([, count]) => count > 0);
  return [`${passed} passed`, ...rest.map(([status, count]) => `${count} ${status}`)].join(', ');
}

function indented(reason = ''): string {
  return reason.replace(/^/gm, '    ').concat('\n');
}

function format(error: number): string {
  return error === 0 ? '0' : error.toExponential(1);
}

/** ES2024's `Map.groupBy`. */
function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
