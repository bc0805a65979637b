import { parseArgs } from 'node:util';
import { type Drift, driftOf, FLAT, type Range } from '../measure/drift.ts';
import { decodeInWindows, WINDOW_TOKENS, type Window } from '../measure/windows.ts';
import { heldAs } from '../models/held-as.ts';
import { openModel } from '../models/source.ts';
import { badOption, weightName, whole } from '../options.ts';
import { bars } from '../report/bars.ts';
import { alignedRows } from '../report/text.ts';
import { backendEntry } from '../runner/backends.ts';
import { keepBusy } from '../runner/busy.ts';
import { quantile } from '../statistics.ts';

const HELP = `One text, decoded token by token for long: time a token and memory against position. Both are flat, for the state
of an RWKV does not grow.

  pnpm bench long                                  100,000 tokens of the bundled model, on WebAssembly
  pnpm bench long --backend onnx --model 0.1b --weights q8_0 --tokens 10000
  pnpm bench long --threads 2 --tokens 4000 --busy 2   beside processes that never rest

  --backend NAME   wasm, webgpu, onnx, reference … (default: wasm)
  --model NAME     stories, a size with random weights, or a path (default: stories)
  --weights TYPE   f32, f16, bf16, q8_0, q4_0 (default: as stored)
  --threads N      where the backend can be told (default: 2)
  --tokens N       length of the text (default: 100000)
  --windows N      points of the plot, 3 at least (default: 50)
  --busy N         processes that never rest beside it (default: 0)
  --json           the figures alone`;

const OPTIONS = {
  backend: { type: 'string', default: 'wasm' },
  model: { type: 'string', default: 'stories' },
  weights: { type: 'string' },
  threads: { type: 'string', default: '2' },
  tokens: { type: 'string', default: '100000' },
  windows: { type: 'string', default: '50' },
  busy: { type: 'string', default: '0' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

export async function longCommand(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help) return console.log(HELP);
  const [tokens, count] = [whole('--tokens', values.tokens), whole('--windows', values.windows)];
  if (tokens < count * WINDOW_TOKENS) {
    throw badOption(`${count} windows of ${tokens} tokens`, `give ${WINDOW_TOKENS} tokens a window at least`);
  }
  if (count < 3) throw badOption(`${count} windows`, 'give 3 at least: the first is left out, and others are compared');
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort(new Error('interrupted')));
  const backend = await backendEntry(values.backend).make(whole('--threads', values.threads), {});
  const { source, close } = await openModel(values.model, 1);
  const weights = values.weights === undefined ? undefined : weightName(values.weights);
  const rest = keepBusy(whole('--busy', values.busy, 0));
  const windows: Window[] = [];
  try {
    for await (const window of decodeInWindows(heldAs(source, weights), backend, {
      tokens,
      count,
      signal: stopping.signal,
    })) {
      windows.push(window);
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${window.position} of ${tokens} tokens`);
    }
  } finally {
    rest();
    await close();
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const figures = {
    backend: values.backend,
    model: values.model,
    weights: weights ?? 'as stored',
    busy: values.busy,
    windows,
    drift: driftOf(windows),
  };
  console.log(values.json ? JSON.stringify(figures, null, 2) : textOf(figures));
}

function textOf({
  backend,
  model,
  weights,
  busy,
  windows,
  drift,
}: {
  backend: string;
  model: string;
  weights: string;
  busy: string;
  windows: readonly Window[];
  drift: Drift;
}): string {
  const kept = windows.slice(1);
  const times = kept.map(({ best }) => best);
  const ratios = kept.map(({ best, fresh }) => best / fresh);
  const rows = [
    ['', 'first', 'middle', 'last', 'least', 'most'],
    row('µs a token, best quarter', times, 1),
    row(
      'the same of a fresh text, in turns',
      kept.map(({ fresh }) => fresh),
      1,
    ),
    row('ratio', ratios, 3),
    row(
      'process, MiB',
      kept.map(({ residentBytes }) => residentBytes / 2 ** 20),
      0,
    ),
  ];
  const beside = busy === '0' ? '' : `, beside ${busy} busy processes`;
  return [
    `${model}, ${weights}, on ${backend}: one text of ${windows.at(-1)?.position} tokens, ${windows.length} windows${beside}`,
    '',
    'against position: time a token, where that of a text that begins in the same moment is 1 (best quarter of the runs), and memory of the process, MiB',
    ...plot(windows),
    '',
    ...alignedRows(rows),
    '',
    'The first window, in which code is compiled, is left out of the table and of what follows.',
    `Of ${drift.parts} parts, the later ones beside the first: time a token ${signed(drift.time)}, memory ${signed(drift.memory)}: ${
      drift.flat ? 'flat' : 'NOT flat'
    } to ±${100 * FLAT} %.`,
  ].join('\n');
}

function plot(windows: readonly Window[]): string[] {
  const times = bars(
    windows.map(({ position, best, fresh }) => ({ label: String(position), value: best / fresh })),
    36,
  );
  const memory = bars(
    windows.map(({ residentBytes }) => ({ label: '', value: residentBytes / 2 ** 20 })),
    36,
  );
  const width = Math.max(...times.map(({ length }) => length));
  return times.map((line, i) => `${line.padEnd(width)}  ${memory[i]}`);
}

function signed({ least, most }: Range): string {
  const [low, high] = [least, most].map((share) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)} %`);
  return `${low} to ${high}`;
}

function row(name: string, values: readonly number[], digits: number): string[] {
  const all = [values[0], quantile(values, 0.5), values.at(-1), Math.min(...values), Math.max(...values)];
  return [name, ...all.map((x) => (x ?? Number.NaN).toFixed(digits))];
}
