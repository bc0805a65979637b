import type { Head } from './layer-memory.ts';

/**
 * The matrix A [T,T] by which the memory of a head is attention: `y[t] = Σ_{i≤t} A[t,i] v[i]`, but for what the initial
 * state adds. Nothing computes it when the model runs; it follows from what the memory was given:
 *
 * - RWKV-7: `A[t,i] = k[i] G[i+1] … G[t] r[t]` with `G = diag(e^lw) + a bᵀ`
 * - RWKV-5, 6: `A[t,i] = Σ_d r[t] e^{lw[i+1] + … + lw[t−1]} k[i]`, and `Σ_d r u k` for i = t
 * - RWKV-4: the weights of its average, the mean over channels
 *
 * Row-major; 0 above the diagonal.
 */
export function impliedAttention(head: Head): Float64Array {
  if (head.op === 'wkv4') return attention4(head);
  return head.op === 'wkv7' ? attention7(head) : attention6(head);
}

function attention7({ at, size, length }: Head): Float64Array {
  const a = new Float64Array(length * length);
  for (let i = 0; i < length; i++) {
    let key = Float64Array.from({ length: size }, (_, d) => at('k', i, d));
    for (let t = i; t < length; t++) {
      if (t > i) {
        const carried = sum(size, (d) => (key[d] ?? 0) * at('a', t, d));
        key = key.map((x, d) => x * Math.exp(at('lw', t, d)) + carried * at('b', t, d));
      }
      a[t * length + i] = sum(size, (d) => (key[d] ?? 0) * at('r', t, d));
    }
  }
  return a;
}

function attention6({ at, size, length }: Head): Float64Array {
  const a = new Float64Array(length * length);
  for (let i = 0; i < length; i++) {
    const key = Float64Array.from({ length: size }, (_, d) => at('k', i, d));
    a[i * length + i] = sum(size, (d) => at('r', i, d) * at('u', i, d) * (key[d] ?? 0));
    for (let t = i + 1; t < length; t++) {
      a[t * length + i] = sum(size, (d) => at('r', t, d) * (key[d] ?? 0));
      for (let d = 0; d < size; d++) key[d] = (key[d] ?? 0) * Math.exp(at('lw', t, d));
    }
  }
  return a;
}

function attention4({ at, size, length }: Head): Float64Array {
  const a = new Float64Array(length * length);
  for (let c = 0; c < size; c++) {
    for (let t = 0; t < length; t++) {
      const exponent = (i: number): number => at('k', i, c) + (i === t ? at('u', 0, c) : (t - 1 - i) * at('w', 0, c));
      let most = Number.NEGATIVE_INFINITY;
      for (let i = 0; i <= t; i++) most = Math.max(most, exponent(i));
      const total = sum(t + 1, (i) => Math.exp(exponent(i) - most));
      for (let i = 0; i <= t; i++) {
        a[t * length + i] = (a[t * length + i] ?? 0) + Math.exp(exponent(i) - most) / total / size;
      }
    }
  }
  return a;
}

/** What softmax attention would make of the same queries and keys: `softmax_i(r[t]·k[i] / √D)`, all of it computed. */
export function softmaxAttention({ at, size, length, op }: Head): Float64Array {
  const a = new Float64Array(length * length);
  for (let t = 0; t < length; t++) {
    // RWKV-4 has no queries: there the keys of all earlier tokens compete alone.
    const score = (i: number): number =>
      op === 'wkv4'
        ? sum(size, (d) => at('k', i, d)) / size
        : sum(size, (d) => at('r', t, d) * at('k', i, d)) / Math.sqrt(size);
    const scores = Float64Array.from({ length: t + 1 }, (_, i) => score(i));
    const most = Math.max(...scores);
    const total = scores.reduce((all, x) => all + Math.exp(x - most), 0);
    scores.forEach((x, i) => {
      a[t * length + i] = Math.exp(x - most) / total;
    });
  }
  return a;
}

/**
 * After how many tokens half of what a channel holds is gone, by its mean log decay: what a memory of so many channels
 * can span. Sorted, the shortest first.
 */
export function halfLives({ at, size, length, op }: Head): Float64Array {
  const name = op === 'wkv4' ? 'w' : 'lw';
  const lives = Float64Array.from({ length: size }, (_, d) => {
    const mean = sum(length, (t) => at(name, t, d)) / length;
    return -Math.LN2 / Math.min(mean, -1e-9);
  });
  return lives.sort();
}

function sum(count: number, of: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += of(i);
  return total;
}
