import type { Tolerances } from '../compare.ts';
import { given, type LeafSpec, normal, type OpSpec, starts, uniform } from '../spec.ts';
import { LENGTHS, nameOf, POOLED, total } from './time.ts';

const TOLERANCES: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1e-11, maxAbs: 5e-5 } };

export const wkv6: readonly OpSpec[] = [
  ...LENGTHS.map((lengths) => line(nameOf(lengths, 'H=2,D=8'), lengths, 2, 8, perToken(2, 8))),
  line(nameOf([5, 2], 'H=2,D=64'), [5, 2], 2, 64, perToken(2, 64)),
  line(nameOf([3, 2], 'H=3,D=5'), [3, 2], 3, 5, perToken(3, 5)),
  line(nameOf([20], 'H=1,D=32'), [20], 1, 32, perToken(1, 32)),
  line('constant decay,H=2,D=8', [6, 0, 2], 2, 8, uniform([2, 8], -3, -0.001)),
  line('constant decay,H=2,D=64', [4, 1], 2, 64, uniform([2, 64], -3, -0.001)),
  line('decay underflows', [9, 4], 2, 4, given(['N', 2, 4], [-1e4, -0.1, -200, -0.001, -90, -1e4, -3])),
  line('no decay', [40], 1, 4, given(['N', 1, 4], [0])),
  ...POOLED.map(({ lengths, pool }): OpSpec => {
    return { ...line(nameOf(lengths, 'H=2,D=4', pool), lengths, 2, 4, perToken(2, 4)), pool };
  }),
  { ...line('constant decay, pooled', [2, 0, 3], 2, 4, uniform([2, 4], -3, 0)), pool: { slots: [3, 0, 1], size: 4 } },
];

function perToken(H: number, D: number): LeafSpec {
  return uniform(['N', H, D], -3, -0.001);
}

function line(name: string, lengths: readonly number[], H: number, D: number, lw: LeafSpec): OpSpec {
  const row = ['N', H, D];
  const inputs = {
    ...{ r: normal(row), lw, k: normal(row, 0.5), v: normal(row), u: normal([H, D]) },
    ...{ s0: normal(['S', H, D, D]), starts: starts(lengths) },
  };
  return { op: 'wkv6', name, sizes: { N: total(lengths), S: lengths.length }, inputs, tolerances: TOLERANCES };
}
