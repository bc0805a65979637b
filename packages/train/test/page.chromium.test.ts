import { wasm } from '@receptance/backend-wasm';
import { webgpu } from '@receptance/backend-webgpu';
import type { Backend } from '@receptance/core';
import { expect, test } from 'vitest';
import { type Architecture, safetensorsBytes } from '../src/index.ts';
import { losses, overflowing, SMALL, sameBytes, small } from './support/small.ts';

const STEPS = 40;

function lossesOn(backend: Backend, architecture: Architecture): Promise<number[]> {
  const model = { ...SMALL, architecture, layers: 1 };
  const options = { backend, model, steps: STEPS, length: 16, schedule: { rate: 5e-3, warmup: 4 } };
  return small(options).then(async (trainer) => {
    const all = await losses(trainer);
    await trainer.close();
    return all;
  });
}

test.each(['rwkv4', 'rwkv7'] as const)('a page trains %s on WebGPU as on WASM', async (architecture) => {
  const [gpu, cpu] = [await lossesOn(webgpu(), architecture), await lossesOn(wasm(), architecture)];
  expect(gpu).toHaveLength(STEPS);
  expect(cpu.at(-1)).toBeLessThan((cpu[0] ?? 0) - 0.5);
  for (const [i, loss] of gpu.entries()) {
    const want = cpu[i] ?? Number.NaN;
    expect(Math.abs(loss - want) / want, `step ${i + 1}: ${loss} on WebGPU, ${want} on WASM`).toBeLessThan(0.01);
  }
});

test('on WebGPU too, a gradient that is no number leaves the weights as they were', async () => {
  const trainer = await small({ backend: webgpu(), model: overflowing() });
  const before = await safetensorsBytes(trainer.weights());
  await expect(trainer.next()).rejects.toThrow(/step 1: the gradient of \S+ is not finite/);
  expect(sameBytes(await safetensorsBytes(trainer.weights()), before)).toBe(true);
  await trainer.close();
});
