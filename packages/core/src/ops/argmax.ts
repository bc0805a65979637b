import type { OpDefinition } from '../ir/definition.ts';

export type ArgmaxSignature = { inputs: 'x'; optional: never; outputs: 'y'; attrs: Record<never, never> };

export const argmax: OpDefinition<ArgmaxSignature> = {
  kind: 'primitive',
  summary: 'The place of each row’s largest number.',
  formula: 'y[r] = the least v with x[r, v] = max x[r]',
  inputs: { x: { shape: 'R V', doc: 'rows, V ≥ 1' } },
  outputs: { y: { shape: 'R', dtype: 'i32', doc: 'column numbers' } },
  constraints: ['At a tie the first wins.'],
  flops: ({ R = 0, V = 0 }) => R * V,
};
