import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';

export type StateReadSignature = {
  inputs: 'pool' | 'slots';
  optional: never;
  outputs: 'y';
  attrs: Record<never, never>;
};

export const stateRead: OpDefinition<StateReadSignature> = {
  kind: 'primitive',
  summary: 'The states of the sequences in flight, out of the pool.',
  formula: 'y[s] = pool[slots[s]]',
  inputs: {
    pool: { shape: '*', touches: 'S', doc: '[Z, …], a variable' },
    slots: { shape: 'S', dtype: 'i32', doc: 'pool row of each sequence' },
  },
  outputs: { y: { shape: '*', doc: '[S, …]' } },
  constraints: ['0 ≤ slots < Z.', 'The planner fuses stateRead, a time op and stateWrite into an update in place.'],
  infer({ pool, slots }) {
    const [sequences] = slots.shape;
    if (pool.shape.length === 0 || sequences === undefined) throw badOp('pool needs a first axis');
    return { y: { dtype: 'f32', shape: [sequences, ...pool.shape.slice(1)] } };
  },
  flops: () => 0,
};
