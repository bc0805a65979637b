import type { KernelOf } from '../kernel.ts';
import { arithmetic, recurrence } from './_recurrence.ts';

export const wkv6Grad: KernelOf<'wkv6Grad'> = {
  lower({ r, lw, k, v, u, s0, starts, gy, gs }, _, __, o) {
    const tokens = r.shape[0] ?? 0;
    const tail = r.shape.slice(1);
    const matrix = [...tail, tail[1] ?? 0];
    const perToken = lw.shape.length === 3;
    const [bonus, constant] = [o.ref(u), o.ref(lw)];
    const of = (values: readonly (typeof r)[]) => values.map((value) => ({ ref: o.ref(value), tail }));
    const decays = perToken ? [lw] : [];
    const forward = recurrence(o, {
      ...{ starts, tokens, states: [{ ref: o.ref(s0), rank: 4 }], rows: of([k, v, ...decays]), made: [matrix] },
      step(block, [s = ''], [kt = '', vt = '', lwt = constant]) {
        const { add, mul, exp, column, row } = arithmetic(block);
        return { states: [add(mul(column(exp(lwt)), s), mul(column(kt), row(vt)))], rows: [s] };
      },
    });
    const zero = o.block.op('Mul', [o.reduce('ReduceSum', o.ref(gs), [3]), o.block.floats([0])]);
    const { states, rows } = recurrence(o, {
      ...{ starts, tokens, backward: true, made: [tail, tail, tail, tail] },
      states: [
        { ref: o.ref(gs), rank: 4 },
        { ref: zero, rank: 3 },
      ],
      rows: [{ ref: forward.rows[0] ?? '', tail: matrix }, ...of([r, k, v, gy, ...decays])],
      // g: gradient of s after the token; s and g [S,H,key,value]
      step(block, [g = '', gu = ''], [s = '', rt = '', kt = '', vt = '', gyt = '', lwt = constant]) {
        const { add, mul, exp, matmul, column, row, vector, sum } = arithmetic(block);
        const keep = column(exp(lwt));
        const vgy = sum(mul(vt, gyt), -1);
        const present = sum(mul(mul(rt, bonus), kt), -1);
        const gr = add(vector(matmul(s, column(gyt)), -1), mul(mul(bonus, kt), vgy));
        const gk = add(vector(matmul(g, column(vt)), -1), mul(mul(bonus, rt), vgy));
        const gv = add(vector(matmul(row(kt), g), -2), mul(present, gyt));
        const glw = sum(mul(mul(g, keep), s), -1, false);
        return {
          states: [add(mul(keep, g), mul(column(rt), row(gyt))), add(gu, mul(mul(rt, kt), vgy))],
          rows: [gr, gk, gv, glw],
        };
      },
    });
    const [gr = '', gk = '', gv = '', glw = ''] = rows;
    return { gr, gk, gv, glw, gu: o.reduce('ReduceSum', states[1] ?? '', [0]), gs0: states[0] ?? '' };
  },
};
