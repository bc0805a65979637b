import { given, integers, normal, type OpSpec } from '../spec.ts';

export const crossEntropy: readonly OpSpec[] = [
  line('N=5,V=9', { logits: normal(['N', 9], 3), targets: integers(['N'], [0, 8, 3, 3, 7]) }, { N: 5 }),
  line('N=2,V=301', { logits: normal(['N', 301], 3), targets: integers(['N'], [300, 0]) }, { N: 2 }),
  line('rows left out', { logits: normal(['N', 6]), targets: integers(['N'], [-1, 2, -1, 5]) }, { N: 4 }),
  line('no rows', { logits: normal(['N', 6]), targets: integers(['N'], [0]) }, { N: 0 }),
  {
    ...line('far apart', { logits: given([2, 3], [1e4, -1e4, 0, 1e4, -1e4, 0]), targets: integers([2], [0, 2]) }),
    ...{ expected: { y: [0, 1e4] }, differentiable: false },
  },
  {
    ...line('equal', { logits: given([1, 4], [5, 5, 5, 5]), targets: integers([1], [2]) }),
    expected: { y: [Math.log(4)] },
  },
];

function line(name: string, inputs: OpSpec['inputs'], sizes: Record<string, number> = {}): OpSpec {
  return { op: 'crossEntropy', name, sizes, inputs };
}
