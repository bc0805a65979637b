/** Measures backends side by side on one model: `npm run bench -- --help`. */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { reference } from '@receptance/backend-reference';
import { wasm } from '@receptance/backend-wasm';
import { webgpu } from '@receptance/backend-webgpu';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { type Backend, ReceptanceError } from '@receptance/core';
import { storiesModel } from '@receptance/model-stories';
import { memoryBandwidth } from './roofline.ts';
import { type Spread, spread } from './statistics.ts';
import { prepare, type Workload } from './workload.ts';

const BACKENDS: Readonly<Record<string, () => Backend>> = { reference, wasm, webgpu };

const HELP = `Decode and prefill speed of the backends, measured in turns in one run.

  npm run bench                                the bundled model on every backend there is
  npm run bench -- --backend wasm,reference    some backends
  npm run bench -- --model FILE --json         another checkpoint; figures as JSON

  --backend LIST   ${Object.keys(BACKENDS).join(', ')}
  --model FILE     a checkpoint (default: the bundled model)
  --tokens N       tokens decoded, and prefilled, a sample (default 64)
  --repeats N      samples of each backend, taken in turns (default 5)
  --json           one object on the standard output

Shares are of the memory bandwidth that a large copy shows in the same run: a token cannot be decoded faster than
its weights are read, unless they stay in the caches, as those of a small model do.`;

interface Row {
  readonly backend: string;
  readonly adapter: string;
  readonly loadMs: number;
  readonly decodeTokensPerSecond: Spread;
  readonly prefillTokensPerSecond: Spread;
  readonly weightBytesPerToken: number;
  readonly decodeShareOfBandwidth: number;
}

interface Report {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string };
  readonly model: string | undefined;
  readonly tokens: number;
  readonly repeats: number;
  readonly copyBytesPerSecond: number;
  readonly rows: readonly Row[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      backend: { type: 'string', default: Object.keys(BACKENDS).join(',') },
      model: { type: 'string' },
      tokens: { type: 'string', default: '64' },
      repeats: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const [tokens, repeats] = [positive('--tokens', values.tokens), positive('--repeats', values.repeats)];
  const model = values.model ?? storiesModel;
  const workloads: Workload[] = [];
  for (const name of values.backend.split(',')) {
    const backend = backendOf(name);
    const checkpoint = await openCheckpointFile(model);
    try {
      workloads.push(await prepare(backend, checkpoint, tokens));
    } catch (error) {
      if (!ReceptanceError.isInstance(error) || error.code !== 'BACKEND_UNAVAILABLE') throw error;
      console.error(`${name} is left out: ${error.message} (${error.hint})`);
    } finally {
      await checkpoint.close();
    }
  }
  const bandwidth = memoryBandwidth();
  const decode = new Map<Workload, number[]>();
  const prefill = new Map<Workload, number[]>();
  for (let repeat = -1; repeat < repeats; repeat++) {
    for (const workload of workloads) {
      const samples = [await workload.decode(tokens), await workload.prefill(tokens)] as const;
      if (repeat < 0) continue; // the first round warms up
      decode.set(workload, [...(decode.get(workload) ?? []), (1000 * tokens) / samples[0]]);
      prefill.set(workload, [...(prefill.get(workload) ?? []), (1000 * tokens) / samples[1]]);
    }
  }
  const rows = workloads.map((workload): Row => {
    const speed = spread(decode.get(workload) ?? []);
    return {
      backend: workload.name,
      adapter: workload.adapter,
      loadMs: workload.loadMs,
      decodeTokensPerSecond: speed,
      prefillTokensPerSecond: spread(prefill.get(workload) ?? []),
      weightBytesPerToken: workload.weightBytes,
      decodeShareOfBandwidth: (workload.weightBytes * speed.median) / bandwidth,
    };
  });
  for (const workload of workloads) await workload.close();
  const machine = { cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: cpus().length, node: process.version };
  const report: Report = {
    machine,
    model: String(model).split('/').at(-1),
    tokens,
    repeats,
    copyBytesPerSecond: bandwidth,
    rows,
  };
  console.log(values.json ? JSON.stringify(report, null, 2) : format(report));
}

function format({ machine, model, copyBytesPerSecond, rows }: Report): string {
  const range = ({ median, min, max }: Spread): string => `${median.toFixed(0)} (${min.toFixed(0)}…${max.toFixed(0)})`;
  const lines = rows.map(
    ({ backend, adapter, loadMs, decodeTokensPerSecond, prefillTokensPerSecond, decodeShareOfBandwidth }) => [
      backend,
      range(decodeTokensPerSecond),
      `${(100 * decodeShareOfBandwidth).toFixed(1)} %`,
      range(prefillTokensPerSecond),
      `${loadMs.toFixed(0)} ms`,
      adapter,
    ],
  );
  const cells = [['backend', 'decode tokens/s', 'of copy', 'prefill tokens/s', 'load', 'adapter'], ...lines];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  const table = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const gigabytes = (copyBytesPerSecond / 1e9).toFixed(1);
  return [`${model} on ${Object.values(machine).join(', ')}; copy ${gigabytes} GB/s`, '', ...table].join('\n');
}

function backendOf(name: string): Backend {
  const make = Object.hasOwn(BACKENDS, name) ? BACKENDS[name] : undefined;
  if (make !== undefined) return make();
  throw new ReceptanceError('UNKNOWN_BACKEND', `there is no backend ${name}`, {
    hint: `choose from ${Object.keys(BACKENDS).join(', ')}`,
  });
}

function positive(option: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new ReceptanceError('BAD_OPTION', `${option} is ${text}`, { hint: 'give a whole number above 0' });
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Error)) throw error;
  const known = ReceptanceError.isInstance(error)
    ? `[${error.code}] ${error.message}\nhint: ${error.hint}`
    : error.message;
  console.error(`error ${known}`);
  process.exitCode = 1;
}
