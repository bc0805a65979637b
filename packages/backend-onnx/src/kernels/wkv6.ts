import { acceptsUnpooled, type KernelOf } from '../kernel.ts';
import { arithmetic, recurrence } from './_recurrence.ts';

export const wkv6: KernelOf<'wkv6'> = {
  accepts: acceptsUnpooled,
  lower({ r, lw, k, v, u, s0, starts }, _, __, o) {
    const tokens = r.shape[0] ?? 0;
    const tail = r.shape.slice(1);
    const perToken = lw.shape.length === 3;
    const [bonus, constant] = [o.ref(u), o.ref(lw)];
    const { states, rows } = recurrence(o, {
      starts,
      tokens,
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
  },
};
