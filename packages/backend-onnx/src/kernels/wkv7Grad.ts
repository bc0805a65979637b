import type { KernelOf } from '../kernel.ts';
import { arithmetic, recurrence } from './_recurrence.ts';

export const wkv7Grad: KernelOf<'wkv7Grad'> = {
  lower({ r, lw, k, v, a, b, s0, starts, gy, gs }, _, __, o) {
    const tokens = r.shape[0] ?? 0;
    const tail = r.shape.slice(1);
    const matrix = [...tail, tail[1] ?? 0];
    const of = (values: readonly (typeof r)[]) => values.map((value) => ({ ref: o.ref(value), tail }));
    const forward = recurrence(o, {
      ...{ starts, tokens, states: [{ ref: o.ref(s0), rank: 4 }], rows: of([lw, k, v, a, b]), made: [matrix] },
      step(block, [s = ''], [lwt = '', kt = '', vt = '', at = '', bt = '']) {
        return { states: [update(block, s, lwt, kt, vt, at, bt).after], rows: [s] };
      },
    });
    const { states, rows } = recurrence(o, {
      ...{ starts, tokens, backward: true, made: [tail, tail, tail, tail, tail, tail] },
      states: [{ ref: o.ref(gs), rank: 4 }],
      rows: [{ ref: forward.rows[0] ?? '', tail: matrix }, ...of([r, lw, k, v, a, b, gy])],
      // g: gradient of s after the token; s and g [S,H,value,key]
      step(block, [later = ''], [s = '', rt = '', lwt = '', kt = '', vt = '', at = '', bt = '', gyt = '']) {
        const { add, mul, exp, matmul, column, row, vector, sum } = arithmetic(block);
        const { after, removed } = update(block, s, lwt, kt, vt, at, bt);
        const g = add(later, mul(column(gyt), row(rt)));
        const decay = row(exp(lwt));
        const ofRemoved = matmul(g, column(bt));
        const over = (x: string): string => vector(matmul(row(x), g), -2);
        return {
          states: [add(mul(g, decay), mul(ofRemoved, row(at)))],
          rows: [
            vector(matmul(row(gyt), after), -2),
            sum(mul(mul(g, s), decay), -2, false),
            over(vt),
            vector(matmul(g, column(kt)), -1),
            sum(mul(s, ofRemoved), -2, false),
            over(vector(removed, -1)),
          ],
        };
      },
    });
    const [gr = '', glw = '', gk = '', gv = '', ga = '', gb = ''] = rows;
    return { gr, glw, gk, gv, ga, gb, gs0: states[0] ?? '' };
  },
};

/** S after a token, and S a [S,H,value,1]. */
function update(
  block: Parameters<typeof arithmetic>[0],
  ...[s, lw, k, v, a, b]: [s: string, lw: string, k: string, v: string, a: string, b: string]
): { readonly after: string; readonly removed: string } {
  const { add, mul, exp, matmul, column, row } = arithmetic(block);
  const removed = matmul(s, column(a));
  const learnt = add(mul(removed, row(b)), mul(column(v), row(k)));
  return { after: add(mul(s, row(exp(lw))), learnt), removed };
}
