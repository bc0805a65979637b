import { acceptsUnpooled, type KernelOf } from '../kernel.ts';
import { arithmetic, recurrence } from './_recurrence.ts';

export const wkv7: KernelOf<'wkv7'> = {
  accepts: acceptsUnpooled,
  lower({ r, lw, k, v, a, b, s0, starts }, _, __, o) {
    const tokens = r.shape[0] ?? 0;
    const tail = r.shape.slice(1);
    const { states, rows } = recurrence(o, {
      starts,
      tokens,
      states: [{ ref: o.ref(s0), rank: 4 }],
      rows: [r, lw, k, v, a, b].map((value) => ({ ref: o.ref(value), tail })),
      made: [tail],
      // s [S,H,value,key]
      step(block, [s = ''], [rt = '', lwt = '', kt = '', vt = '', at = '', bt = '']) {
        const { add, mul, exp, matmul, column, row, vector } = arithmetic(block);
        const removed = matmul(s, column(at));
        // (S a) bᵀ + v kᵀ as one product
        const left = block.op('Concat', [removed, column(vt)], { axis: { int: -1 } });
        const right = block.op('Concat', [row(bt), row(kt)], { axis: { int: -2 } });
        const next = add(mul(s, row(exp(lwt))), matmul(left, right));
        return { states: [next], rows: [vector(matmul(next, column(rt)), -1)] };
      },
    });
    return { y: rows[0] ?? '', s: states[0] ?? '' };
  },
};
