import type { Tolerances } from '../compare.ts';
import { given, type LeafSpec, normal, type OpSpec, starts, uniform } from '../spec.ts';
import { LENGTHS, nameOf, POOLED, total } from './time.ts';

const TOLERANCES: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1e-11, maxAbs: 5e-5 } };

export const wkv7: readonly OpSpec[] = [
  ...LENGTHS.map((lengths) => line(nameOf(lengths, 'H=2,D=8'), lengths, 2, 8)),
  line(nameOf([5, 2], 'H=2,D=64'), [5, 2], 2, 64),
  line(nameOf([3, 2], 'H=3,D=5'), [3, 2], 3, 5),
  line(nameOf([20], 'H=1,D=32'), [20], 1, 32),
  line('decay underflows', [9, 4], 2, 4, { lw: given(['N', 2, 4], [-1e4, -0.1, -200, -0.001, -90, -1e4, -3]) }),
  line('nothing removed', [9, 4], 2, 4, { a: given(['N', 2, 4], [0]) }),
  line('no decay', [40], 1, 4, { lw: given(['N', 1, 4], [0]) }),
  ...POOLED.map(({ lengths, pool }): OpSpec => ({ ...line(nameOf(lengths, 'H=2,D=4', pool), lengths, 2, 4), pool })),
];

function line(
  name: string,
  lengths: readonly number[],
  H: number,
  D: number,
  other: Readonly<Partial<Record<'lw' | 'a', LeafSpec>>> = {},
): OpSpec {
  const row = ['N', H, D];
  const inputs = {
    ...{ r: normal(row), lw: uniform(row, -0.6065, -0.001), k: normal(row, 0.5), v: normal(row) },
    ...{
      a: normal(row, D ** -0.5),
      b: normal(row, 0.5 * D ** -0.5),
      s0: normal(['S', H, D, D]),
      starts: starts(lengths),
    },
    ...other,
  };
  return { op: 'wkv7', name, sizes: { N: total(lengths), S: lengths.length }, inputs, tolerances: TOLERANCES };
}
