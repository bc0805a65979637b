import { wasm } from '@receptance/backend-wasm';
import type { Backend, WeightSource } from '@receptance/core';
import {
  createTrainer,
  initialWeights,
  type ModelConfig,
  type TokenSource,
  type Trainer,
  type TrainerOptions,
  tokenArray,
} from '../../src/index.ts';

export const SMALL: ModelConfig = {
  ...{ architecture: 'rwkv7', layers: 2, width: 32, headSize: 16, vocabularySize: 64 },
  ranks: { decay: 8, rate: 8, value: 8, gate: 8 },
};

/** Tokens with something to learn: a walk whose steps depend on where it is. */
export function walk(length: number, vocabularySize = 64): TokenSource {
  const tokens = new Int32Array(length);
  for (let i = 1; i < length; i++) {
    const last = tokens[i - 1] ?? 0;
    tokens[i] = (last * 5 + 3 + (Math.imul(i, 0x9e3779b1) >>> 30)) % vocabularySize;
  }
  return tokenArray(tokens);
}

export function oneThread(): Backend {
  return wasm({ threads: 1 });
}

export function small(options: Partial<TrainerOptions> = {}): Promise<Trainer> {
  return createTrainer({
    ...{ backend: oneThread(), model: SMALL, data: walk(4000), steps: 6, sequences: 2, length: 24, seed: 7 },
    ...{ schedule: { rate: 3e-3, warmup: 2 } },
    ...options,
  });
}

/** The weights that `SMALL` begins with, one matrix of them so large that a gradient overflows. */
export function overflowing(): WeightSource {
  const plain = initialWeights(SMALL, 1);
  return {
    tensors: plain.tensors,
    async read(name: string) {
      const bytes = await plain.read(name);
      if (name === 'blocks.1.att.output.weight') new Float32Array(bytes.buffer).fill(3e38);
      return bytes;
    },
  };
}

export async function losses(trainer: Trainer, until?: number): Promise<number[]> {
  const all: number[] = [];
  for await (const { loss } of trainer.run({ until })) all.push(loss);
  return all;
}

/** Compared here: a difference of whole files takes minutes to be shown. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
