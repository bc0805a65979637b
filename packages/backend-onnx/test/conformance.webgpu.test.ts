import { goldenFiles } from '@receptance/conformance/node';
import { conformance } from '@receptance/conformance/vitest';
import { type DeviceBuffer, GraphBuilder } from '@receptance/core';
import { expect, test } from 'vitest';
import { onnx } from '../src/index.ts';
import { codeOf, compileAlone } from './support.ts';

// A software GPU takes minutes for all of it. What is here must not leave the GPU: the CPU is no fallback.
const golden = (await goldenFiles()).filter(({ name }) =>
  /models\/rwkv7_l2_c128_v97\.(golden\.)?safetensors/.test(name),
);

conformance(onnx({ provider: 'webgpu' }), {
  golden,
  only: ['binary/f32/', 'layerNorm/f32/N=', 'golden/greedy/'],
  require: ['*'],
});

test('what would have to leave the GPU is refused', async () => {
  const device = await onnx({ provider: 'webgpu' }).open();
  const b = new GraphBuilder('sample');
  const inputs = { logits: b.input('logits', 'f32', ['R', 5]), parameters: b.input('parameters', 'f32', ['R', 8]) };
  const drawn = b.add('sample', {
    ...inputs,
    counts: b.input('counts', 'f32', ['R', 5]),
    u: b.input('u', 'f32', ['R']),
  });
  b.output('token', drawn.token);
  const executable = await compileAlone(device, b.build(), { R: 1 });
  const buffer = (elements: number): DeviceBuffer => device.alloc('f32', elements);
  const given = { logits: buffer(5), parameters: buffer(8), counts: buffer(5), u: buffer(1) };
  const run = { sizes: { R: 1 }, inputs: given, outputs: { token: device.alloc('i32', 1) } };
  expect(await codeOf(() => device.run(executable, run))).toBe('UNSUPPORTED_OP');
  await device.close();
});
