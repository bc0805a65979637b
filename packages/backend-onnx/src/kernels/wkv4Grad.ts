import type { InputsOf, SignatureOf, Value } from '@receptance/core';
import type { KernelOf } from '../kernel.ts';
import type { Block, Ref } from '../lowering/block.ts';
import type { Lowering } from '../lowering/lowering.ts';
import { backwards, halvesOf, lengthsForDoubling, ones, pairOf, pick, statesOf } from './_doubling.ts';
import { arithmetic, recurrence } from './_recurrence.ts';

type Inputs = InputsOf<SignatureOf<'wkv4Grad'>>;
type Gradients = { readonly [Name in 'gw' | 'gu' | 'gk' | 'gv' | 'gaa0' | 'gbb0' | 'gpp0']: Ref };

export const wkv4Grad: KernelOf<'wkv4Grad'> = {
  lower(x, _, __, o) {
    const lengths = lengthsForDoubling(o, x.starts, x.k.shape);
    return lengths === undefined ? scan(x, o) : atOnce(x, lengths, o);
  },
};

function scan({ w, u, k, v, aa0, bb0, pp0, starts, gy, gaa, gbb, gpp }: Inputs, o: Lowering): Gradients {
  const [decay, bonus] = [o.ref(w), o.ref(u)];
  const tokens = k.shape[0] ?? 0;
  const tail = [k.shape[1] ?? 0];
  const initial = [aa0, bb0, pp0].map((value) => ({ ref: o.ref(value), rank: 2 }));
  const pairs = [k, v].map((value) => ({ ref: o.ref(value), tail }));
  const forward = recurrence(o, {
    ...{ starts, tokens, states: initial, rows: pairs, made: [tail, tail, tail] },
    step(block, [aa = '', bb = '', pp = ''], [kt = '', vt = '']) {
      const { add, mul } = arithmetic(block);
      const { keep, learn, q } = updateOf(block, { p: pp, decay, k: kt });
      return { states: [add(mul(keep, aa), mul(learn, vt)), add(mul(keep, bb), learn), q], rows: [aa, bb, pp] };
    },
  });
  const before = forward.rows.map((ref) => ({ ref, tail }));
  const zero = o.block.op('Mul', [o.ref(gaa), o.block.floats([0])]);
  const { states, rows } = recurrence(o, {
    ...{ starts, tokens, backward: true, made: [tail, tail] },
    states: [o.ref(gaa), o.ref(gbb), o.ref(gpp), zero, zero].map((ref) => ({ ref, rank: 2 })),
    rows: [...pairs, ...before, { ref: o.ref(gy), tail }],
    step(block, [ga = '', gb = '', gp = '', gw = '', gu = ''], [kt = '', vt = '', a = '', b = '', p = '', gyt = '']) {
      const { add, mul } = arithmetic(block);
      const update = updateOf(block, { p, decay, k: kt });
      const output = outputOf(block, { a, b, p, bonus, k: kt, v: vt, gy: gyt });
      const { ofDecayed, ofKey } = gradientsOf(block, update, { a, b, v: vt, ga, gb }).by(gp);
      return {
        states: [
          add(mul(update.keep, ga), output.ga),
          add(mul(update.keep, gb), output.gb),
          add(ofDecayed, output.gp),
          add(gw, ofDecayed),
          add(gu, output.gnow),
        ],
        rows: [add(ofKey, output.gnow), add(mul(update.learn, ga), output.gv)],
      };
    },
  });
  const [gaa0 = '', gbb0 = '', gpp0 = '', gw = '', gu = ''] = states;
  const total = (x: Ref): Ref => o.reduce('ReduceSum', x, [0]);
  return { gw: total(gw), gu: total(gu), gk: rows[0] ?? '', gv: rows[1] ?? '', gaa0, gbb0, gpp0 };
}

