import type { Measure, Plan } from './plan.ts';

const ALL = ['wasm', 'webgpu', 'onnx', 'onnx-cuda', 'onnx-webgpu', 'reference'];
/** Big enough to be bound by memory, small enough for every machine. */
const LARGE = 'rwkv7-0.1b';

const BASE: Omit<Plan, 'models' | 'backends' | 'threads' | 'measures'> = {
  weights: [undefined],
  peers: [],
  repeats: 5,
  tokens: 32,
  prompts: [256],
  sequences: [1],
  contexts: [],
  sampleMs: 3000,
};

function measures(...names: Measure[]): ReadonlySet<Measure> {
  return new Set(names);
}

/** All that is measured, on every backend there is: the bundled model, and WASM on one that does not fit into caches. */
export function defaultPlans(threads: readonly number[]): Plan[] {
  return [
    {
      ...{ ...BASE, models: ['stories'], backends: ALL, threads, tokens: 64 },
      ...{ prompts: [16, 64, 256, 1024], sequences: [1, 2, 4, 8, 16] },
      measures: measures('decode', 'tokenTime', 'prefill', 'firstToken', 'batch'),
    },
    {
      ...{ ...BASE, models: ['stories'], backends: ['wasm'], threads: threads.slice(-1) },
      ...{ contexts: [1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000] },
      measures: measures('context', 'quality'),
    },
    {
      ...{ ...BASE, models: [LARGE], backends: ['wasm'], threads, weights: ['f32', 'f16', 'q8_0', 'q4_0'] },
      ...{ repeats: 3, tokens: 16, prompts: [16, 256] },
      measures: measures('decode', 'tokenTime', 'prefill', 'load', 'ops'),
    },
  ];
}

/** The same in less than three minutes on two slow cores. */
export function quickPlans(threads: readonly number[]): Plan[] {
  return [
    {
      ...{ ...BASE, models: ['stories'], backends: ALL, threads, prompts: [128], sequences: [1, 4] },
      ...{ tokens: 24, sampleMs: 400 },
      measures: measures('decode', 'tokenTime', 'prefill', 'firstToken', 'batch'),
    },
    {
      ...{ ...BASE, models: ['stories'], backends: ['wasm'], threads: threads.slice(-1), repeats: 1 },
      ...{ contexts: [1000, 10_000] },
      measures: measures('context', 'quality'),
    },
    {
      ...{ ...BASE, models: [LARGE], backends: ['wasm'], threads: threads.slice(-1), weights: ['q8_0'] },
      ...{ tokens: 12, prompts: [64] },
      measures: measures('decode', 'prefill', 'ops'),
    },
  ];
}
