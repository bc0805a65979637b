import type { KernelOf } from '../kernel.ts';
import { arithmetic, recurrence } from './_recurrence.ts';

export const wkv4Grad: KernelOf<'wkv4Grad'> = {
  lower({ w, u, k, v, aa0, bb0, pp0, starts, gy, gaa, gbb, gpp }, _, __, o) {
    const [decay, bonus] = [o.ref(w), o.ref(u)];
    const tokens = k.shape[0] ?? 0;
    const tail = [k.shape[1] ?? 0];
    const initial = [aa0, bb0, pp0].map((value) => ({ ref: o.ref(value), rank: 2 }));
    const pairs = [k, v].map((value) => ({ ref: o.ref(value), tail }));
    const forward = recurrence(o, {
      ...{ starts, tokens, states: initial, rows: pairs, made: [tail, tail, tail] },
      step(block, [aa = '', bb = '', pp = ''], [kt = '', vt = '']) {
        const { add, sub, mul, max, exp } = arithmetic(block);
        const decayed = add(pp, decay);
        const p = max(decayed, kt);
        const [keep, learn] = [exp(sub(decayed, p)), exp(sub(kt, p))];
        return { states: [add(mul(keep, aa), mul(learn, vt)), add(mul(keep, bb), learn), p], rows: [aa, bb, pp] };
      },
    });
    const before = forward.rows.map((ref) => ({ ref, tail }));
    const zero = o.block.op('Mul', [o.ref(gaa), o.block.floats([0])]);
    const { states, rows } = recurrence(o, {
      ...{ starts, tokens, backward: true, made: [tail, tail] },
      states: [o.ref(gaa), o.ref(gbb), o.ref(gpp), zero, zero].map((ref) => ({ ref, rank: 2 })),
      rows: [...pairs, ...before, { ref: o.ref(gy), tail }],
      step(block, [ga = '', gb = '', gp = '', gw = '', gu = ''], [kt = '', vt = '', a = '', b = '', p = '', gyt = '']) {
        const { add, sub, mul, div, max, exp, where } = arithmetic(block);
        const none = block.floats([0]);
        // State update: q = max(p + w, k); a' = e^{p+w−q} a + e^{k−q} v; b' = e^{p+w−q} b + e^{k−q}; p' = q
        const decayed = add(p, decay);
        const q = max(decayed, kt);
        const [keep, learn] = [exp(sub(decayed, q)), exp(sub(kt, q))];
        const gkeep = mul(keep, add(mul(ga, a), mul(gb, b)));
        const glearn = mul(learn, add(mul(ga, vt), gb));
        const gq = sub(sub(gp, gkeep), glearn);
        const isDecayed = block.op('GreaterOrEqual', [decayed, kt]);
        const gdecayed = add(gkeep, where(isDecayed, gq, none));
        // Output: (e^{p} a + e^{u+k} v) / (e^{p} b + e^{u+k}); its own maximum cancels
        const now = add(bonus, kt);
        const m = max(p, now);
        const [past, present] = [exp(sub(p, m)), exp(sub(now, m))];
        const denominator = add(mul(past, b), present);
        const gnum = div(gyt, denominator);
        const y = div(add(mul(past, a), mul(present, vt)), denominator);
        const gden = block.op('Neg', [mul(gnum, y)]);
        const gpresent = mul(present, add(mul(gnum, vt), gden));
        return {
          states: [
            add(mul(keep, ga), mul(past, gnum)),
            add(mul(keep, gb), mul(past, gden)),
            add(gdecayed, mul(past, add(mul(gnum, a), mul(gden, b)))),
            add(gw, gdecayed),
            add(gu, gpresent),
          ],
          rows: [add(add(glearn, where(isDecayed, none, gq)), gpresent), add(mul(learn, ga), mul(present, gnum))],
        };
      },
    });
    const [gaa0 = '', gbb0 = '', gpp0 = '', gw = '', gu = ''] = states;
    const total = (x: string): string => o.reduce('ReduceSum', x, [0]);
    return { gw: total(gw), gu: total(gu), gk: rows[0] ?? '', gv: rows[1] ?? '', gaa0, gbb0, gpp0 };
  },
};
