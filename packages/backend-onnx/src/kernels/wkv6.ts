import type { InputsOf, SignatureOf } from '@receptance/core';
import { acceptsUnpooled, type KernelOf } from '../kernel.ts';
import type { Ref } from '../lowering/block.ts';
import type { Lowering } from '../lowering/lowering.ts';
import { attentionRectangle, linearAttention } from './_attention.ts';
import { arithmetic, recurrence } from './_recurrence.ts';

type Inputs = InputsOf<SignatureOf<'wkv6'>>;
type Memory = { readonly y: Ref; readonly s: Ref };

export const wkv6: KernelOf<'wkv6'> = {
  accepts: acceptsUnpooled,
  lower: (x, _, __, o) => attention(x, o) ?? scan(x, o),
};

function scan({ r, lw, k, v, u, s0, starts }: Inputs, o: Lowering): Memory {
  const [tokens = 0, ...tail] = r.shape;
  const perToken = lw.shape.length === 3;
  const [bonus, constant] = [o.ref(u), o.ref(lw)];
  const { states, rows } = recurrence(o, {
    ...{ starts, tokens },
    states: [{ ref: o.ref(s0), rank: 4 }],
    rows: [r, k, v, ...(perToken ? [lw] : [])].map((value) => ({ ref: o.ref(value), tail })),
    made: [tail],
    // s [S,H,key,value]
    step(block, [s = ''], [rt = '', kt = '', vt = '', lwt = constant]) {
      const { add, mul, exp, matmul, column, row, vector, sum } = arithmetic(block);
      // r (u ⊙ kᵀ v) = (Σ r u k) v
      const present = mul(sum(mul(mul(rt, bonus), kt), -1), vt);
      const y = add(vector(matmul(row(rt), s), -2), present);
      return { states: [add(mul(column(exp(lwt)), s), mul(column(kt), row(vt)))], rows: [y] };
    },
  });
  return { y: rows[0] ?? '', s: states[0] ?? '' };
}

/**
 * LinearAttention reads after its update, RWKV-6 before: keys, values and decays come a step later than queries. The
 * bonus is added outside.
 */
function attention({ r, lw, k, v, u, s0, starts }: Inputs, o: Lowering): Memory | undefined {
  const [tokens = 0, ...tail] = r.shape;
  const rectangle = attentionRectangle(o, starts, tokens);
  if (rectangle === undefined) return undefined;
  const { block } = o;
  const { add, mul, sum } = arithmetic(block);
  const [heads = 0, size = 0] = tail.map(Number);
  const width = heads * size;
  const [bonus, rows, keys, values] = [o.ref(u), o.ref(r), o.ref(k), o.ref(v)];
  const nothing = o.full(0, [s0.shape[0] ?? 0, 1, width]);
  const later = (x: Ref): Ref => o.concat([nothing, x], 1);
  const decays =
    lw.shape.length === 3
      ? o.ref(lw)
      : block.op('Expand', [o.reshape(o.ref(lw), [1, width]), o.shape([tokens, width])]);
  const { y, state } = linearAttention(o, {
    ...{ query: o.concat([rectangle.to(rows, width), nothing], 1), decay: later(rectangle.to(decays, width)), heads },
    ...{ key: later(rectangle.to(keys, width)), value: later(rectangle.to(values, width)), state: o.ref(s0) },
  });
  const past = rectangle.from(o.slice(y, 1, 0, -1), tail);
  const present = mul(sum(mul(mul(rows, bonus), keys), -1), values);
  return { y: add(past, present), s: state };
}
