import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ReceptanceError } from '@receptance/core';
import type { Settings } from './measure/plan.ts';
import { peerNamed, peersFolder } from './peers/peers.ts';
import type { MeasurementName } from './report/report.ts';
import { BACKENDS, backendEntry } from './runner/backends.ts';
import { WEIGHT_NAMES, type WeightName } from './runner/protocol.ts';

export const HELP: string = `Speed of the backends and of their peers, measured in turns in one run, with the roofline of the machine beside it.

  pnpm bench --backend wasm --model 0.1b --weights f16 --threads 1,2
  pnpm bench --backend wasm --model 0.1b --weights f32,f16,q8_0,q4_0 --peer llama-cpp
  pnpm bench --model path/to/model.safetensors --json report.json

What is measured
  --backend LIST      ${Object.keys(BACKENDS).join(', ')} (default: wasm)
  --model LIST        sizes with random weights (0.1b, 169m, rwkv6-1.6b, tiny …), stories, or paths (default: stories)
  --weights LIST      ${WEIGHT_NAMES.join(', ')} (default: as stored)
  --threads LIST      where the program can be told (default: 1 and all cores)
  --peer LIST         other programs on the same weights: llama-cpp (see: pnpm bench peers --help)
  --measure LIST      decode, prefill (default: both)

How
  --prompt LIST       tokens of a prompt (default: 256)
  --tokens N          tokens decoded a sample (default: 32)
  --repeats N         samples of each, taken in turns (default: 5)
  --seed N            of random weights (default: 1)
  --json FILE         write the report; - is the standard output
  --peers-folder DIR  where peers are installed (or RECEPTANCE_PEERS; default: benchmarks/.cache/peers)
  --cache DIR         where model files for peers are kept (or RECEPTANCE_BENCH_CACHE; default: benchmarks/.cache/weights)`;

const OPTIONS = {
  backend: { type: 'string', default: 'wasm' },
  model: { type: 'string', default: 'stories' },
  weights: { type: 'string' },
  threads: { type: 'string' },
  peer: { type: 'string' },
  measure: { type: 'string', default: 'decode,prefill' },
  prompt: { type: 'string', default: '256' },
  tokens: { type: 'string', default: '32' },
  repeats: { type: 'string', default: '5' },
  seed: { type: 'string', default: '1' },
  json: { type: 'string' },
  'peers-folder': { type: 'string' },
  cache: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** What was given on the command line; `undefined` where nothing was and there is no default. */
type BenchValues = ReturnType<typeof parseArgs<{ args: string[]; options: typeof OPTIONS }>>['values'];

export function parseBench(args: readonly string[]): BenchValues {
  return parseArgs({ args: [...args], options: OPTIONS }).values;
}

export function cacheFolder(given: string | undefined): string {
  return given ?? process.env['RECEPTANCE_BENCH_CACHE'] ?? fileURLToPath(new URL('../.cache/weights', import.meta.url));
}

/** @throws ReceptanceError `BAD_OPTION`, `UNKNOWN_BACKEND`, `UNKNOWN_PEER` */
export function settingsOf(values: BenchValues, context: Pick<Settings, 'signal' | 'status'>): Settings {
  const cores = availableParallelism();
  const backends = listOf(values.backend);
  const peers = listOf(values.peer ?? '');
  for (const backend of backends) backendEntry(backend);
  for (const peer of peers) peerNamed(peer);
  return {
    ...{ models: listOf(values.model), backends, peers },
    seed: whole('--seed', values.seed, 0),
    weights: values.weights === undefined ? [undefined] : listOf(values.weights).map(weightName),
    threads: values.threads === undefined ? [...new Set([1, cores])] : numbersOf('--threads', values.threads),
    peersFolder: peersFolder(values['peers-folder']),
    cache: cacheFolder(values.cache),
    measures: new Set(listOf(values.measure) as MeasurementName[]),
    repeats: whole('--repeats', values.repeats),
    tokens: whole('--tokens', values.tokens),
    prompts: numbersOf('--prompt', values.prompt),
    ...{ sequences: [1], contexts: [] },
    ...context,
  };
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

function numbersOf(option: string, text: string): number[] {
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
