import { given, normal, type OpSpec, starts } from '../spec.ts';

export const tokenShift: readonly OpSpec[] = [
  line([7], 8),
  line([1], 5),
  line([1, 1, 1], 6),
  line([3, 0, 1, 4], 7),
  line([0, 0], 4),
  line([5, 2, 9], 33),
  line([3, 1, 2], 6, { slots: [4, 0, 2], size: 6 }),
  line([0, 3, 0], 5, { slots: [2, 1, 0], size: 3 }),
  line([1, 1, 1, 1], 4, { slots: [3, 2, 1, 0], size: 4 }),
  line([4], 4, { slots: [1], size: 2 }),
  {
    ...{ op: 'tokenShift', name: 'known', sizes: { N: 3, S: 3 } },
    inputs: { x: given(['N', 1], [1, 2, 3]), prev: given(['S', 1], [10, 20, 30]), starts: starts([2, 0, 1]) },
    expected: { y: [10, 1, 30], last: [2, 20, 3] },
  },
];

function line(lengths: readonly number[], C: number, pool?: OpSpec['pool']): OpSpec {
  const N = lengths.reduce((sum, length) => sum + length, 0);
  return {
    ...{ op: 'tokenShift', name: `lengths=${lengths.join('+')},C=${C}${pool ? `,slots=${pool.slots.join('.')}` : ''}` },
    ...{ sizes: { N, S: lengths.length }, ...(pool ? { pool } : {}) },
    inputs: { x: normal(['N', C]), prev: normal(['S', C]), starts: starts(lengths) },
  };
}
