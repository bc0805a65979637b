import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ReceptanceError } from '@receptance/core';
import { MEASURES, type Measure, type Plan } from './measure/plan.ts';
import { defaultPlans, quickPlans } from './measure/presets.ts';
import { peerNamed } from './peers/peers.ts';
import { BACKENDS, backendEntry } from './runner/backends.ts';
import { WEIGHT_NAMES, type WeightName } from './runner/protocol.ts';

export const HELP: string = `Speed of the backends and of their peers, measured in turns in one run, with the roofline of the machine beside it.

  pnpm bench                         everything, on the bundled model and on one of 0.1 billion parameters: some minutes
  pnpm bench --quick                 less of it: under three minutes
  pnpm bench --backend wasm --model 0.1b --weights f16 --threads 1,2
  pnpm bench --backend wasm --model 0.1b --weights f32,f16,q8_0,q4_0 --peer llama-cpp
  pnpm bench --model stories --measure context --context 1000,10000,100000
  pnpm bench --op wkv7 --kernel mine.ts      a contributed kernel against the backend's own

  pnpm bench --profile --model 0.1b --weights f16     every dispatch of a token on WebGPU, timed by the GPU
  pnpm bench --profile --model 0.1b --prompt 256      the same while a prompt is read

  pnpm bench long                    time and memory a token along a text of 100,000; see long --help
  pnpm bench train                   training: whole steps, beside PyTorch's; see train --help
  pnpm bench triangle                RWKV, a transformer and AFT of equal size, trained on the same; see triangle --help
  pnpm bench compare A.json B.json   ratios of two runs; see compare --help
  pnpm bench weights --model 0.1b    random weights as files; see weights --help
  pnpm bench encoding                what a token costs the host on WebGPU, in Node and in Chromium
  pnpm bench page                    the same in a browser; see page --help
  pnpm bench peers                   other programs to measure beside; see peers --help

What is measured; with any of these, that and nothing else
  --backend LIST      ${Object.keys(BACKENDS).join(', ')} (default: wasm)
  --model LIST        sizes with random weights (0.1b, 169m, rwkv6-1.6b, tiny …), stories, or paths (default: stories)
  --weights LIST      ${WEIGHT_NAMES.join(', ')} (default: as stored)
  --threads LIST      where the program can be told (default: 1 and all cores)
  --peer LIST         other programs on the same weights: llama-cpp, rwkv, transformers
  --measure LIST      ${MEASURES.join(', ')} (default: decode, prefill)
  --prompt LIST       tokens of a prompt (default: 256)
  --batch LIST        sequences that go on together (default: 1,2,4,8,16)
  --context LIST      tokens of a text after which its next tokens are timed (default: 1000,2000,4000,8000)
  --op NAME           one op of the model, with --kernel FILE, a module that exports kernels

How
  --tokens N          tokens decoded a sample (default: 32)
  --repeats N         samples of each, taken in turns (default: 5)
  --seed N            of random weights (default: 1)
  --json FILE         write the report; - is the standard output
  --html FILE         write the report as a page that opens from disk
  --peers-folder DIR  where peers are installed (or RECEPTANCE_PEERS; default: benchmarks/.cache/peers)
  --cache DIR         where files of weights are kept (or RECEPTANCE_BENCH_CACHE; default: benchmarks/.cache/weights)`;

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  profile: { type: 'boolean', default: false },
  backend: { type: 'string' },
  model: { type: 'string' },
  weights: { type: 'string' },
  threads: { type: 'string' },
  peer: { type: 'string' },
  measure: { type: 'string' },
  prompt: { type: 'string' },
  batch: { type: 'string' },
  context: { type: 'string' },
  op: { type: 'string' },
  kernel: { type: 'string' },
  tokens: { type: 'string' },
  repeats: { type: 'string' },
  seed: { type: 'string', default: '1' },
  json: { type: 'string' },
  html: { type: 'string' },
  'peers-folder': { type: 'string' },
  cache: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** What was given on the command line; `undefined` where nothing was and there is no default. */
export type BenchValues = ReturnType<typeof parseArgs<{ args: string[]; options: typeof OPTIONS }>>['values'];

export function parseBench(args: readonly string[]): BenchValues {
  return parseArgs({ args: [...args], options: OPTIONS }).values;
}

export function cacheFolder(given: string | undefined): string {
  return given ?? process.env['RECEPTANCE_BENCH_CACHE'] ?? fileURLToPath(new URL('../.cache/weights', import.meta.url));
}

/** Those of what was asked for, or all that there are. @throws ReceptanceError `BAD_OPTION`, `UNKNOWN_BACKEND`, `UNKNOWN_PEER` */
export function plansOf(values: BenchValues): readonly Plan[] {
  const { quick, backend, model, weights, threads, peer, measure, prompt, batch, context, tokens, repeats } = values;
  const cores = [...new Set([1, availableParallelism()])];
  const chosen = [backend, model, weights, threads, peer, measure, prompt, batch, context, tokens, repeats];
  if (chosen.every((value) => value === undefined)) return quick ? quickPlans(cores) : defaultPlans(cores);
  if (quick)
    throw badOption('--quick is a choice of its own', 'leave it out, or the options that choose what is measured');
  const backends = listOf(backend ?? 'wasm');
  const peers = listOf(peer ?? '');
  for (const name of backends) backendEntry(name);
  for (const name of peers) peerNamed(name);
  return [
    {
      ...{ models: listOf(model ?? 'stories'), backends, peers },
      weights: weights === undefined ? [undefined] : listOf(weights).map(weightName),
      threads: threads === undefined ? cores : wholes('--threads', threads),
      measures: new Set(listOf(measure ?? 'decode,prefill').map(measureName)),
      repeats: whole('--repeats', repeats ?? '5'),
      tokens: whole('--tokens', tokens ?? '32'),
      prompts: wholes('--prompt', prompt ?? '256'),
      sequences: wholes('--batch', batch ?? '1,2,4,8,16'),
      sampleMs: 8000,
      contexts: wholes('--context', context ?? '1000,2000,4000,8000').toSorted((a, b) => a - b),
    },
  ];
}

function measureName(name: string): Measure {
  const found = MEASURES.find((known) => known === name);
  if (found !== undefined) return found;
  throw badOption(`there is no measure ${name}`, `choose from ${MEASURES.join(', ')}`);
}

export function weightName(name: string): WeightName {
  const found = WEIGHT_NAMES.find((known) => known === name);
  if (found !== undefined) return found;
  throw badOption(`there are no weights ${name}`, `choose from ${WEIGHT_NAMES.join(', ')}`);
}

export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export function wholes(option: string, text: string): number[] {
  return listOf(text).map((part) => whole(option, part));
}

export function whole(option: string, text: string, least = 1): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(number) && number >= least) return number;
  throw badOption(`${option} is ${text}`, `give whole numbers, ${least} or more`);
}

export function badOption(message: string, hint: string): ReceptanceError {
  return new ReceptanceError('BAD_OPTION', message, { hint });
}
