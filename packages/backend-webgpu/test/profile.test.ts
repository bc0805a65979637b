import { greedyGraph } from '@receptance/core';
import { expect, it } from 'vitest';
import { dispatchesOf, profile } from '../src/index.ts';
import { findAdapter, openDevice } from '../src/platform.ts';
import { filled, gpuSource, openModel, withoutTest } from './support.ts';

const SIZES = { N: 1, S: 1, R: 1 };

async function profileOf(gpu: GPUDevice) {
  const device = await withoutTest({ device: gpu }).open();
  const { weights, model } = await openModel('rwkv7_l2_c128_v97.safetensors');
  const graph = greedyGraph(model);
  const parameters = await device.loadParameters(weights, [graph], { limits: { Z: 1 } });
  const executable = await device.compile(graph, parameters, SIZES);
  const [tokens, starts] = [filled(device, 'i32', [3]), filled(device, 'i32', [0, 1])];
  const [slots, rows, next] = [filled(device, 'i32', [0]), filled(device, 'i32', [0]), device.alloc('i32', 1)];
  const bindings = { sizes: SIZES, inputs: { tokens, starts, slots, rows }, outputs: { next } };
  const planned = dispatchesOf(device, weights, graph, { ...SIZES, Z: 1 });
  const found = await profile(device, executable, bindings, 3);
  const profiled = await device.read(next);
  // The same token as a run chooses from the start of a text.
  for (const variable of parameters.variables.values()) device.write(variable, new Float32Array(variable.elements));
  await device.run(executable, bindings);
  const chosen = await device.read(next);
  await device.close();
  return { found, planned, profiled, chosen, weights };
}

it('every dispatch of a step is timed, with what it moves', async () => {
  const gpu = await openDevice(await findAdapter(gpuSource));
  const { found, planned, profiled, chosen, weights } = await profileOf(gpu);
  gpu.destroy();
  const { dispatches, roofline } = found;
  expect(dispatches.map(({ scope, op, workgroups }) => ({ scope, op, workgroups }))).toEqual(
    planned.map(({ scope, op, workgroups }) => ({ scope, op, workgroups })),
  );
  expect(dispatches.every(({ milliseconds, bytes }) => milliseconds >= 0 && bytes > 0)).toBe(true);
  expect(dispatches.some(({ milliseconds }) => milliseconds > 0)).toBe(true);
  // A token reads every matrix but the embedding once; beside them go vectors, states and activations.
  const matrices = [...weights.tensors].filter(([name, { shape }]) => shape.length === 2 && name !== 'emb.weight');
  const least = matrices.reduce((sum, [, { bytes }]) => sum + bytes, 0);
  const moved = dispatches.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(moved / least).toBeGreaterThan(1);
  expect(moved / least).toBeLessThan(1.6);
  expect(roofline.bytesPerSecond).toBeGreaterThan(0);
  expect(roofline.flopsPerSecond).toBeGreaterThan(0);
  expect(profiled[0]).toBeGreaterThanOrEqual(0);
  expect(chosen[0]).toBeLessThan(97);
});

it('says so where the device has no timestamps', async () => {
  const gpu = await (await findAdapter(gpuSource)).requestDevice();
  await expect(profileOf(gpu)).rejects.toMatchObject({
    code: 'NO_TIMESTAMPS',
    hint: expect.stringContaining('timestamp-query'),
  });
  gpu.destroy();
});
