import type { Tolerances } from '../compare.ts';
import { given, type LeafSpec, normal, type OpSpec, starts, uniform } from '../spec.ts';
import { LENGTHS, nameOf, total } from './time.ts';

const TOLERANCES: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1e-10, maxAbs: 1e-4 } };

export const wkv6Grad: readonly OpSpec[] = [
  ...LENGTHS.map((lengths) => line(nameOf(lengths, 'H=2,D=8'), lengths, 2, 8, uniform(['N', 2, 8], -3, -0.001))),
  line(nameOf([5, 2], 'H=2,D=64'), [5, 2], 2, 64, uniform(['N', 2, 64], -3, -0.001)),
  line('constant decay', [6, 0, 2], 2, 8, uniform([2, 8], -3, -0.001)),
  line('decay underflows', [9, 4], 2, 4, given(['N', 2, 4], [-1e4, -0.1, -200, -0.001, -90, -1e4, -3])),
];

function line(name: string, lengths: readonly number[], H: number, D: number, lw: LeafSpec): OpSpec {
  const row = ['N', H, D];
  const inputs = {
    ...{ r: normal(row), lw, k: normal(row, 0.5), v: normal(row), u: normal([H, D]), s0: normal(['S', H, D, D]) },
    ...{ starts: starts(lengths), gy: normal(row), gs: normal(['S', H, D, D]) },
  };
  return { op: 'wkv6Grad', name, sizes: { N: total(lengths), S: lengths.length }, inputs, tolerances: TOLERANCES };
}
