import { given, integers, normal, type OpSpec } from '../spec.ts';

export const crossEntropyGrad: readonly OpSpec[] = [
  line('N=5,V=9', normal(['N', 9], 3), [0, 8, 3, 3, 7], 5),
  line('N=2,V=301', normal(['N', 301], 3), [300, 0], 2),
  line('rows left out', normal(['N', 6]), [-1, 2, -1, 5], 4),
  line('no rows', normal(['N', 6]), [0], 0),
  line('far apart', given(['N', 3], [1e4, -1e4, 0]), [0, 2], 2),
];

function line(name: string, logits: OpSpec['inputs'][string], targets: readonly number[], N: number): OpSpec {
  const inputs = { logits, targets: integers(['N'], targets), gy: normal(['N']) };
  return { op: 'crossEntropyGrad', name, sizes: { N }, inputs };
}
