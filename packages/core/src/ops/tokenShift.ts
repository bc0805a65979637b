import type { OpDefinition } from '../ir/definition.ts';

export type TokenShiftSignature = {
  inputs: 'x' | 'prev' | 'starts';
  optional: 'slots';
  outputs: 'y' | 'last';
  attrs: Record<never, never>;
};

export const tokenShift: OpDefinition<TokenShiftSignature> = {
  kind: 'primitive',
  summary: 'Each token gets the one before it in its sequence; the first gets what the last run left.',
  formula:
    'y[t] = x[t−1] inside a sequence, prev[s] at its first token\nlast[s] = x at its last token, prev[s] when it has none',
  source: 'RWKV-4 paper (arXiv:2305.13048), token shift',
  inputs: {
    x: { shape: 'N C', doc: 'rows, sequence after sequence' },
    prev: { shape: 'S C', doc: 'the row before each sequence’s first' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'sequence s is rows starts[s] to starts[s+1]' },
  },
  optional: { slots: { shape: 'S', dtype: 'i32', doc: 'pool rows of the sequences (pooled form)' } },
  outputs: { y: { shape: 'N C', doc: 'shifted rows' }, last: { shape: 'S C', doc: 'the new prev' } },
  state: { prev: 'last' },
  constraints: [
    'starts rises from 0 to N; a sequence may be empty.',
    'Reads of prev come before writes of last, which may be the same memory.',
  ],
  vjp(b, { x, prev, starts }, _, __, { y: gy, last: glast }) {
    if (gy === undefined && glast === undefined) return {};
    const { gx, gprev } = b.add('tokenShiftGrad', {
      starts,
      gy: gy ?? b.full(0, x.shape),
      glast: glast ?? b.full(0, prev.shape),
    });
    return { x: gx, prev: gprev };
  },
  flops: () => 0,
};
