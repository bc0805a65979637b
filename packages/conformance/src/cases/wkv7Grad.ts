import type { Tolerances } from '../compare.ts';
import { given, type LeafSpec, normal, type OpSpec, starts, uniform } from '../spec.ts';
import { LENGTHS, nameOf, total } from './time.ts';

const TOLERANCES: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1e-10, maxAbs: 1e-4 } };

export const wkv7Grad: readonly OpSpec[] = [
  ...LENGTHS.map((lengths) => line(nameOf(lengths, 'H=2,D=8'), lengths, 2, 8)),
  line(nameOf([5, 2], 'H=2,D=64'), [5, 2], 2, 64),
  line(nameOf([3, 2], 'H=3,D=5'), [3, 2], 3, 5),
  line('decay underflows', [9, 4], 2, 4, given(['N', 2, 4], [-1e4, -0.1, -200, -0.001, -90, -1e4, -3])),
];

function line(
  name: string,
  lengths: readonly number[],
  H: number,
  D: number,
  lw: LeafSpec = uniform(['N', H, D], -0.6065, -0.001),
): OpSpec {
  const row = ['N', H, D];
  const inputs = {
    ...{ r: normal(row), lw, k: normal(row, 0.5), v: normal(row) },
    ...{ a: normal(row, D ** -0.5), b: normal(row, 0.5 * D ** -0.5), s0: normal(['S', H, D, D]) },
    ...{ starts: starts(lengths), gy: normal(row), gs: normal(['S', H, D, D]) },
  };
  return { op: 'wkv7Grad', name, sizes: { N: total(lengths), S: lengths.length }, inputs, tolerances: TOLERANCES };
}
