import type { BinaryFn } from '@receptance/core';
import { given, normal, type OpSpec, uniform } from '../spec.ts';

const FUNCTIONS: readonly BinaryFn[] = ['add', 'sub', 'mul', 'div', 'min', 'max'];

export const binary: readonly OpSpec[] = [
  ...FUNCTIONS.map((fn): OpSpec => {
    const inputs = { a: normal(['N', 9]), b: uniform(['N', 9], 0.5, 2) };
    return { op: 'binary', name: `${fn},N=5,C=9`, attrs: { fn }, sizes: { N: 5 }, inputs };
  }),
  ...FUNCTIONS.map((fn): OpSpec => {
    const inputs = { a: normal(['N', 3, 4]), b: uniform([3, 1], 0.5, 2) };
    return { op: 'binary', name: `${fn},[N,3,4]x[3,1]`, attrs: { fn }, sizes: { N: 5 }, inputs };
  }),
  ...(['sub', 'div'] as const).map((fn): OpSpec => {
    const inputs = { a: normal([]), b: uniform(['N', 6], 0.5, 2) };
    return { op: 'binary', name: `${fn},scalar x[N,6]`, attrs: { fn }, sizes: { N: 3 }, inputs };
  }),
  line('sub', '[N,8]x[8]', { a: normal(['N', 8]), b: normal([8]) }, { N: 6 }),
  line('mul', '[N,1]x[N,7]', { a: normal(['N', 1]), b: normal(['N', 7]) }, { N: 4 }),
  line('mul', '[N,1]x[1,7]', { a: normal(['N', 1]), b: normal([1, 7]) }, { N: 4 }),
  line('sub', '[2,N,1,4]x[N,3,1]', { a: normal([2, 'N', 1, 4]), b: normal(['N', 3, 1]) }, { N: 3 }),
  line('add', '[N,4], one row', { a: normal(['N', 4]), b: normal([4]) }, { N: 1 }),
  line('add', 'empty', { a: normal(['N', 4]), b: normal([4]) }, { N: 0 }),
  line('add', 'C=1031', { a: normal([1031]), b: normal([1031]) }),
  {
    ...line('min', 'ties', { a: given([4], [1, 2, 3, -0]), b: given([4], [1, 3, 2, 0]) }),
    ...{ expected: { y: [1, 2, 2, 0] }, differentiable: false },
  },
];

function line(fn: BinaryFn, name: string, inputs: OpSpec['inputs'], sizes: Record<string, number> = {}): OpSpec {
  return { op: 'binary', name: `${fn},${name}`, attrs: { fn }, sizes, inputs };
}
