import type { InputsOf, SignatureOf } from '@receptance/core';
import { acceptsUnpooled, type KernelOf } from '../kernel.ts';
import type { Ref } from '../lowering/block.ts';
import { type Lowering, TO_THE_END } from '../lowering/lowering.ts';
import { arithmetic, recurrence } from './_recurrence.ts';

type Inputs = InputsOf<SignatureOf<'wkv4'>>;
type Memory = { readonly y: Ref; readonly aa: Ref; readonly bb: Ref; readonly pp: Ref };

export const wkv4: KernelOf<'wkv4'> = {
  accepts: acceptsUnpooled,
  lower(x, _, __, o) {
    const lengths = o.hasScan || o.target.form === 'single' ? undefined : o.lengths(x.starts);
    return lengths === undefined || o.isEmpty(x.k.shape) ? scan(x, o) : doubling(x, lengths, o);
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

/**
 * All states at once. A state is a sum over the tokens before it, kept as (p, [a, b]) = e^{-p} Σ …, and sums of neighbouring
 * ranges of tokens are one sum once the older has decayed: so sums over 1, 2, 4, … tokens, each of two of the level before.
 * The state at the beginning stands before the first token, as one that came a step earlier.
 */
function doubling({ w, u, k, v, aa0, bb0, pp0, starts }: Inputs, lengths: readonly number[], o: Lowering): Memory {
  const { block } = o;
  const { add, sub, mul, div, max, exp } = arithmetic(block);
  const tail = [k.shape[1] ?? 0];
  const [S, T] = [lengths.length, Math.max(...lengths)];
  const sequences = o.sequences(starts, k.shape[0] ?? 0);
  const [decay, keys, values] = [o.ref(w), sequences.toSteps(o.ref(k), tail), sequences.toSteps(o.ref(v), tail)];
  const pair = (a: Ref, b: Ref): Ref => o.concat([o.unsqueeze(a, 0), o.unsqueeze(b, 0)], 0);
  const pick = (x: Ref, rows: Ref, axis = 0): Ref => block.op('Gather', [x, rows], { axis: { int: axis } });
  const halves = (x: Ref): readonly [Ref, Ref] => [pick(x, block.ints32([0])), pick(x, block.ints32([1]))];
  const ones = o.once(`ones ${T} ${S} ${tail}`, () => o.full(1, [T, S, ...tail]));
  /** What each token adds to a and b, [2,T,S,C]. */
  const learnt = pair(values, ones);

  // p [1+T,S,C], sums [2,1+T,S,C]: up to and with the row's own token
  let p = o.concat([o.unsqueeze(o.ref(pp0), 0), keys], 0);
  let sums = o.concat([o.unsqueeze(pair(o.ref(aa0), o.ref(bb0)), 1), learnt], 1);
  for (let width = 1; width <= T; width *= 2) {
    const decayed = add(o.slice(p, 0, 0, -width), mul(decay, block.floats([width])));
    const own = o.slice(p, 0, width, TO_THE_END);
    const larger = max(decayed, own);
    const older = mul(exp(sub(decayed, larger)), o.slice(sums, 1, 0, -width));
    const newer = mul(exp(sub(own, larger)), o.slice(sums, 1, width, TO_THE_END));
    // The first rows have all that came before them already.
    sums = o.concat([o.slice(sums, 1, 0, width), add(older, newer)], 1);
    p = o.concat([o.slice(p, 0, 0, width), larger], 0);
  }

  const before = o.slice(p, 0, 0, -1);
  const now = add(o.ref(u), keys);
  const q = max(before, now);
  const past = mul(exp(sub(before, q)), o.slice(sums, 1, 0, -1));
  const [numerator, denominator] = halves(add(past, mul(exp(sub(now, q)), learnt)));
  const ends = block.ints32(
    lengths.map((length, s) => length * S + s),
    [S],
  );
  const rows = (T + 1) * S;
  const [aa, bb] = halves(pick(o.reshape(sums, [2, rows, ...tail]), ends, 1));
  return {
    y: sequences.toRows(div(numerator, denominator), tail),
    ...{ aa, bb, pp: pick(o.reshape(p, [rows, ...tail]), ends) },
  };
}
