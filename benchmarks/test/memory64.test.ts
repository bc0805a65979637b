import { freemem } from 'node:os';
import { wasm } from '@receptance/backend-wasm';
import type { WeightSource } from '@receptance/core';
import { load } from 'receptance';
import { expect, test } from 'vitest';
import { randomSource } from '../src/models/random-weights.ts';
import { modelSize } from '../src/models/registry.ts';
import { tensorsOf } from '../src/models/tensors.ts';

/** The numbers that bfloat16 has, in f32 or in two bytes each. */
function bfloats(source: WeightSource, dtype: 'f32' | 'bf16'): WeightSource {
  const size = dtype === 'f32' ? 4 : 2;
  const tensors = [...source.tensors].map(([name, { shape, bytes }]) => {
    return [name, { dtype, shape, bytes: (bytes / 4) * size }] as const;
  });
  return {
    tensors: new Map(tensors),
    async read(name, range = { start: 0, end: new Map(tensors).get(name)?.bytes ?? 0 }, signal) {
      const wide = { start: (range.start / size) * 4, end: (range.end / size) * 4 };
      const stored = await source.read(name, wide, signal);
      const words = new Uint32Array(stored.buffer, stored.byteOffset, stored.byteLength / 4);
      const kept = dtype === 'f32' ? words : new Uint16Array(words.length);
      const shift = dtype === 'f32' ? 0 : 16;
      for (let i = 0; i < words.length; i++) kept[i] = ((words[i] ?? 0) & 0xffff0000) >>> shift;
      return new Uint8Array(kept.buffer);
    },
  };
}

async function logitsOf(source: WeightSource, memory64: boolean): Promise<{ logits: Float32Array; bytes: number }> {
  const model = await load(source, { backend: wasm({ memory64, threads: 2 }), maxSequences: 1 });
  try {
    const { data } = await model.logits([11, 4711, 65000], { rows: 'last' });
    return { logits: Float32Array.from(data), bytes: model.memory.parameterBytes };
  } finally {
    await model.close();
  }
}

// Makes, loads and multiplies some seven gigabytes.
const patience = { timeout: 600_000 };

test('a model beyond 4 GiB gives what the same numbers give in half the bytes', patience, async (context) => {
  if (freemem() < 10 * 2 ** 30) context.skip('needs 10 GiB of free memory');
  const source = randomSource('beyond', tensorsOf({ ...modelSize('rwkv7-7.2b'), layers: 3 }));
  const narrow = await logitsOf(bfloats(source, 'bf16'), false);
  const wide = await logitsOf(bfloats(source, 'f32'), true);
  expect(narrow.bytes).toBeLessThan(2 ** 32);
  expect(wide.bytes).toBeGreaterThan(2 ** 32);
  expect(wide.logits.length).toBe(65536);
  const worst = wide.logits.reduce((most, x, i) => Math.max(most, Math.abs(x - (narrow.logits[i] ?? Number.NaN))), 0);
  expect(worst).toBeLessThan(1e-3);
});
