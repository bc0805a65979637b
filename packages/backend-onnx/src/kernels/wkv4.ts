import { acceptsUnpooled, type KernelOf } from '../kernel.ts';
import { arithmetic, recurrence } from './_recurrence.ts';

export const wkv4: KernelOf<'wkv4'> = {
  accepts: acceptsUnpooled,
  lower({ w, u, k, v, aa0, bb0, pp0, starts }, _, __, o) {
    const [decay, bonus] = [o.ref(w), o.ref(u)];
    const tokens = k.shape[0] ?? 0;
    const tail = [k.shape[1] ?? 0];
    const { states, rows } = recurrence(o, {
      starts,
      tokens,
      states: [aa0, bb0, pp0].map((value) => ({ ref: o.ref(value), rank: 2 })),
      rows: [k, v].map((value) => ({ ref: o.ref(value), tail })),
      made: [tail],
      step(block, [aa = '', bb = '', pp = ''], [kt = '', vt = '']) {
        const { add, sub, mul, div, max, exp } = arithmetic(block);
        const now = add(bonus, kt);
        const q = max(pp, now);
        const [past, present] = [exp(sub(pp, q)), exp(sub(now, q))];
        const y = div(add(mul(past, aa), mul(present, vt)), add(mul(past, bb), present));
        const decayed = add(pp, decay);
        const p = max(decayed, kt);
        const [keep, learn] = [exp(sub(decayed, p)), exp(sub(kt, p))];
        return { states: [add(mul(keep, aa), mul(learn, vt)), add(mul(keep, bb), learn), p], rows: [y] };
      },
    });
    return { y: rows[0] ?? '', aa: states[0] ?? '', bb: states[1] ?? '', pp: states[2] ?? '' };
  },
};
