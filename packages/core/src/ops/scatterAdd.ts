import type { OpDefinition } from '../ir/definition.ts';
import type { Dim } from '../ir/types.ts';

export type ScatterAddSignature = {
  inputs: 'ids' | 'x';
  optional: never;
  outputs: 'y';
  attrs: { readonly rows: Dim };
};

export const scatterAdd: OpDefinition<ScatterAddSignature> = {
  kind: 'primitive',
  summary: 'Adds rows into a table of zeros: the transpose of gather.',
  formula: 'y[v] = Σ_{n: ids[n] = v} x[n]',
  inputs: {
    ids: { shape: 'N', dtype: 'i32', doc: 'row numbers' },
    x: { shape: 'N C', doc: 'the rows to add' },
  },
  outputs: { y: { shape: '*', doc: '[rows, C]' } },
  attrs: { rows: { type: 'dim', doc: 'rows of the table' } },
  constraints: ['0 ≤ ids < rows.', 'Rows are added in the order of n, so that results repeat bit for bit.'],
  infer: ({ x }, { rows }) => ({ y: { dtype: 'f32', shape: [rows, x.shape[1] ?? 0] } }),
  vjp: (b, { ids }, _, __, { y: g }) => (g === undefined ? {} : { x: b.add('gather', { table: g, ids }).y }),
};
