import type { Tolerances } from '../compare.ts';
import { given, type LeafSpec, normal, type OpSpec, starts, uniform } from '../spec.ts';
import { LENGTHS, nameOf, total } from './time.ts';

const TOLERANCES: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1e-9, maxAbs: 1e-4 } };

export const wkv4Grad: readonly OpSpec[] = [
  ...LENGTHS.map((lengths) => line(nameOf(lengths, 'C=9'), lengths, 9)),
  line('|k|=1e3', [6, 2], 8, { k: given(['N', 8], [1e3, -1e3, 999, -7, 0, 1e3, -998, 3, -1e3]) }),
  line('from the start of a text', [4, 1], 6, {
    pp0: given(['S', 6], [-1e30]),
    aa0: given(['S', 6], [0]),
    bb0: given(['S', 6], [0]),
  }),
];

function line(
  name: string,
  lengths: readonly number[],
  C: number,
  other: Readonly<Partial<Record<'k' | 'aa0' | 'bb0' | 'pp0', LeafSpec>>> = {},
): OpSpec {
  const inputs = {
    ...{ w: uniform([C], -3, -0.01), u: normal([C]), k: normal(['N', C], 2), v: normal(['N', C]) },
    ...{ aa0: normal(['S', C]), bb0: uniform(['S', C], 0.5, 3), pp0: normal(['S', C]), starts: starts(lengths) },
    ...{ gy: normal(['N', C]), gaa: normal(['S', C]), gbb: normal(['S', C]), gpp: normal(['S', C]) },
    ...other,
  };
  return { op: 'wkv4Grad', name, sizes: { N: total(lengths), S: lengths.length }, inputs, tolerances: TOLERANCES };
}