/** All steps at once: gradients of states go back by factors that are known for every token. */
function atOnce(
  { w, u, k, v, aa0, bb0, pp0, starts, gy, gaa, gbb, gpp }: Inputs,
  lengths: readonly number[],
  o: Lowering,
): Gradients {
  const { block } = o;
  const { add, mul, where } = arithmetic(block);
  const tail = [k.shape[1] ?? 0];
  const T = Math.max(...lengths);
  const sequences = o.sequences(starts, k.shape[0] ?? 0);
  const steps = (x: Value): Ref => sequences.toSteps(o.ref(x), tail);
  const [decay, keys, values] = [o.ref(w), steps(k), steps(v)];
  const initial = [o.ref(aa0), o.ref(bb0), o.ref(pp0)] as const;
  const learnt = pairOf(values, ones([T, lengths.length, ...tail], o), o);
  const { p: exponents, sums } = statesOf({ decay, keys, learnt, initial }, T, o);
  const p = o.slice(exponents, 0, 0, -1);
  const [a, b] = halvesOf(o.slice(sums, 1, 0, -1), o);

  // Behind the end of a sequence gradients of its state pass as they are.
  const valid = sequences.valid === undefined ? undefined : o.unsqueeze(sequences.valid, 2);
  const inside = (x: Ref, outside: number): Ref => (valid === undefined ? x : where(valid, x, block.floats([outside])));
  const back = (factors: Ref, terms: Ref, last: Ref): Ref =>
    backwards(inside(factors, 1), inside(terms, 0), last, T, o);
  const beginning = (g: Ref): Ref => pick(g, block.ints32([0]), o, 1);
  const after = (g: Ref): Ref => o.slice(g, 1, 1, T + 1);

  const update = updateOf(block, { p, decay, k: keys });
  const output = outputOf(block, { a, b, p, bonus: o.ref(u), k: keys, v: values, gy: steps(gy) });
  const gsums = back(update.keep, pairOf(output.ga, output.gb, o), pairOf(o.ref(gaa), o.ref(gbb), o));
  const [gaa0, gbb0] = halvesOf(beginning(gsums), o);
  const [ga, gb] = halvesOf(after(gsums), o);
  const gradients = gradientsOf(block, update, { a, b, v: values, ga, gb });
  const terms = add(gradients.by(block.floats([0])).ofDecayed, output.gp);
  const gps = back(o.cast(update.isDecayed, 'float32'), o.unsqueeze(terms, 0), o.unsqueeze(o.ref(gpp), 0));
  const { ofDecayed, ofKey } = gradients.by(block.op('Squeeze', [after(gps), block.ints([0])]));

  const rows = (x: Ref): Ref => sequences.toRows(x, tail);
  const total = (x: Ref): Ref => o.reduce('ReduceSum', rows(x), [0]);
  return {
    ...{ gw: total(ofDecayed), gu: total(output.gnow) },
    ...{ gk: rows(add(ofKey, output.gnow)), gv: rows(add(mul(update.learn, ga), output.gv)) },
    ...{ gaa0, gbb0, gpp0: block.op('Squeeze', [beginning(gps), block.ints([0])]) },
  };
}

interface Update {
  readonly q: Ref;
  readonly keep: Ref;
  readonly learn: Ref;
  readonly isDecayed: Ref;
}

/** State update: q = max(p + w, k); a' = e^{p+w−q} a + e^{k−q} v; b' = e^{p+w−q} b + e^{k−q}; p' = q */
function updateOf(block: Block, { p, decay, k }: { readonly p: Ref; readonly decay: Ref; readonly k: Ref }): Update {
  const { add, sub, max, exp } = arithmetic(block);
  const decayed = add(p, decay);
  const q = max(decayed, k);
  const isDecayed = block.op('GreaterOrEqual', [decayed, k]);
  return { q, keep: exp(sub(decayed, q)), learn: exp(sub(k, q)), isDecayed };
}

/** Gradients through the update, of p + w and of k: by that of p', which moves with the larger of the two. */
function gradientsOf(
  block: Block,
  { keep, learn, isDecayed }: Update,
  { a, b, v, ga, gb }: Readonly<Record<'a' | 'b' | 'v' | 'ga' | 'gb', Ref>>,
): { by(gp: Ref): { readonly ofDecayed: Ref; readonly ofKey: Ref } } {
  const { add, sub, mul, where } = arithmetic(block);
  const gkeep = mul(keep, add(mul(ga, a), mul(gb, b)));
  const glearn = mul(learn, add(mul(ga, v), gb));
  const none = block.floats([0]);
  return {
    by(gp) {
      const gq = sub(sub(gp, gkeep), glearn);
      return { ofDecayed: add(gkeep, where(isDecayed, gq, none)), ofKey: add(glearn, where(isDecayed, none, gq)) };
    },
  };
}

/** Gradients through the output (e^{p} a + e^{u+k} v) / (e^{p} b + e^{u+k}), of the state, of u + k and of v; its own maximum cancels. */
function outputOf(
  block: Block,
  { a, b, p, bonus, k, v, gy }: Readonly<Record<'a' | 'b' | 'p' | 'bonus' | 'k' | 'v' | 'gy', Ref>>,
): { readonly [Name in 'ga' | 'gb' | 'gp' | 'gnow' | 'gv']: Ref } {
  const { add, sub, mul, div, max, exp } = arithmetic(block);
  const now = add(bonus, k);
  const m = max(p, now);
  const [past, present] = [exp(sub(p, m)), exp(sub(now, m))];
  const denominator = add(mul(past, b), present);
  const gnum = div(gy, denominator);
  const y = div(add(mul(past, a), mul(present, v)), denominator);
  const gden = block.op('Neg', [mul(gnum, y)]);
  return {
    ...{ ga: mul(past, gnum), gb: mul(past, gden), gp: mul(past, add(mul(gnum, a), mul(gden, b))) },
    ...{ gnow: mul(present, add(mul(gnum, v), gden)), gv: mul(present, gnum) },
  };
}
