import type { DType } from '@receptance/core';
import type { Tolerances } from '../compare.ts';
import { type LeafSpec, normal, type OpSpec, starts, uniform, weight } from '../spec.ts';
import { nameOf, POOLED, total } from './time.ts';

const TOLERANCES: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1e-10, maxAbs: 5e-5 } };

const LENGTHS = [[1], [1, 1, 1], [3, 0, 1, 4], [0, 0], [17]];

export const lerp: readonly OpSpec[] = [0, 1, 5].map((N) => {
  const inputs = { x: normal(['N', 9]), shifted: normal(['N', 9]), mix: uniform([9], -0.5, 1.5) };
  return { op: 'lerp', name: `N=${N},C=9`, sizes: { N }, inputs };
});

export const lora: readonly OpSpec[] = (['none', 'tanh', 'sigmoid'] as const).flatMap((fn) =>
  [true, false].flatMap((withBias) =>
    [0, 1, 6].map((N): OpSpec => {
      const weights = { w1: weight(normal([12, 5], 0.5)), w2: weight(normal([5, 9], 0.5)) };
      const inputs = { x: normal(['N', 12]), ...weights, ...(withBias ? { bias: normal([9]) } : {}) };
      return { op: 'lora', name: `${fn},N=${N}${withBias ? '' : ',no bias'}`, attrs: { fn }, sizes: { N }, inputs };
    }),
  ),
);

export const reluSquared: readonly OpSpec[] = [
  ...[0, 1, 5].map(
    (N): OpSpec => ({ op: 'reluSquared', name: `N=${N},C=9`, sizes: { N }, inputs: { x: normal(['N', 9]) } }),
  ),
  { op: 'reluSquared', name: 'scalar', inputs: { x: uniform([], 0.5, 2) } },
];

const MIXES = ['x_r', 'x_w', 'x_k', 'x_v', 'x_a', 'x_g'] as const;

function mixes(C: number): Record<string, LeafSpec> {
  return Object.fromEntries(MIXES.map((name) => [name, weight(uniform([C], 0, 1))]));
}

function timed(op: string, name: string, lengths: readonly number[], inputs: OpSpec['inputs']): OpSpec {
  return { op, name, sizes: { N: total(lengths), S: lengths.length }, inputs, tolerances: TOLERANCES };
}

/** Plain for each of `LENGTHS`, and on a pool for each of `POOLED`. */
function everyWay(make: (lengths: readonly number[], pool?: OpSpec['pool']) => OpSpec): OpSpec[] {
  return [
    ...LENGTHS.map((lengths) => make(lengths)),
    ...POOLED.map(({ lengths, pool }): OpSpec => ({ ...make(lengths, pool), pool })),
  ];
}

export const shiftMix7: readonly OpSpec[] = everyWay((lengths, pool) =>
  timed('shiftMix7', nameOf(lengths, 'C=10', pool), lengths, {
    ...{ x: normal(['N', 10]), prev: normal(['S', 10]), starts: starts(lengths) },
    ...mixes(10),
  }),
);

export const gatedNorm7: readonly OpSpec[] = [
  { N: 1, H: 1, D: 8 },
  { N: 5, H: 3, D: 4 },
  { N: 2, H: 2, D: 64 },
  { N: 0, H: 2, D: 4 },
].map(({ N, H, D }) => {
  const row = ['N', H * D];
  const inputs = {
    ...{ y: normal(row), r: normal(row), k: normal(row), v: normal(row), g: normal(row), r_k: weight(normal([H, D])) },
    ...{ w: weight(normal([H * D])), b: weight(normal([H * D])) },
  };
  const attrs = { eps: 64e-5 };
  return { op: 'gatedNorm7', name: `N=${N},H=${H},D=${D}`, attrs, sizes: { N }, inputs, tolerances: TOLERANCES };
});

/** A matrix as large models have it: rows of about unit length. */
function matrix(rows: number, columns: number, dtype: DType = 'f32'): LeafSpec {
  return weight(normal([rows, columns], columns ** -0.5), dtype);
}

function timeMixSpec(
  lengths: readonly number[],
  { H, D, first, dtype = 'f32' }: { H: number; D: number; first: boolean; dtype?: DType },
  pool?: OpSpec['pool'],
): OpSpec {
  const C = H * D;
  const vector = (scale = 1): LeafSpec => weight(normal([C], scale));
  const residual = {
    ...{ vFirst: normal(['N', C]), v0: vector(), v1: weight(normal([C, 3], 0.3)), v2: weight(normal([3, C], 0.5)) },
  };
  const name = nameOf(lengths, `H=${H},D=${D}${first ? ',first layer' : ''},${dtype}`, pool);
  const spec = timed('timeMix7', name, lengths, {
    ...{ x: normal(['N', C]), prev: normal(['S', C]), s0: normal(['S', H, D, D], 0.5), starts: starts(lengths) },
    ...mixes(C),
    ...{
      receptance: matrix(C, C, dtype),
      key: matrix(C, C, dtype),
      value: matrix(C, C, dtype),
      output: matrix(C, C, dtype),
    },
    ...{ w0: vector(), w1: weight(normal([C, 5], 0.3)), w2: weight(normal([5, C], 0.5)) },
    ...{ a0: vector(), a1: weight(normal([C, 6], 0.3)), a2: weight(normal([6, C], 0.5)) },
    ...{ g1: weight(normal([C, 7], 0.3)), g2: weight(normal([7, C], 0.5)), k_k: vector(), k_a: vector(0.5) },
    ...{ r_k: weight(normal([H, D], 0.3)), ln_x_w: vector(), ln_x_b: vector(0.1) },
    ...(first ? {} : residual),
  });
  return { ...spec, attrs: { eps: 64e-5 } };
}

export const timeMix7: readonly OpSpec[] = [
  ...everyWay((lengths, pool) => timeMixSpec(lengths, { H: 2, D: 8, first: false }, pool)),
  ...everyWay((lengths, pool) => timeMixSpec(lengths, { H: 2, D: 4, first: true }, pool)),
  timeMixSpec([3, 2], { H: 3, D: 5, first: false }),
  timeMixSpec([3, 1], { H: 1, D: 64, first: false, dtype: 'bf16' }),
  timeMixSpec([3, 1], { H: 2, D: 32, first: false, dtype: 'q8_0' }),
];

export const channelMix7: readonly OpSpec[] = [
  ...everyWay((lengths, pool) => channelMixSpec(lengths, 10, 14, 'f32', pool)),
  channelMixSpec([2, 1], 33, 20),
  channelMixSpec([2, 1], 32, 64, 'q8_0'),
  channelMixSpec([4], 32, 64, 'f16'),
];

function channelMixSpec(
  lengths: readonly number[],
  C: number,
  F: number,
  dtype: DType = 'f32',
  pool?: OpSpec['pool'],
): OpSpec {
  return timed('channelMix7', nameOf(lengths, `C=${C},F=${F},${dtype}`, pool), lengths, {
    ...{ x: normal(['N', C]), prev: normal(['S', C]), starts: starts(lengths) },
    ...{ x_k: weight(uniform([C], 0, 1)), key: matrix(F, C, dtype), value: matrix(C, F, dtype) },
  });
}
