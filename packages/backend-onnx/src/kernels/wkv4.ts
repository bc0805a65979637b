import type { InputsOf, SignatureOf } from '@receptance/core';
import { acceptsUnpooled, type KernelOf } from '../kernel.ts';
import type { Ref } from '../lowering/block.ts';
import type { Lowering } from '../lowering/lowering.ts';
import { halvesOf, lengthsForDoubling, ones, pairOf, pick, statesOf } from './_doubling.ts';
import { arithmetic, recurrence } from './_recurrence.ts';

type Inputs = InputsOf<SignatureOf<'wkv4'>>;
type Memory = { readonly y: Ref; readonly aa: Ref; readonly bb: Ref; readonly pp: Ref };

export const wkv4: KernelOf<'wkv4'> = {
  accepts: acceptsUnpooled,
  lower(x, _, __, o) {
    const lengths = lengthsForDoubling(o, x.starts, x.k.shape);
    return lengths === undefined ? scan(x, o) : atOnce(x, lengths, o);
  },
};

function scan({ w, u, k, v, aa0, bb0, pp0, starts }: Inputs, o: Lowering): Memory {
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
}

function atOnce({ w, u, k, v, aa0, bb0, pp0, starts }: Inputs, lengths: readonly number[], o: Lowering): Memory {
  const { block } = o;
  const { add, sub, mul, div, max, exp } = arithmetic(block);
  const tail = [k.shape[1] ?? 0];
  const [S, T] = [lengths.length, Math.max(...lengths)];
  const sequences = o.sequences(starts, k.shape[0] ?? 0);
  const [keys, values] = [sequences.toSteps(o.ref(k), tail), sequences.toSteps(o.ref(v), tail)];
  const learnt = pairOf(values, ones([T, S, ...tail], o), o);
  const initial = [o.ref(aa0), o.ref(bb0), o.ref(pp0)] as const;
  const { p, sums } = statesOf({ decay: o.ref(w), keys, learnt, initial }, T, o);

  const before = o.slice(p, 0, 0, -1);
  const now = add(o.ref(u), keys);
  const q = max(before, now);
  const past = mul(exp(sub(before, q)), o.slice(sums, 1, 0, -1));
  const [numerator, denominator] = halvesOf(add(past, mul(exp(sub(now, q)), learnt)), o);
  const ends = block.ints32(
    lengths.map((length, s) => length * S + s),
    [S],
  );
  const rows = (T + 1) * S;
  const [aa, bb] = halvesOf(pick(o.reshape(sums, [2, rows, ...tail]), ends, o, 1), o);
  return {
    y: sequences.toRows(div(numerator, denominator), tail),
    ...{ aa, bb, pp: pick(o.reshape(p, [rows, ...tail]), ends, o) },
  };
}
