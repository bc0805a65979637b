/**
 * One channel of the family, from attention to RWKV-4: a text of T tokens, each with a key and a value. Every member averages values with
 * weights; they differ in where the weights come from. Weights are [T,T], row-major: row t is for the token that is read, and sums to 1.
 */

/** What softmax attention weighs by: how well query t fits key i. */
export function softmaxWeights(queries: Float64Array, keys: Float64Array): Float64Array {
  return weights(keys.length, (t, i) => (queries[t] ?? 0) * (keys[i] ?? 0));
}

/** AFT-full: a learned number for every pair of places, and the key. `w` is [T,T]. */
export function aftFullWeights(keys: Float64Array, w: Float64Array): Float64Array {
  return weights(keys.length, (t, i) => (w[t * keys.length + i] ?? 0) + (keys[i] ?? 0));
}

/** AFT-local: the same within a window; farther tokens are seen, all alike. */
export function aftLocalWeights(keys: Float64Array, w: Float64Array, window: number): Float64Array {
  return weights(keys.length, (t, i) => (t - i < window ? (w[t * keys.length + i] ?? 0) : 0) + (keys[i] ?? 0));
}

/** AFT-conv: one learned number for each distance within a reach, `f[reach − 1 …]`; 0 beyond. */
export function aftConvWeights(keys: Float64Array, f: Float64Array): Float64Array {
  return weights(keys.length, (t, i) => (f[t - i] ?? 0) + (keys[i] ?? 0));
}

/** AFT-simple: the key alone. */
export function aftSimpleWeights(keys: Float64Array): Float64Array {
  return weights(keys.length, (_, i) => keys[i] ?? 0);
}

/** RWKV-4: one decay d ≥ 0 for the channel, and a bonus u for the token itself. */
export function rwkvWeights(keys: Float64Array, d: number, u: number): Float64Array {
  return weights(keys.length, (t, i) => (i === t ? u : -(t - 1 - i) * d) + (keys[i] ?? 0));
}

function weights(length: number, exponent: (t: number, i: number) => number): Float64Array {
  const made = new Float64Array(length * length);
  for (let t = 0; t < length; t++) {
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i <= t; i++) most = Math.max(most, exponent(t, i));
    let total = 0;
    for (let i = 0; i <= t; i++) total += Math.exp(exponent(t, i) - most);
    for (let i = 0; i <= t; i++) made[t * length + i] = Math.exp(exponent(t, i) - most) / total;
  }
  return made;
}

/** `y[t] = Σ_i weights[t,i] v[i]`: all pairs, as a transformer is trained. */
export function parallel(given: Float64Array, values: Float64Array): Float64Array {
  const length = values.length;
  return values.map((_, t) => values.reduce((sum, v, i) => sum + (given[t * length + i] ?? 0) * v, 0));
}

/** RWKV-4 as an RNN: two sums that decay, with the exponent that both are scaled by. */
export function recurrent(keys: Float64Array, values: Float64Array, d: number, u: number): Float64Array {
  let memory = EMPTY;
  return keys.map((k, t) => {
    const y = read(memory, k, values[t] ?? 0, u);
    memory = write(memory, k, values[t] ?? 0, d);
    return y;
  });
}

/** RWKV-4 as a convolution: of e^k v and of e^k with the kernel e^{−(t−1−i) d}. */
export function convolution(keys: Float64Array, values: Float64Array, d: number, u: number): Float64Array {
  const kernel = keys.map((_, distance) => (distance === 0 ? Math.exp(u) : Math.exp(-(distance - 1) * d)));
  const convolved = (signal: (i: number) => number): Float64Array =>
    keys.map((_, t) => kernel.subarray(0, t + 1).reduce((sum, tap, distance) => sum + tap * signal(t - distance), 0));
  const above = convolved((i) => Math.exp(keys[i] ?? 0) * (values[i] ?? 0));
  const below = convolved((i) => Math.exp(keys[i] ?? 0));
  return above.map((sum, t) => sum / (below[t] ?? 1));
}

/** RWKV-4 in chunks, as it is trained: all pairs within a chunk, a memory between chunks. */
export function chunked(keys: Float64Array, values: Float64Array, d: number, u: number, size: number): Float64Array {
  const y = new Float64Array(keys.length);
  let memory = EMPTY;
  for (let start = 0; start < keys.length; start += size) {
    const [k, v] = [keys.subarray(start, start + size), values.subarray(start, start + size)];
    for (let t = 0; t < k.length; t++) {
      // What was before the chunk has decayed t times since; what is within it is weighed pair by pair.
      const own = Array.from(k.subarray(0, t + 1), (key, i) => ({
        e: key + (i === t ? u : -(t - 1 - i) * d),
        v: v[i] ?? 0,
      }));
      const past = { e: memory.p - t * d, a: memory.a, b: memory.b };
      const most = Math.max(past.e, ...own.map(({ e }) => e));
      const above = own.reduce((sum, one) => sum + Math.exp(one.e - most) * one.v, Math.exp(past.e - most) * past.a);
      const below = own.reduce((sum, one) => sum + Math.exp(one.e - most), Math.exp(past.e - most) * past.b);
      y[start + t] = above / below;
    }
    for (let t = 0; t < k.length; t++) memory = write(memory, k[t] ?? 0, v[t] ?? 0, d);
  }
  return y;
}

/** `a e^p` and `b e^p` are the sums: so that no key overflows. */
interface Memory {
  readonly a: number;
  readonly b: number;
  readonly p: number;
}

const EMPTY: Memory = { a: 0, b: 0, p: -1e30 };

function read({ a, b, p }: Memory, k: number, v: number, u: number): number {
  const most = Math.max(p, u + k);
  const [old, now] = [Math.exp(p - most), Math.exp(u + k - most)];
  return (old * a + now * v) / (old * b + now);
}

function write({ a, b, p }: Memory, k: number, v: number, d: number): Memory {
  const most = Math.max(p - d, k);
  const [old, now] = [Math.exp(p - d - most), Math.exp(k - most)];
  return { a: old * a + now * v, b: old * b + now, p: most };
}

/** Numbers that look as if they meant something, the same each time. */
export function examples(length: number, seed: number, of: (random: number) => number): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return of(state / 2 ** 31 - 1);
  });
}

export function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? Number.NaN))), 0);
}
