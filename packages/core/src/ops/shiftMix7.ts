import type { OpDefinition } from '../ir/definition.ts';

type Stream = 'r' | 'w' | 'k' | 'v' | 'a' | 'g';

export type ShiftMix7Signature = {
  inputs: 'x' | 'prev' | 'starts' | `x_${Stream}`;
  optional: 'slots';
  outputs: Stream | 'last';
  attrs: Record<never, never>;
};

export const shiftMix7: OpDefinition<ShiftMix7Signature> = {
  kind: 'composite',
  summary: 'The six streams of RWKV-7’s time mix: each its own mixture of a token and the one before it.',
  formula: 'shifted, last = tokenShift(x, prev, starts)\nc = x + (shifted − x) · x_c  for c in r, w, k, v, a, g',
  inputs: {
    x: { shape: 'N C', doc: 'normed tokens' },
    prev: { shape: 'S C', doc: 'state att_xx' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'sequence s is rows starts[s] to starts[s+1]' },
    x_r: { shape: 'C', doc: 'mix of the receptance' },
    x_w: { shape: 'C', doc: 'mix of the decay' },
    x_k: { shape: 'C', doc: 'mix of the key' },
    x_v: { shape: 'C', doc: 'mix of the value' },
    x_a: { shape: 'C', doc: 'mix of the in-context learning rate' },
    x_g: { shape: 'C', doc: 'mix of the gate' },
  },
  optional: { slots: { shape: 'S', dtype: 'i32', doc: 'pool rows of the sequences (pooled form)' } },
  outputs: {
    r: { shape: 'N C', doc: 'receptance stream' },
    w: { shape: 'N C', doc: 'decay stream' },
    k: { shape: 'N C', doc: 'key stream' },
    v: { shape: 'N C', doc: 'value stream' },
    a: { shape: 'N C', doc: 'learning rate stream' },
    g: { shape: 'N C', doc: 'gate stream' },
    last: { shape: 'S C', doc: 'the new prev' },
  },
  state: { prev: 'last' },
  decompose(b, { x, prev, starts, x_r, x_w, x_k, x_v, x_a, x_g }) {
    const { y: shifted, last } = b.add('tokenShift', { x, prev, starts });
    const stream = (mix: typeof x) => b.add('lerp', { x, shifted, mix }).y;
    return { r: stream(x_r), w: stream(x_w), k: stream(x_k), v: stream(x_v), a: stream(x_a), g: stream(x_g), last };
  },
  flops: (_, __, { r }) => 18 * r,
};
