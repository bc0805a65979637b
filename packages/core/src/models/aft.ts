import { ReceptanceError } from '../errors.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Value } from '../ir/types.ts';

/**
 * The ancestors of RWKV, as graphs of primitives over one text: softmax attention, and the attention-free transformers
 * (Zhai et al. 2021, arXiv:2105.14103) whose position weights w RWKV-4 turned into one decay per channel. They are what
 * the family is compared with and explained from; their cost grows with the square of T, which is a number here.
 */
export interface AttentionInputs {
  /** f32[T,D] */
  readonly q: Value;
  /** f32[T,D] */
  readonly k: Value;
  /** f32[T,D] */
  readonly v: Value;
}

export interface AttentionOptions {
  /** Whether a token sees only itself and those before it. */
  readonly causal: boolean;
}

/**
 * Softmax attention: `y[t] = Σ_i softmax_i(q[t]·k[i] / √(D/heads)) v[i]` per head.
 * @returns f32[T,D]
 */
export function softmaxAttention(
  b: GraphBuilder,
  { q, k, v }: AttentionInputs,
  { causal, heads }: AttentionOptions & { readonly heads: number },
): Value {
  const { length, width } = sizesOf(q);
  const scores = b.add(
    'matmul',
    { a: split(b, q, heads), b: split(b, k, heads) },
    { transposeA: false, transposeB: true },
  );
  const scaled = b.binary('mul', scores.y, (width / heads) ** -0.5);
  const seen = causal ? b.add('select', { condition: past(b, length), a: scaled, b: b.full(-1e30, []) }).y : scaled;
  return join(b, product(b, b.add('softmax', { x: seen }).y, split(b, v, heads)), q);
}

/**
 * AFT-full: `y[t] = σ(q[t]) ⊙ Σ_i exp(w[t,i] + k[i]) ⊙ v[i] / Σ_i exp(w[t,i] + k[i])`, the division per channel.
 * @param w f32[T,T], a learned weight for every pair of places
 * @returns f32[T,D]
 */
export function aftFull(b: GraphBuilder, x: AttentionInputs & { readonly w: Value }, options: AttentionOptions): Value {
  const { length } = sizesOf(x.q);
  return weighted(b, x, b.reshape(x.w, [1, length, length]), options);
}

/**
 * AFT-local: AFT-full with `w[t,i]` taken as 0 where |t − i| ≥ window: far tokens are seen, all alike.
 * @returns f32[T,D]
 */
export function aftLocal(
  b: GraphBuilder,
  x: AttentionInputs & { readonly w: Value },
  { causal, window }: AttentionOptions & { readonly window: number },
): Value {
  const near = b.compare('lt', b.unary('abs', distance(b, sizesOf(x.q).length)), window);
  return aftFull(b, { ...x, w: b.add('select', { condition: near, a: x.w, b: b.full(0, []) }).y }, { causal });
}

/**
 * AFT-simple: AFT-full without w.
 * @returns f32[T,D]
 */
export function aftSimple(b: GraphBuilder, x: AttentionInputs, options: AttentionOptions): Value {
  const { length } = sizesOf(x.q);
  return weighted(b, x, b.full(0, [1, length, length]), options);
}

/**
 * AFT-conv: `w[t,i] = f[h, t − i + r]` inside a window of reach r, 0 outside: one weight per distance and head. A
 * step from T×T weights towards RWKV's one decay per channel.
 * @param f f32[H, 2r+1]
 * @returns f32[T,D]
 */
export function aftConv(b: GraphBuilder, x: AttentionInputs & { readonly f: Value }, options: AttentionOptions): Value {
  const { length } = sizesOf(x.q);
  const [heads, taps] = [Number(x.f.shape[0]), Number(x.f.shape[1])];
  const reach = (taps - 1) / 2;
  const places = Array.from({ length: length ** 2 }, (_, at) => Math.floor(at / length) - (at % length) + reach);
  const ids = b.constant(
    places.map((place) => Math.min(taps - 1, Math.max(0, place))),
    'i32',
  );
  const table = b.add('transpose', { x: x.f }, { axes: [1, 0] }).y;
  const perPair = b.reshape(b.add('gather', { table, ids }).y, [length, length, heads]);
  const inside = b.compare('le', b.unary('abs', distance(b, length)), reach);
  const w = b.add('transpose', { x: perPair }, { axes: [2, 0, 1] }).y;
  return weighted(b, x, b.add('select', { condition: inside, a: w, b: b.full(0, []) }).y, options);
}

/** The AFT sum for position weights f32[H,T,T]. The largest w of a row and k of a channel cancel, so they are taken out. */
function weighted(b: GraphBuilder, { q, k, v }: AttentionInputs, w: Value, { causal }: AttentionOptions): Value {
  const { length } = sizesOf(q);
  const heads = Number(w.shape[0]);
  const shifted = b.unary('exp', b.binary('sub', w, b.reduce('max', w, [2], true)));
  const pairs = causal ? b.add('select', { condition: past(b, length), a: shifted, b: b.full(0, []) }).y : shifted;
  const keys = b.unary('exp', b.binary('sub', k, b.reduce('max', k, [0], true)));
  const sum = product(b, pairs, split(b, b.binary('mul', keys, v), heads));
  const total = product(b, pairs, split(b, keys, heads));
  return b.binary('mul', b.unary('sigmoid', q), join(b, b.binary('div', sum, total), q));
}

function sizesOf(x: Value): { length: number; width: number } {
  const [length, width] = x.shape;
  if (typeof length !== 'number' || typeof width !== 'number') {
    throw new ReceptanceError('BAD_OP', `attention over [${x.shape.join(',')}] needs numbers for T and D`, {
      hint: 'the baselines are written for a text of fixed length',
    });
  }
  return { length, width };
}

/** t − i as f32[T,T]. */
function distance(b: GraphBuilder, length: number): Value {
  const places = b.constant(Array.from({ length }, (_, t) => t));
  return b.binary('sub', b.reshape(places, [length, 1]), places);
}

function past(b: GraphBuilder, length: number): Value {
  return b.compare('ge', distance(b, length), 0);
}

function product(b: GraphBuilder, a: Value, c: Value): Value {
  return b.add('matmul', { a, b: c }, { transposeA: false, transposeB: false }).y;
}

/** [T,D] as [H,T,D/H]. */
function split(b: GraphBuilder, x: Value, heads: number): Value {
  const { length, width } = sizesOf(x);
  return b.add('transpose', { x: b.reshape(x, [length, heads, width / heads]) }, { axes: [1, 0, 2] }).y;
}

/** [H,T,D/H] as [T,D], the shape of `like`. */
function join(b: GraphBuilder, x: Value, like: Value): Value {
  return b.reshape(b.add('transpose', { x }, { axes: [1, 0, 2] }).y, like.shape);
}
