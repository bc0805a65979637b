import { wasm } from '@receptance/backend-wasm';
import { webgpu } from '@receptance/backend-webgpu';
import { bytesSource, openCheckpoint } from '@receptance/checkpoint';
import { type Backend, ReceptanceError, type WeightSource } from '@receptance/core';
import { entryOf, idOf } from '../src/measure/entry.ts';
import type { Settings } from '../src/measure/plan.ts';
import { takeRound, warmUp } from '../src/measure/rounds.ts';
import { Samples } from '../src/measure/samples.ts';
import type { Group, OpenSubject, Subject } from '../src/measure/subject.ts';
import { weightFigures } from '../src/models/figures.ts';
import { heldAs } from '../src/models/held-as.ts';
import { randomWeights } from '../src/models/random-weights.ts';
import type { Report } from '../src/report/report.ts';
import { FLOPS_PER_ROUND, openProbe } from '../src/roofline/probe.ts';
import type { Roofline } from '../src/roofline/roofline.ts';
import { createRunner, type Platform } from '../src/runner/runner.ts';

const stories = new URL('../../packages/model-stories/stories.gguf', import.meta.url);
const BACKENDS: Readonly<Record<string, (threads: number) => Backend>> = {
  wasm: (threads) => wasm({ threads }),
  webgpu: () => webgpu(),
};
/** Threads share memory, which a page has only where it is isolated from other origins. */
const THREADS = crossOriginIsolated ? [...new Set([1, navigator.hardwareConcurrency])] : [1];
const SUBJECTS: readonly Subject[] = [
  ...THREADS.map((threads) => ({ program: 'wasm', threads, isPeer: false })),
  { program: 'webgpu', threads: 1, isPeer: false },
];
const PROBE_BYTES = 128 << 20;

const PLAN: Omit<Settings, 'models' | 'weights' | 'backends' | 'threads' | 'status'> = {
  ...{ seed: 1, peers: [], peersFolder: '', cache: '', signal: new AbortController().signal },
  measures: new Set(['decode', 'tokenTime', 'prefill', 'firstToken', 'batch']),
  ...{ repeats: 3, tokens: 32, prompts: [16, 64, 256], sequences: [1, 4], contexts: [], sampleMs: 1500 },
};

const platform: Platform = {
  async backend(name, threads) {
    const make = BACKENDS[name];
    if (make === undefined) throw new ReceptanceError('UNKNOWN_BACKEND', `there is no backend ${name} here`);
    return make(threads);
  },
  open: async (model, seed) => ({ source: await sourceOf(model, seed), close: async () => {} }),
  peakBytes: () => 0,
};

async function sourceOf(model: string, seed: number): Promise<WeightSource> {
  if (model !== 'stories') return randomWeights(model, seed);
  const response = await fetch(stories);
  return openCheckpoint(bytesSource(await response.arrayBuffer()));
}

/** What `pnpm bench` measures of speed, in this page. */
export async function measureInPage(group: Group, status: (text: string) => void): Promise<Report> {
  const date = new Date().toISOString();
  const settings = { ...PLAN, models: [group.model], weights: [group.weights], backends: [], threads: THREADS, status };
  const skipped: { id: string; reason: string }[] = [];
  const subjects: OpenSubject[] = [];
  for (const subject of SUBJECTS) {
    status(`loading ${group.model} into ${subject.program}, ${subject.threads} threads`);
    try {
      subjects.push(await openHere(subject, group));
    } catch (error) {
      if (!ReceptanceError.isInstance(error)) throw error;
      skipped.push({ id: idOf(group, subject), reason: error.message });
    }
  }
  const probe = await openProbe(PROBE_BYTES);
  const roofline: Roofline = { threads: 1, fused: probe.fused, bytesPerSecond: 0, flopsPerSecond: 0 };
  const best = { ...roofline };
  const samples = new Map(subjects.map((subject) => [subject, new Samples()]));
  for (let round = -1; round < settings.repeats; round++) {
    for (const subject of subjects) {
      status(`${subject.program}: ${round < 0 ? 'warming up' : `round ${round + 1} of ${settings.repeats}`}`);
      await new Promise((resolve) => setTimeout(resolve, 0));
      const own = samples.get(subject) ?? new Samples();
      if (round < 0) await warmUp(subject, own);
      else await takeRound(subject, own, settings);
    }
    best.bytesPerSecond = Math.max(
      best.bytesPerSecond,
      rate(PROBE_BYTES, () => probe.read(PROBE_BYTES)),
    );
    best.flopsPerSecond = Math.max(
      best.flopsPerSecond,
      rate(1e6 * FLOPS_PER_ROUND, () => probe.multiplyAdd(1e6)),
    );
  }
  for (const { runner } of subjects) await runner.close();
  const figures = weightFigures(heldAs(await sourceOf(group.model, settings.seed), group.weights));
  const entries = subjects.map((subject) => entryOf(group, subject, figures, samples.get(subject)));
  for (const [subject, { leftOut }] of samples) {
    skipped.push(...[...leftOut].map((reason) => ({ id: idOf(group, subject), reason })));
  }
  return {
    ...{ schema: 'receptance-benchmark/1', date, machine: machineOfPage(), roofline: [best], entries },
    ...{ ops: [], baselines: [], quality: [], skipped },
  };
}

async function openHere(subject: Subject, { model, weights }: Group): Promise<OpenSubject> {
  const runner = createRunner(platform);
  const handlers: Readonly<Record<string, (parameters: never) => Promise<unknown>>> = runner;
  const maxSequences = Math.max(...PLAN.sequences);
  const { program: backend, threads } = subject;
  const opened = await runner.open({ model, weights, seed: PLAN.seed, backend, threads, maxSequences });
  return {
    ...{ ...subject, threads: opened.threads, opened },
    runner: {
      // The names are those of the runner's own requests.
      ask: async (request, parameters) => handlers[request]?.(parameters as never) as never,
      close: async () => {
        await runner.end();
      },
    },
  };
}

function rate(amount: number, work: () => void): number {
  const began = performance.now();
  work();
  return (1000 * amount) / (performance.now() - began);
}

function machineOfPage(): Report['machine'] {
  const engine = /(Firefox|Edg|Chrome|Version)\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? navigator.userAgent;
  return {
    cpu: 'as the browser does not say',
    cores: navigator.hardwareConcurrency,
    memoryBytes: 0,
    ...{ platform: navigator.platform, engine, loadBefore: 0, loadAfter: 0 },
  };
}
