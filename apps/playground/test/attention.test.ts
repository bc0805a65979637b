/** What the pictures are drawn from, held against results from outside. */
import { fileURLToPath } from 'node:url';
import { reference } from '@receptance/backend-reference';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { widen } from '@receptance/core';
import { loadFile } from 'receptance/node';
import { describe, expect, test } from 'vitest';
import {
  aftConvWeights,
  aftFullWeights,
  aftLocalWeights,
  aftSimpleWeights,
  chunked,
  convolution,
  examples,
  largestDifference,
  parallel,
  recurrent,
  rwkvWeights,
  softmaxWeights,
} from '../src/ideas/family.ts';
import { halfLives, impliedAttention, softmaxAttention } from '../src/inside/attention.ts';
import { headCount, headOf, states } from '../src/inside/layer-memory.ts';

const golden = (path: string): string =>
  fileURLToPath(new URL(`../../../packages/conformance/golden/${path}.safetensors`, import.meta.url));

async function tensors(path: string): Promise<(name: string) => Float64Array> {
  const file = await openCheckpointFile(golden(path));
  const read = new Map<string, Float64Array>();
  for (const [name, { dtype, shape }] of file.tensors) {
    const numbers = new Float64Array(shape.reduce((product, size) => product * size, 1));
    widen(dtype, await file.read(name), numbers);
    read.set(name, numbers);
  }
  await file.close();
  return (name) => read.get(name) ?? new Float64Array(0);
}

const MODELS = ['rwkv4_l3_c64_v97', 'rwkv5_l2_c128_v97', 'rwkv6_l2_c128_v97', 'rwkv7_l2_c128_v97'] as const;

describe.each(MODELS)('%s', (name) => {
  test('states and implied attention are those of the model', async () => {
    const expected = await tensors(`models/${name}.golden`);
    const model = await loadFile(golden(`models/${name}`), { backend: reference() });
    const trace = await model.trace([...expected('prompt')], { layer: 1 });
    await model.close();
    const length = trace.tokens.length;
    for (let number = 0; number < headCount(trace); number++) {
      const head = headOf(trace, number);
      const all = [...states(head)];
      expect(all).toHaveLength(length);
      const last = all.at(-1) ?? new Float64Array(0);
      const [kv, aa, bb] = ['att_kv', 'att_aa', 'att_bb'].map((entry) => expected(`state.1.${entry}`));
      const wanted =
        head.op === 'wkv4'
          ? aa?.map((x, c) => x / (bb?.[c] ?? 1))
          : kv?.subarray(number * last.length, (number + 1) * last.length);
      expect(largestDifference(last, wanted ?? new Float64Array(0))).toBeLessThan(1e-4);

      const attention = impliedAttention(head);
      expect(attention).toHaveLength(length * length);
      // What attention says is read is what the state says: from the matrix of weights, and from the memory itself.
      if (head.op !== 'wkv4')
        expect(largestDifference(readBy(attention, head), readFrom(all, head))).toBeLessThan(1e-9);
      else for (let t = 0; t < length; t++) expect(rowSum(attention, t, length)).toBeCloseTo(1, 9);
      const softmax = softmaxAttention(head);
      for (let t = 0; t < length; t++) expect(rowSum(softmax, t, length)).toBeCloseTo(1, 9);
      const lives = halfLives(head);
      expect(lives.every((life, i) => life > 0 && life >= (lives[i - 1] ?? 0))).toBe(true);
    }
  });
});

type Head = ReturnType<typeof headOf>;

function readBy(attention: Float64Array, { length, size, at }: Head): Float64Array {
  return Float64Array.from({ length: length * size }, (_, place) => {
    const [t, row] = [Math.floor(place / size), place % size];
    let y = 0;
    for (let i = 0; i <= t; i++) y += (attention[t * length + i] ?? 0) * at('v', i, row);
    return y;
  });
}

/** RWKV-7 reads after the update; 5 and 6 before it, with a bonus for the token itself. */
function readFrom(all: readonly Float64Array[], { op, length, size, at }: Head): Float64Array {
  return Float64Array.from({ length: length * size }, (_, place) => {
    const [t, j] = [Math.floor(place / size), place % size];
    let y = 0;
    for (let d = 0; d < size; d++) {
      if (op === 'wkv7') y += (all[t]?.[j * size + d] ?? 0) * at('r', t, d);
      else y += at('r', t, d) * ((all[t - 1]?.[d * size + j] ?? 0) + at('u', t, d) * at('k', t, d) * at('v', t, j));
    }
    return y;
  });
}

function rowSum(matrix: Float64Array, t: number, length: number): number {
  return matrix.subarray(t * length, (t + 1) * length).reduce((sum, x) => sum + x, 0);
}

test('the family weighs as was computed outside', async () => {
  const of = await tensors('ops/aft_causal1_seed0');
  const [length, width] = [16, 8];
  const channel = (name: string, c: number): Float64Array =>
    Float64Array.from({ length }, (_, t) => of(name)[t * width + c] ?? 0);
  for (let c = 0; c < width; c++) {
    const [q, k, v] = ['in.q', 'in.k', 'in.v'].map((name) => channel(name, c));
    if (q === undefined || k === undefined || v === undefined) throw new Error('no inputs');
    // The kernel for causal distances 0, 1, …: the second half of what was learned for both sides.
    const f = of('in.conv_w').subarray(Math.floor(c / 4) * 7 + 3, Math.floor(c / 4) * 7 + 7);
    const cases = {
      aft_full: aftFullWeights(k, of('in.w')),
      aft_local_s4: aftLocalWeights(k, of('in.w'), 4),
      aft_conv: aftConvWeights(k, f),
      aft_simple: aftSimpleWeights(k),
    };
    for (const [name, weights] of Object.entries(cases)) {
      const y = parallel(weights, v).map((value, t) => value / (1 + Math.exp(-(q[t] ?? 0))));
      expect(largestDifference(y, channel(`out.${name}`, c)), `${name}, channel ${c}`).toBeLessThan(1e-12);
    }
  }
});

test('RWKV-4 is one function in four forms, also where e^k overflows', () => {
  const [keys, values] = [examples(50, 1, (x) => 3 * x), examples(50, 2, (x) => x)];
  for (const [d, u] of [
    [0, 0],
    [0.3, 2],
    [5, -1],
  ] as const) {
    const wanted = parallel(rwkvWeights(keys, d, u), values);
    expect(largestDifference(recurrent(keys, values, d, u), wanted)).toBeLessThan(1e-12);
    expect(largestDifference(convolution(keys, values, d, u), wanted)).toBeLessThan(1e-12);
    for (const size of [1, 7, 16, 64])
      expect(largestDifference(chunked(keys, values, d, u, size), wanted)).toBeLessThan(1e-12);
  }
  const huge = keys.map((k) => 400 * k);
  const wanted = parallel(rwkvWeights(huge, 0.3, 2), values);
  expect(largestDifference(recurrent(huge, values, 0.3, 2), wanted)).toBeLessThan(1e-12);
  expect(largestDifference(chunked(huge, values, 0.3, 2, 16), wanted)).toBeLessThan(1e-12);
  expect(softmaxWeights(huge, huge).every(Number.isFinite)).toBe(true);
});
