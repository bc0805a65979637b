import type { OpDefinition } from '../ir/definition.ts';

export type GatherSignature = {
  inputs: 'table' | 'ids';
  optional: never;
  outputs: 'y';
  attrs: Record<never, never>;
};

export const gather: OpDefinition<GatherSignature> = {
  kind: 'primitive',
  summary: 'Rows of a table by number: embeddings, and the rows whose logits are wanted.',
  formula: 'y[n] = table[ids[n]]',
  inputs: {
    table: { shape: 'V C', dtype: 'weight', touches: 'N', doc: 'as stored: block-quantised rows are widened' },
    ids: { shape: 'N', dtype: 'i32', doc: 'row numbers' },
  },
  outputs: { y: { shape: 'N C', doc: 'the rows, f32' } },
  constraints: ['0 ≤ ids < V. Callers check; a device never reads outside the table, whatever it is given.'],
  vjp(b, { table, ids }, _, __, { y: g }) {
    if (g === undefined) return {};
    return { table: b.add('scatterAdd', { ids, x: g }, { rows: table.shape[0] ?? 0 }).y };
  },
  flops: () => 0,
};
