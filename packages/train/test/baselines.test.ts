import { reference } from '@receptance/backend-reference';
import { GraphBuilder, type TransformerOptions, transformer } from '@receptance/core';
import { expect, test } from 'vitest';
import { BASELINES } from '../src/index.ts';
import { baselineWeights } from '../src/weights/baseline.ts';
import { losses, small } from './support/small.ts';

const SIZE = { layers: 2, width: 32, headSize: 16, vocabularySize: 64, ffn: 64 };

test.each(BASELINES)('%s learns, and resumes to the bit', async (architecture) => {
  const options = { model: { architecture, ...SIZE, window: 4 }, steps: 40, sequences: 4 };
  const whole = await small(options);
  const all = await losses(whole);
  expect(all.at(-1)).toBeLessThan((all[0] ?? 0) - 0.5);
  await whole.close();
  const first = await small(options);
  await losses(first, 39);
  const second = await small({ ...options, resume: first.saved() });
  expect(await losses(second)).toEqual(all.slice(39));
  await Promise.all([first.close(), second.close()]);
});

const MIXINGS: readonly TransformerOptions[] = [
  { heads: 2 },
  { heads: 1, mixing: 'aftSimple' },
  { heads: 1, mixing: { aftLocal: 3 } },
];

test.each(MIXINGS)('texts side by side are as each alone: %o', async (options) => {
  const source = baselineWeights({ architecture: 'aft-local', ...SIZE, context: 12 }, 1);
  const model = transformer(source.tensors, options);
  const device = await reference().open();
  const logits = async (tokens: readonly number[], texts: number): Promise<number[]> => {
    const b = new GraphBuilder('logits');
    b.output('logits', model.logits(b, b.input('tokens', 'i32', [tokens.length]), texts));
    const graph = b.build();
    const executable = await device.compile(graph, await device.loadParameters(source, [graph]), {});
    const [input, output] = [device.alloc('i32', tokens.length), device.alloc('f32', 64 * tokens.length)];
    device.write(input, tokens);
    await device.run(executable, { sizes: {}, inputs: { tokens: input }, outputs: { logits: output } });
    return Array.from(await device.read(output));
  };
  const [one, other] = [
    [1, 2, 3, 4, 5, 6, 7, 8],
    [9, 8, 7, 6, 5, 4, 3, 2],
  ];
  const together = await logits([...one, ...other], 2);
  const alone = [...(await logits(one, 1)), ...(await logits(other, 1))];
  together.forEach((x, i) => {
    expect(x).toBeCloseTo(alone[i] ?? Number.NaN, 12);
  });
  await expect(logits([1, 2, 3], 2)).rejects.toThrow(/a text of 1.5 tokens/);
});

test('a baseline has no state to carry, and takes no adapters', async () => {
  const model = { architecture: 'transformer', ...SIZE } as const;
  await expect(small({ model, order: 'stream' })).rejects.toThrow(/no state to carry/);
  await expect(small({ model, train: 'state' })).rejects.toMatchObject({ code: 'NOT_TRAINABLE' });
});
