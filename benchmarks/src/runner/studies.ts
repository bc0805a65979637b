import { detectModel } from '@receptance/core';
import { timeSteps, transformerAt } from '../baseline/time-steps.ts';
import { transformerLike } from '../baseline/transformer.ts';
import { heldAs } from '../models/held-as.ts';
import { compareOp, timeOps } from '../ops/time-ops.ts';
import { measureQuality } from '../quality/quality.ts';
import type { Answering, Job, Studies } from './protocol.ts';
import type { Platform } from './runner.ts';

/** Measurements that take a backend apart, each with devices of its own. */
export function createStudies(platform: Platform): Answering<keyof Studies> {
  /** Whatever comes of it, the weights are closed. */
  const withWeights = async <T>(
    { model, seed, weights }: Job,
    work: (source: Parameters<typeof timeOps>[1]) => Promise<T>,
  ): Promise<T> => {
    const { source, close } = await platform.open(model, seed);
    return work(heldAs(source, weights)).finally(close);
  };
  return {
    ops: async ({ job, tokens }) => {
      const backend = await platform.backend(job.backend, job.threads);
      return withWeights(job, (source) => timeOps(backend, source, tokens));
    },
    compareOp: async ({ job, op, tokens, kernels }) => {
      const before = await platform.backend(job.backend, job.threads);
      const after = await platform.backend(job.backend, job.threads, kernels);
      return withWeights(job, (source) => compareOp({ before, after }, source, op, tokens));
    },
    transformer: async ({ job, contexts, tokens }) => {
      const backend = await platform.backend(job.backend, job.threads);
      return withWeights(job, (source) =>
        timeSteps(backend, transformerAt(transformerLike(detectModel(source.tensors))), job.seed, contexts, tokens),
      );
    },
    quality: async ({ job, types, tokens }) => {
      const backend = await platform.backend(job.backend, job.threads);
      return withWeights({ ...job, weights: undefined }, (source) => measureQuality(backend, source, types, tokens));
    },
  };
}
