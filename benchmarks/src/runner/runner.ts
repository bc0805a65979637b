import type { Backend, WeightSource } from '@receptance/core';
import { ReceptanceError } from '@receptance/core';
import { load, type Model, type Session } from 'receptance';
import type { Answering, Job, Requests } from './protocol.ts';

/** What differs between Node and a page. */
export interface Platform {
  /** @param kernels what exports kernels to stand before the backend's own: a path */
  backend(name: string, threads: number, kernels?: string): Promise<Backend>;
  open(model: string, seed: number): Promise<{ source: WeightSource; close(): Promise<void> }>;
  peakBytes(): number;
}

/** Measures what an app would call: `receptance` over any backend. */
export function createRunner(platform: Platform): Answering<keyof Requests> & { end(): Promise<void> } {
  let opened: { readonly model: Model; readonly session: Session } | undefined;
  const current = (): { readonly model: Model; readonly session: Session } => {
    if (opened !== undefined) return opened;
    throw new ReceptanceError('BAD_OPTION', 'no model is open', { hint: 'ask for `open` first' });
  };

  return {
    async open(job) {
      const backend = await platform.backend(job.backend, job.threads);
      const weights = await platform.open(job.model, job.seed);
      const beforeBytes = platform.peakBytes();
      const began = performance.now();
      const model = await load(weights.source, optionsOf(job, backend)).finally(() => weights.close());
      const loadMs = performance.now() - began;
      opened = { model, session: await model.session() };
      const { architecture, device, memory, vocabularySize } = model;
      return {
        ...{ architecture, adapter: device.adapter, threads: device.threads, loadMs, vocabularySize },
        ...{ heldBytes: memory.parameterBytes, stateBytes: memory.sessionBytes, beforeBytes },
      };
    },
    async prefill({ tokens }) {
      const { model } = current();
      const prompt = promptOf(tokens, model.vocabularySize);
      const began = performance.now();
      await model.logits(prompt, { rows: 'last' });
      return performance.now() - began;
    },
    async decode({ tokens, stepsPerRun }) {
      const { model, session } = current();
      const prompt = session.length === 0 ? promptOf(1, model.vocabularySize) : [];
      const times: number[] = [];
      const began = performance.now();
      for await (const _ of session.generate({ ...GREEDY, prompt, maxTokens: tokens, stepsPerRun })) {
        times.push(performance.now() - began);
      }
      return times;
    },
    async batch({ sequences, tokens }) {
      const { model } = current();
      const prompts = Array.from({ length: sequences }, (_, i) => promptOf(1, model.vocabularySize, i));
      const began = performance.now();
      await model.generateBatch(prompts, { ...GREEDY, maxTokens: tokens });
      return performance.now() - began;
    },
    async advance({ tokens }) {
      const { model, session } = current();
      const began = performance.now();
      await session.prefill(promptOf(tokens, model.vocabularySize));
      return performance.now() - began;
    },
    async firstToken({ tokens }) {
      const { model } = current();
      const session = await model.session();
      const began = performance.now();
      for await (const _ of session.generate({
        ...GREEDY,
        prompt: promptOf(tokens, model.vocabularySize),
        maxTokens: 1,
      }));
      const spent = performance.now() - began;
      await session.close();
      return spent;
    },
    memory: async () => platform.peakBytes(),
    async end() {
      await opened?.model.close();
      opened = undefined;
    },
  };
}

const GREEDY = { greedy: true, stopTokens: [] } as const;

function optionsOf({ weights, maxSequences }: Job, backend: Backend): Parameters<typeof load>[1] {
  return { backend, maxSequences, ...(weights === undefined ? {} : { weights }) };
}

/** Token ids all over the vocabulary; 0 is the end of text of most. */
export function promptOf(tokens: number, vocabularySize: number, first = 0): number[] {
  return Array.from({ length: tokens }, (_, i) => 1 + (((first + i) * 7919) % (vocabularySize - 1)));
}
