import type { Shape, Value } from '@receptance/core';
import type { Ref } from '../lowering/block.ts';
import { type Lowering, TO_THE_END } from '../lowering/lowering.ts';
import { arithmetic } from './_recurrence.ts';

/** How long each sequence is, where all of its steps are made at once: several, of a length that is known, without a `Scan`. */
export function lengthsForDoubling(o: Lowering, starts: Value, rows: Shape): readonly number[] | undefined {
  if (o.hasScan || o.target.form === 'single' || o.isEmpty(rows)) return undefined;
  return o.lengths(starts);
}

/** Two tensors as one with a new first axis. */
export function pairOf(a: Ref, b: Ref, o: Lowering): Ref {
  return o.concat([o.unsqueeze(a, 0), o.unsqueeze(b, 0)], 0);
}

/** Made once for a model: constants of its own size. */
export function ones(shape: Shape, o: Lowering): Ref {
  return o.once(`ones ${shape.join(',')}`, () => o.full(1, shape));
}

/** Rows by their numbers, or one by its number. */
export function pick(x: Ref, rows: Ref, o: Lowering, axis = 0): Ref {
  return o.block.op('Gather', [x, rows], { axis: { int: axis } });
}

export function halvesOf(pair: Ref, o: Lowering): readonly [Ref, Ref] {
  return [pick(pair, o.block.ints32([0]), o), pick(pair, o.block.ints32([1]), o)];
}

/** e^{−p} Σ …: the states of RWKV-4's memory before each token of the longest sequence, and behind the last. */
export interface States {
  /** `[1+T,S,C]`. */
  readonly p: Ref;
  /** a and b, `[2,1+T,S,C]`. */
  readonly sums: Ref;
}

export interface Tokens {
  /** Log decay `[C]`. */
  readonly decay: Ref;
  /** `[T,S,C]`. */
  readonly keys: Ref;
  /** What each token adds to a and b, `[2,T,S,C]`. */
  readonly learnt: Ref;
  /** The state at the beginning `[S,C]`. */
  readonly initial: readonly [aa: Ref, bb: Ref, pp: Ref];
}

/**
 * All states at once. A state is a sum over the tokens before it, and sums of neighbouring ranges of tokens are one sum once the older
 * has decayed: so sums over 1, 2, 4, … tokens, each of two of the level before. The state at the beginning stands before the first
 * token, as one that came a step earlier.
 */
export function statesOf({ decay, keys, learnt, initial: [aa, bb, pp] }: Tokens, T: number, o: Lowering): States {
  const { block } = o;
  const { add, sub, mul, max, exp } = arithmetic(block);
  let p = o.concat([o.unsqueeze(pp, 0), keys], 0);
  let sums = o.concat([o.unsqueeze(pairOf(aa, bb, o), 1), learnt], 1);
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
  return { p, sums };
}

/**
 * g[t] = factors[t] g[t+1] + terms[t] from the last t to the first, g[T] = last, in the same way: terms of 1, 2, 4, … steps.
 * @param factors `[T,S,C]`
 * @param terms `[K,T,S,C]`
 * @param last `[K,S,C]`
 * @returns `[K,1+T,S,C]`
 */
export function backwards(factors: Ref, terms: Ref, last: Ref, T: number, o: Lowering): Ref {
  const { add, mul } = arithmetic(o.block);
  let g = o.concat([terms, o.unsqueeze(last, 1)], 1);
  let f = factors;
  for (let width = 1; width <= T; width *= 2) {
    const reached = mul(f, o.slice(g, 1, width, TO_THE_END));
    g = o.concat([add(o.slice(g, 1, 0, -width), reached), o.slice(g, 1, -width, TO_THE_END)], 1);
    // Of those that reach further still.
    if (width * 2 <= T) f = mul(o.slice(f, 0, 0, -width), o.slice(f, 0, width, TO_THE_END));
  }
  return g;
}
