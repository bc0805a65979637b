import type { UnaryFn } from '@receptance/core';
import type { Tolerances } from '../compare.ts';
import { given, normal, type OpSpec, uniform } from '../spec.ts';

const FUNCTIONS: readonly UnaryFn[] = ['neg', 'abs', 'exp', 'sigmoid', 'tanh', 'relu'];
const OF_POSITIVE: readonly UnaryFn[] = ['log', 'sqrt', 'reciprocal'];

/** An f32 exp of a large argument is a few units of its argument's last place off. */
const FAR: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1e-9, maxAbs: 5e-5 } };

export const unary: readonly OpSpec[] = [
  ...FUNCTIONS.map((fn): OpSpec => {
    return { op: 'unary', name: `${fn},N=7,C=9`, attrs: { fn }, sizes: { N: 7 }, inputs: { x: normal(['N', 9], 2) } };
  }),
  ...OF_POSITIVE.map((fn): OpSpec => {
    const x = uniform(['N', 9], 0.05, 30);
    return { op: 'unary', name: `${fn},N=7,C=9`, attrs: { fn }, sizes: { N: 7 }, inputs: { x } };
  }),
  { op: 'unary', name: 'exp,empty', attrs: { fn: 'exp' }, sizes: { N: 0 }, inputs: { x: normal(['N', 5]) } },
  { op: 'unary', name: 'neg,scalar', attrs: { fn: 'neg' }, inputs: { x: normal([]) } },
  { op: 'unary', name: 'tanh,C=1031', attrs: { fn: 'tanh' }, inputs: { x: normal([1031], 3) } },
  {
    ...{ op: 'unary', name: 'exp,extreme', attrs: { fn: 'exp' }, tolerances: FAR, differentiable: false },
    inputs: { x: given([7], [-1e4, -104, -100, -87.5, 0, 20, 80]) },
  },
  saturating('sigmoid', (x) => 1 / (1 + Math.exp(-x))),
  saturating('tanh', Math.tanh),
  {
    ...{ op: 'unary', name: 'relu,signs', attrs: { fn: 'relu' }, differentiable: false },
    inputs: { x: given([6], [-1, -0, 0, 1e-30, 3, -1e30]) },
    expected: { y: [0, 0, 0, Math.fround(1e-30), 3, 0] },
  },
  {
    ...{ op: 'unary', name: 'abs,signs', attrs: { fn: 'abs' }, differentiable: false },
    inputs: { x: given([4], [-2, -0, 0.5, 3]) },
    expected: { y: [2, 0, 0.5, 3] },
  },
];

function saturating(fn: UnaryFn, formula: (x: number) => number): OpSpec {
  const numbers = [-1e4, -100, -88.8, -20, -1e-4, 0, 1e-4, 20, 88.8, 100, 1e4];
  const expected = { y: numbers.map((x) => formula(Math.fround(x))) };
  const inputs = { x: given([numbers.length], numbers) };
  return { op: 'unary', name: `${fn},extreme`, attrs: { fn }, inputs, expected, tolerances: FAR };
}
