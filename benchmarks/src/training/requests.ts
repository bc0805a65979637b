import { ReceptanceError } from '@receptance/core';
import type { Trainer } from '@receptance/train';
import type { Answering, Training } from '../runner/protocol.ts';
import type { Platform } from '../runner/runner.ts';
import { openTrainer, trainingOps, trainingProfile } from './subject.ts';

/** More than is ever timed. */
const STEPS = 100_000;

/** Answers what is asked of a program that trains. */
export function createTraining(platform: Platform): Answering<keyof Training> {
  let opened: { readonly trainer: Trainer } | undefined;
  return {
    async trainOpen({ size, backend: name, threads, optimiser: learning }) {
      const beforeBytes = platform.peakBytes();
      const backend = await platform.backend(name, threads);
      const trainer = await openTrainer(backend, size, STEPS, learning);
      await trainer.next();
      opened = { trainer };
      const { parameters, optimiser, step } = trainer.memory;
      const { adapter, threads: running } = trainer.device;
      return {
        ...{ adapter: `${adapter}, threads: ${running}`, parameters: trainer.trained },
        beforeBytes,
        plan: { weights: parameters - optimiser, optimiser, activations: step.bufferBytes, ...step.fullest },
      };
    },
    async trainSteps({ steps }) {
      if (opened === undefined)
        throw new ReceptanceError('BAD_OPTION', 'nothing is trained', { hint: 'ask trainOpen' });
      const [times, losses]: [number[], number[]] = [[], []];
      for (let step = 0; step < steps; step++) {
        const began = performance.now();
        losses.push((await opened.trainer.next()).loss);
        times.push(performance.now() - began);
      }
      return { times, losses };
    },
    async trainOps({ size, backend, threads, runs }) {
      return trainingOps(await platform.backend(backend, threads), size, runs);
    },
    async trainProfile({ size, optimiser, steps }) {
      return trainingProfile(await platform.backend('wasm', 1), size, optimiser, steps);
    },
  };
}
