import type { HostArray } from '@receptance/core';
import type { LayerTrace } from './trace.ts';

/**
 * The memory of one head of a layer, taken out of a trace: T tokens, D channels of keys and of values. RWKV-4 has no
 * heads: all its channels are one.
 */
export interface Head {
  readonly length: number;
  readonly size: number;
  readonly op: string;
  /** Number `i` of token `t` of an input of the op; of an input that is the same for all tokens, whatever `t` is. */
  at(input: string, t: number, i: number): number;
  /** Row-major [D,D], or [C] for RWKV-4. */
  initial(i: number): number;
}

export function headCount({ op, inputs }: LayerTrace): number {
  return op === 'wkv4' ? 1 : (inputs['k']?.shape[1] ?? 0);
}

export function headOf({ op, inputs, tokens }: LayerTrace, head: number): Head {
  const shape = inputs['k']?.shape ?? [];
  const size = shape.at(-1) ?? 0;
  const heads = op === 'wkv4' ? 1 : (shape[1] ?? 0);
  const dataOf = (name: string): HostArray => inputs[name]?.data ?? new Float64Array(0);
  const perToken = new Set(
    Object.keys(inputs).filter(
      (name) => inputs[name]?.shape[0] === tokens.length && inputs[name].shape.length === shape.length,
    ),
  );
  const initial = dataOf('s0');
  return {
    ...{ op, size, length: tokens.length },
    at: (name, t, i) => dataOf(name)[((perToken.has(name) ? t * heads : 0) + head) * size + i] ?? 0,
    initial: (i) => initial[head * size * size + i] ?? 0,
  };
}

/**
 * The state after token `t`, t = 0 … T−1: [value, key] of RWKV-7, [key, value] of 5 and 6 (both D × D), and of RWKV-4 the weighted
 * average of the values so far, one number per channel.
 */
export function* states(head: Head): Generator<Float64Array, void, void> {
  if (head.op === 'wkv4') return yield* averages(head);
  const { size, length, op } = head;
  const s = Float64Array.from({ length: size * size }, (_, i) => head.initial(i));
  for (let t = 0; t < length; t++) {
    if (op === 'wkv7') update7(s, head, t);
    else update6(s, head, t);
    yield s.slice();
  }
}

/** `S = S diag(e^lw) + (S a) bᵀ + v kᵀ` */
function update7(s: Float64Array, { at, size }: Head, t: number): void {
  for (let row = 0; row < size; row++) {
    let removed = 0;
    for (let i = 0; i < size; i++) removed += (s[row * size + i] ?? 0) * at('a', t, i);
    const v = at('v', t, row);
    for (let i = 0; i < size; i++) {
      const kept = (s[row * size + i] ?? 0) * Math.exp(at('lw', t, i));
      s[row * size + i] = kept + removed * at('b', t, i) + v * at('k', t, i);
    }
  }
}

/** `S = diag(e^lw) S + kᵀ v` */
function update6(s: Float64Array, { at, size }: Head, t: number): void {
  for (let row = 0; row < size; row++) {
    const [decay, k] = [Math.exp(at('lw', t, row)), at('k', t, row)];
    for (let i = 0; i < size; i++) s[row * size + i] = decay * (s[row * size + i] ?? 0) + k * at('v', t, i);
  }
}

function* averages({ at, size, length }: Head): Generator<Float64Array, void, void> {
  const [aa, bb] = [new Float64Array(size), new Float64Array(size)];
  const pp = new Float64Array(size).fill(-1e30);
  for (let t = 0; t < length; t++) {
    for (let c = 0; c < size; c++) {
      const [k, decayed] = [at('k', t, c), (pp[c] ?? 0) + at('w', t, c)];
      const q = Math.max(decayed, k);
      const [old, now] = [Math.exp(decayed - q), Math.exp(k - q)];
      aa[c] = old * (aa[c] ?? 0) + now * at('v', t, c);
      bb[c] = old * (bb[c] ?? 0) + now;
      pp[c] = q;
    }
    yield aa.map((a, c) => a / (bb[c] || 1));
  }
}
