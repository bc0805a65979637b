import type { Dim, Value } from '@receptance/core';
import type { Ref } from '../lowering/block.ts';
import type { Lowering } from '../lowering/lowering.ts';
import type { Sequences } from '../lowering/sequences.ts';

export type Rectangle = NonNullable<Sequences['rectangle']>;

/** Sequences as rectangles, where `LinearAttention` is to be used and can be. */
export function attentionRectangle(o: Lowering, starts: Value, tokens: Dim): Rectangle | undefined {
  const { recurrence, standard } = o.target;
  if (recurrence !== 'attention' || standard || o.isEmpty([tokens])) return undefined;
  return o.sequences(starts, tokens).rectangle;
}

export interface Attention {
  /** f32 [S,T,heads · D] each. */
  readonly query: Ref;
  readonly key: Ref;
  readonly value: Ref;
  /** f32 [S,H,key,value]. */
  readonly state: Ref;
  /** f32 [S,T,heads · D]: log decay of the rows of the state. */
  readonly decay: Ref;
  /** f32 [S,T,heads], of the delta rule. */
  readonly beta?: Ref;
  readonly heads: number;
}

/** com.microsoft.LinearAttention: S = e^{decay} S + β kᵀ(v − k S), or without β, S = e^{decay} S + kᵀv; y = q S. */
export function linearAttention(
  o: Lowering,
  { query, key, value, state, decay, beta, heads }: Attention,
): { readonly y: Ref; readonly state: Ref } {
  const [y = '', after = ''] = o.block.ops(
    'LinearAttention',
    [query, key, value, state, decay, ...(beta === undefined ? [] : [beta])],
    2,
    {
      ...{ q_num_heads: { int: heads }, kv_num_heads: { int: heads }, scale: { float: 1 } },
      update_rule: { text: beta === undefined ? 'gated' : 'gated_delta' },
    },
    { domain: 'com.microsoft' },
  );
  return { y, state: after };
}
