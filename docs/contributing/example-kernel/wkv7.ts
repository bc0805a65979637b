import type { KernelOf, Numbers } from '@receptance/backend-reference';

/** Elements that are added up beside each other: a sum of one alone waits for each addition before the next. */
const LANES = 4;

/**
 * The memory of RWKV-7 for the reference backend, faster: a row of S is read once for a token, not twice. While
 * it is updated, what the token reads of it is added up, and already what the next token will remove.
 *
 *     S = S diag(e^{lw[t]}) + (S a[t]) b[t]ᵀ + v[t] k[t]ᵀ
 *     y[t] = S r[t]
 */
export const wkv7: KernelOf<'wkv7'> = {
  accepts({ inputs }) {
    const size = inputs['r']?.shape[2];
    return (typeof size === 'number' && size % LANES === 0) || `heads of ${size} channels, not a multiple of ${LANES}`;
  },
  run({ r, lw, k, v, a, b, s0, starts, slots }, { y, s }) {
    const [heads = 1, size = 1] = r.shape.slice(1);
    if (s0.data !== s.data) s.data.set(s0.data); // in the pooled form it is there already
    const decay = Float64Array.from(lw.data, Math.exp);
    const token: Token = { r: r.data, w: decay, k: k.data, a: a.data, b: b.data };
    for (let sequence = 0; sequence + 1 < starts.data.length; sequence++) {
      const row = slots === undefined ? sequence : (slots.data[sequence] ?? 0);
      const [begin = 0, end = 0] = starts.data.subarray(sequence, sequence + 2);
      for (let line = 0; line < heads * size; line++) {
        const state = s.data.subarray((row * heads * size + line) * size, (row * heads * size + line + 1) * size);
        walk(state, token, { v: v.data, y: y.data, line, begin, end, width: heads * size });
      }
    }
  },
};

/** [N,H,D] each. */
interface Token {
  readonly r: Numbers;
  readonly w: Numbers;
  readonly k: Numbers;
  readonly a: Numbers;
  readonly b: Numbers;
}

interface Walk {
  readonly v: Numbers;
  readonly y: Numbers;
  /** Which row of which head: the channel of v and y. */
  readonly line: number;
  readonly begin: number;
  readonly end: number;
  readonly width: number;
}

/** One row of S through all tokens of its sequence: rows do not know of each other. */
function walk(state: Numbers, { r, w, k, a, b }: Token, { v, y, line, begin, end, width }: Walk): void {
  const size = state.length;
  const head = line - (line % size);
  let removed = 0;
  for (let j = 0; j < size; j++) removed += (state[j] ?? 0) * (a[begin * width + head + j] ?? 0);
  for (let t = begin; t < end; t++) {
    const at = t * width + head;
    // What follows the last token is read and not used.
    const next = t + 1 < end ? at + width : at;
    const value = v[t * width + line] ?? 0;
    const sums = { y0: 0, y1: 0, y2: 0, y3: 0, a0: 0, a1: 0, a2: 0, a3: 0 };
    for (let j = 0; j < size; j += LANES) {
      const o = at + j;
      const n = next + j;
      const x0 = (state[j] ?? 0) * (w[o] ?? 0) + removed * (b[o] ?? 0) + value * (k[o] ?? 0);
      const x1 = (state[j + 1] ?? 0) * (w[o + 1] ?? 0) + removed * (b[o + 1] ?? 0) + value * (k[o + 1] ?? 0);
      const x2 = (state[j + 2] ?? 0) * (w[o + 2] ?? 0) + removed * (b[o + 2] ?? 0) + value * (k[o + 2] ?? 0);
      const x3 = (state[j + 3] ?? 0) * (w[o + 3] ?? 0) + removed * (b[o + 3] ?? 0) + value * (k[o + 3] ?? 0);
      state[j] = x0;
      state[j + 1] = x1;
      state[j + 2] = x2;
      state[j + 3] = x3;
      sums.y0 += x0 * (r[o] ?? 0);
      sums.y1 += x1 * (r[o + 1] ?? 0);
      sums.y2 += x2 * (r[o + 2] ?? 0);
      sums.y3 += x3 * (r[o + 3] ?? 0);
      sums.a0 += x0 * (a[n] ?? 0);
      sums.a1 += x1 * (a[n + 1] ?? 0);
      sums.a2 += x2 * (a[n + 2] ?? 0);
      sums.a3 += x3 * (a[n + 3] ?? 0);
    }
    y[t * width + line] = sums.y0 + sums.y1 + (sums.y2 + sums.y3);
    removed = sums.a0 + sums.a1 + (sums.a2 + sums.a3);
  }
}
