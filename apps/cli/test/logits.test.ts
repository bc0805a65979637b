import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { widen } from '@receptance/core';
import { afterAll, expect, test } from 'vitest';
import { golden, receptance } from './support/receptance.ts';

const folder = await mkdtemp(join(tmpdir(), 'receptance-'));
afterAll(() => rm(folder, { recursive: true }));

interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly numbers: Float64Array;
}

async function read(path: string): Promise<ReadonlyMap<string, Tensor>> {
  const file = await openCheckpointFile(path);
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape }] of file.tensors) {
    const numbers = new Float64Array(shape.reduce((product, size) => product * size, 1));
    widen(dtype, await file.read(name), numbers);
    tensors.set(name, { dtype, shape, numbers });
  }
  await file.close();
  return tensors;
}

test.each([
  ['rwkv7_l2_c64_state_v97', 'bf16.safetensors', 'reference', 1e-6],
  ['rwkv7_l2_c64_state_v97', 'bf16.safetensors', 'wasm', 2e-5],
  ['rwkv7_l2_c128_v97', 'pth', 'reference', 1e-6],
])('%s.%s on %s: the logits and the state of the golden file', async (model, format, backend, bound) => {
  const expected = await read(golden(`models/${model}.golden.safetensors`));
  const [tokens, out] = [join(folder, 'tokens.json'), join(folder, `${model}.${backend}.safetensors`)];
  await writeFile(tokens, JSON.stringify([...(expected.get('prompt')?.numbers ?? [])]));
  const file = golden(`models/${model}.${format}`);
  const args = ['--model', file, '--tokens', `@${tokens}`, '--backend', backend, '--out', out];
  const { status, stderr } = await receptance(['logits', ...args]);
  expect(stderr).toBe(`${out}: logits [48,97] and 6 tensors of the state\n`);
  expect(status).toBe(0);
  const written = await read(out);
  expect(written.size).toBe(7);
  for (const [name, { dtype, shape, numbers }] of written) {
    const want = expected.get(name);
    expect(dtype).toBe('f32');
    expect(shape, name).toEqual(want?.shape);
    const scale = numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
    const worst = numbers.reduce((most, x, i) => Math.max(most, Math.abs(x - (want?.numbers[i] ?? Number.NaN))), 0);
    expect(worst / scale, name).toBeLessThanOrEqual(bound);
  }
});

test('a file that cannot be written is an error', async () => {
  const out = join(folder, 'missing', 'out.safetensors');
  const { status, stderr } = await receptance(['logits', '--tokens', '1', '--out', out]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^error \[WRITE_FAILED\]: .*\nhint: .*\n$/);
});
