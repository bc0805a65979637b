import { reference } from '@receptance/backend-reference';
import { GraphBuilder, transformer } from '@receptance/core';
import { baselineWeights } from '@receptance/train';
import { expect, test } from 'vitest';
import { aftStateSize, aftStep } from '../src/baseline/aft.ts';
import { transformerTensors } from '../src/baseline/transformer.ts';
import { randomSource } from '../src/models/random-weights.ts';

const SIZE = { layers: 2, width: 8, ffn: 16, vocabulary: 12 };
const TOKENS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3];
const LENGTH = TOKENS.length;
/** Weight of a token that is `distance` before: what the table of all pairs of places holds in every layer. */
const weightAt = (distance: number): number => 0.25 * distance - 0.5;

/** Random weights, and the tensors that only the whole model has: places that say nothing, and position weights. */
function weights() {
  const plain = randomSource('aft', transformerTensors({ ...SIZE, headSize: SIZE.width }));
  const { layers, width, vocabulary: vocabularySize } = SIZE;
  const config = { architecture: 'aft-local', layers, width, ffn: SIZE.ffn, vocabularySize, context: LENGTH } as const;
  const { tensors } = baselineWeights(config, 0);
  const table = Float32Array.from({ length: LENGTH ** 2 }, (_, at) =>
    weightAt(Math.floor(at / LENGTH) - (at % LENGTH)),
  );
  return {
    tensors,
    read: async (name: string, range?: { start: number; end: number }) => {
      if (plain.tensors.has(name)) return plain.read(name, range);
      const numbers = name.endsWith('position') ? table : new Float32Array((tensors.get(name)?.bytes ?? 0) / 4);
      return new Uint8Array(numbers.buffer).slice(range?.start ?? 0, range?.end ?? numbers.byteLength);
    },
  };
}

async function wholeText(window: number | undefined): Promise<number[]> {
  const device = await reference().open();
  const source = weights();
  const b = new GraphBuilder('whole');
  const mixing = window === undefined ? 'aftSimple' : { aftLocal: window };
  const model = transformer(source.tensors, { heads: 1, mixing });
  b.output('logits', model.logits(b, b.input('tokens', 'i32', [LENGTH])));
  const graph = b.build();
  const executable = await device.compile(graph, await device.loadParameters(source, [graph]), {});
  const [tokens, logits] = [device.alloc('i32', LENGTH), device.alloc('f32', LENGTH * SIZE.vocabulary)];
  device.write(tokens, TOKENS);
  await device.run(executable, { sizes: {}, inputs: { tokens }, outputs: { logits } });
  const made = Array.from(await device.read(logits));
  await device.close();
  return made;
}

async function stepByStep(window: number | undefined): Promise<number[]> {
  const device = await reference().open();
  const graph = aftStep({ ...SIZE, window }, 'logits');
  const executable = await device.compile(graph, await device.loadParameters(weights(), [graph]), {});
  const [tokens, logits] = [device.alloc('i32', 1), device.alloc('f32', SIZE.vocabulary)];
  const size = window ?? 1;
  const ring = { place: device.alloc('i32', 1), near: device.alloc('f32', size), leaving: device.alloc('f32', 1) };
  const made: number[] = [];
  for (const [t, token] of TOKENS.entries()) {
    device.write(tokens, [token]);
    device.write(ring.place, [t % size]);
    // A place holds the latest token that came to it.
    const near = Array.from({ length: size }, (_, place) => t - ((t - place + size) % size));
    device.write(
      ring.near,
      near.map((i) => (i < 0 ? -1e30 : weightAt(t - i))),
    );
    device.write(ring.leaving, [t >= size ? 1 : 0]);
    const inputs = { tokens, ...(window === undefined ? {} : ring) };
    await device.run(executable, { sizes: {}, inputs, outputs: { logits } });
    made.push(...(await device.read(logits)));
  }
  await device.close();
  return made;
}

test.each([undefined, 1, 3, 16])('a window of %s: token by token as the whole text', async (window) => {
  const [whole, steps] = [await wholeText(window), await stepByStep(window)];
  expect(steps).toHaveLength(whole.length);
  steps.forEach((x, i) => {
    expect(x).toBeCloseTo(whole[i] ?? Number.NaN, 10);
  });
});

test('the sums and the window are all that is kept', () => {
  for (const window of [undefined, 4]) {
    const { updates } = aftStep({ ...SIZE, window });
    const numbers = Object.values(updates).reduce((sum, { shape }) => sum + Number(shape[0]) * Number(shape[1]), 0);
    expect(aftStateSize({ ...SIZE, window })).toBe(numbers);
  }
});
