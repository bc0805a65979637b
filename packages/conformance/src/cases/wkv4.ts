import type { Tolerances } from '../compare.ts';
import { given, type LeafSpec, normal, type OpSpec, starts, uniform } from '../spec.ts';
import { LENGTHS, nameOf, POOLED, total } from './time.ts';

const TOLERANCES: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1e-10, maxAbs: 5e-5 } };

export const wkv4: readonly OpSpec[] = [
  ...LENGTHS.map((lengths) => line(nameOf(lengths, 'C=9'), lengths, 9)),
  line(nameOf([5, 2], 'C=64'), [5, 2], 64),
  line('from the start of a text', [4, 1], 6, {
    pp0: given(['S', 6], [-1e30]),
    aa0: given(['S', 6], [0]),
    bb0: given(['S', 6], [0]),
  }),
  line('|k|=1e3', [9, 3], 8, {
    k: given(['N', 8], [1e3, -1e3, 999, -7, 0, 1e3, -998, 3, -1e3]),
    ...{ pp0: given(['S', 8], [-1e30]), aa0: given(['S', 8], [0]), bb0: given(['S', 8], [0]) },
  }),
  line('|k|=1e3 on a state', [6], 8, { k: given(['N', 8], [1e3, -1e3, 5, -998, 1e3]) }),
  line('no decay', [12], 6, { w: given([6], [0, -1e-7]) }),
  line('decay underflows', [12], 6, { w: given([6], [-1e4, -200, -90]) }),
  ...POOLED.map(({ lengths, pool }): OpSpec => ({ ...line(nameOf(lengths, 'C=6', pool), lengths, 6), pool })),
];

/** wkv4 at its places, with some inputs other than usual. */
function line(
  name: string,
  lengths: readonly number[],
  C: number,
  other: Readonly<Partial<Record<'w' | 'k' | 'aa0' | 'bb0' | 'pp0', LeafSpec>>> = {},
): OpSpec {
  const inputs = {
    ...{ w: uniform([C], -3, -0.01), u: normal([C]), k: normal(['N', C], 2), v: normal(['N', C]) },
    ...{ aa0: normal(['S', C]), bb0: uniform(['S', C], 0.5, 3), pp0: normal(['S', C]), starts: starts(lengths) },
    ...other,
  };
  return { op: 'wkv4', name, sizes: { N: total(lengths), S: lengths.length }, inputs, tolerances: TOLERANCES };
}
