import { detectModel, readWidened, type WeightSource } from '@receptance/core';
import { expect, test } from 'vitest';
import { ARCHITECTURES, initialWeights } from '../src/index.ts';
import { openGolden } from './support/golden.ts';

async function numbers(source: WeightSource, name: string): Promise<Float64Array> {
  const shape = source.tensors.get(name)?.shape ?? [];
  const out = new Float64Array(shape.reduce((product, size) => product * size, 1));
  await readWidened(source, name, out);
  return out;
}

const GOLDEN = {
  rwkv4: 'rwkv4_l3_c64_v97',
  rwkv5: 'rwkv5_l2_c128_v97',
  rwkv6: 'rwkv6_l2_c128_v97',
  rwkv7: 'rwkv7_l2_c128_v97',
};

test.each(ARCHITECTURES)('%s has the tensors and shapes of an official checkpoint', async (architecture) => {
  const golden = await openGolden(`${GOLDEN[architecture]}.safetensors`);
  const shapeOf = (name: string): readonly number[] => golden.tensors.get(name)?.shape ?? [];
  const [vocabularySize = 0, width = 0] = shapeOf('emb.weight');
  const [ffn = 0] = shapeOf('blocks.0.ffn.key.weight');
  const at = (name: string): number => shapeOf(`blocks.1.att.${name}`)[1] ?? 1;
  const ranks =
    architecture === 'rwkv7'
      ? { decay: at('w1'), rate: at('a1'), value: at('v1'), gate: at('g1') }
      : { decay: at('time_decay_w1'), mix: at('time_maa_w1') / 5 };
  const { layers } = detectModel(golden.tensors);
  const config = {
    architecture,
    layers,
    width,
    vocabularySize,
    ffn,
    ...(architecture !== 'rwkv4' && architecture !== 'rwkv5' && { ranks }),
  };
  const made = initialWeights(config, 1);
  const shapes = (source: WeightSource) =>
    Object.fromEntries(
      [...source.tensors]
        .filter(([name]) => !/^blocks\.0\.att\.v[012]$/.test(name))
        .map(([name, { shape }]) => [name, shape])
        .sort(),
    );
  expect(shapes(made)).toEqual(shapes(golden));
  await golden.close();
  const again = initialWeights(config, 1);
  for (const name of made.tensors.keys()) expect(await again.read(name)).toEqual(await made.read(name));
});

test.each(['rwkv5', 'rwkv6', 'rwkv7'] as const)('%s may have a single head', (architecture) => {
  const { tensors } = initialWeights({ architecture, layers: 1, width: 64, vocabularySize: 97 }, 1);
  const { state } = detectModel(tensors);
  expect(state.find(({ name }) => name.endsWith('att_kv'))?.shape).toEqual([1, 64, 64]);
});

test('the head is orthogonal with its gain; the embedding is tiny; what leaves a block is 0', async () => {
  const made = initialWeights({ architecture: 'rwkv7', layers: 2, width: 64, vocabularySize: 256 }, 1);
  const head = await numbers(made, 'head.weight');
  const product = (i: number, j: number): number => {
    let sum = 0;
    for (let row = 0; row < 256; row++) sum += (head[row * 64 + i] ?? 0) * (head[row * 64 + j] ?? 0);
    return sum;
  };
  for (const [i, j] of [
    [0, 0],
    [63, 63],
    [0, 1],
    [5, 62],
  ] as const)
    expect(product(i, j)).toBeCloseTo(i === j ? 1 : 0, 5);
  const embedding = await numbers(made, 'emb.weight');
  expect(Math.max(...embedding)).toBeLessThanOrEqual(1e-4);
  expect(Math.max(...embedding)).toBeGreaterThan(9e-5);
  expect((await numbers(made, 'blocks.1.att.output.weight')).every((x) => x === 0)).toBe(true);
  const speeds = await numbers(made, 'blocks.1.att.w0');
  expect(speeds[0]).toBeCloseTo(-6 + 0.5 - 2.5, 5);
  expect(speeds[63]).toBeCloseTo(0 + 0.5 + 2.5, 5);
});

test('sizes that make no model are refused', () => {
  const config = { architecture: 'rwkv7', layers: 1, width: 64, vocabularySize: 9 } as const;
  expect(() => initialWeights({ ...config, headSize: 48 }, 0)).toThrow(/heads of 48 do not make a width of 64/);
  expect(() => initialWeights({ ...config, layers: 0 }, 0)).toThrow(/layers is 0/);
});
