import { normal, type OpSpec } from '../spec.ts';

const WAYS = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

export const matmul: readonly OpSpec[] = [
  ...WAYS.flatMap(([transposeA, transposeB]): OpSpec[] => {
    const name = `${transposeA ? 'aT' : 'a'} @ ${transposeB ? 'bT' : 'b'}`;
    const attrs = { transposeA, transposeB };
    const shaped = (lead: (string | number)[], m: string | number, k: string | number, n: number) => ({
      a: normal([...lead, ...(transposeA ? [k, m] : [m, k])]),
      b: normal([...lead, ...(transposeB ? [n, k] : [k, n])]),
    });
    return [
      { op: 'matmul', name: `${name},5x7x3`, attrs, inputs: shaped([], 5, 7, 3) },
      { op: 'matmul', name: `${name},batch,4x9x6`, attrs, sizes: { N: 3 }, inputs: shaped(['N', 2], 4, 9, 6) },
      { op: 'matmul', name: `${name},1x1x1`, attrs, inputs: shaped([], 1, 1, 1) },
      { op: 'matmul', name: `${name},17x33x18`, attrs, inputs: shaped([], 17, 33, 18) },
      { op: 'matmul', name: `${name},k=N`, attrs, sizes: { N: 11 }, inputs: shaped([], 4, 'N', 5) },
      { op: 'matmul', name: `${name},k=0`, attrs, sizes: { N: 0 }, inputs: shaped([], 4, 'N', 5) },
    ];
  }),
];
