import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';
import { sameShape } from '../ir/shape.ts';

export type StateWriteSignature = {
  inputs: 'pool' | 'slots' | 'value';
  optional: never;
  outputs: 'y';
  attrs: Record<never, never>;
};

export const stateWrite: OpDefinition<StateWriteSignature> = {
  kind: 'primitive',
  summary: 'Puts the new states of the sequences in flight into the pool.',
  formula: 'y = pool, but y[slots[s]] = value[s]',
  inputs: {
    pool: { shape: '*', touches: 'S', doc: '[Z, …], a variable' },
    slots: { shape: 'S', dtype: 'i32', doc: 'pool row of each sequence' },
    value: { shape: '*', doc: '[S, …]' },
  },
  outputs: { y: { shape: '*', touches: 'S', doc: 'the pool' } },
  constraints: ['0 ≤ slots < Z, all different.', 'The planner places y in the pool’s own memory.'],
  infer({ pool, slots, value }) {
    if (value.shape[0] !== slots.shape[0] || !sameShape(value.shape.slice(1), pool.shape.slice(1))) {
      throw badOp('value does not fit the pool');
    }
    return { y: { dtype: 'f32', shape: pool.shape } };
  },
  flops: () => 0,
};
