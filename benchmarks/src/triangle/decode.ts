import { join } from 'node:path';
import { safetensorsChunks } from '@receptance/checkpoint';
import { writeWhole } from '@receptance/checkpoint/node';
import type { Backend } from '@receptance/core';
import { initialWeights } from '@receptance/train';
import { aftAt, timeSteps, transformerAt } from '../baseline/time-steps.ts';
import type { Settings } from '../measure/plan.ts';
import { takeContexts } from '../measure/rounds.ts';
import { Samples } from '../measure/samples.ts';
import { openSubject } from '../measure/subject.ts';
import { medianOf } from '../report/text.ts';
import { VOCABULARY } from './corpus.ts';
import { isBaseline, type SizedModel } from './models.ts';
import type { Plan } from './plan.ts';
import type { DecodeCost } from './report.ts';

/** Steps timed of a baseline at each length. */
const STEPS = 32;

export interface DecodeOptions {
  readonly backend: Backend;
  readonly plan: Plan;
  /** Where files of weights are put. */
  readonly folder: string;
  readonly signal: AbortSignal;
  status(text: string): void;
}

/** What a token costs a model after texts of the plan's lengths. Weights are untrained: speed does not depend on what they say. */
export function decodeCosts(model: SizedModel, options: DecodeOptions): Promise<DecodeCost[]> {
  return isBaseline(model.config) ? baselineCosts(model, options) : stateCosts(model, options);
}

/** The `context` measure of the benchmarks, in a process of its own. */
async function stateCosts({ name, config }: SizedModel, options: DecodeOptions): Promise<DecodeCost[]> {
  if (isBaseline(config)) return [];
  const { plan, folder } = options;
  const path = join(folder, `${name}.safetensors`);
  await writeWhole(path, safetensorsChunks(initialWeights(config, plan.seed)));
  const { contexts, threads } = plan;
  const settings: Settings = {
    ...{ models: [path], weights: [undefined], backends: ['wasm'], threads: [threads], peers: [] },
    ...{ measures: new Set(['context']), repeats: 1, tokens: 1, prompts: [], sequences: [1], contexts, sampleMs: 0 },
    ...{ seed: plan.seed, peersFolder: folder, cache: folder, signal: options.signal, status: options.status },
  };
  const group = { model: path, weights: undefined };
  const subject = await openSubject({ program: 'wasm', isPeer: false, threads }, group, settings);
  try {
    const samples = new Samples();
    await takeContexts(subject, samples, settings);
    const memoryBytes = subject.opened.stateBytes ?? Number.NaN;
    return samples.measurements().map((measured) => {
      return { model: name, context: measured.at ?? 0, milliseconds: medianOf(measured), memoryBytes };
    });
  } finally {
    await subject.runner.close();
  }
}

/** The same of what has no state of its own here: a step as a graph, over a cache that is full, or over sums. */
async function baselineCosts({ name, config }: SizedModel, { backend, plan }: DecodeOptions): Promise<DecodeCost[]> {
  const { layers, width, headSize, window, contexts, seed } = plan;
  const size = { layers, width, headSize, ffn: config.ffn, vocabulary: VOCABULARY };
  const aft = config.architecture === 'aft-local' ? { ...size, window } : size;
  const stepAt = config.architecture === 'transformer' ? transformerAt(size) : aftAt(aft);
  const costs = await timeSteps(backend, stepAt, seed, contexts, STEPS);
  return costs.map((cost) => ({ model: name, ...cost }));
}
