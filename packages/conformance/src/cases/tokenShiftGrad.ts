import { given, normal, type OpSpec, starts } from '../spec.ts';

export const tokenShiftGrad: readonly OpSpec[] = [
  ...[[7], [1], [3, 0, 1, 4], [0, 0]].map((lengths): OpSpec => {
    const N = lengths.reduce((sum, length) => sum + length, 0);
    return {
      ...{ op: 'tokenShiftGrad', name: `lengths=${lengths.join('+')}`, sizes: { N, S: lengths.length } },
      inputs: { starts: starts(lengths), gy: normal(['N', 6]), glast: normal(['S', 6]) },
    };
  }),
  {
    ...{ op: 'tokenShiftGrad', name: 'known', sizes: { N: 3, S: 3 } },
    inputs: { starts: starts([2, 0, 1]), gy: given(['N', 1], [1, 2, 3]), glast: given(['S', 1], [10, 20, 30]) },
    expected: { gx: [2, 10, 30], gprev: [1, 20, 3] },
  },
];
