import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';

type Stream = 'w' | 'k' | 'v' | 'r' | 'g';

export type ShiftMix6Signature = {
  inputs: 'x' | 'prev' | 'starts' | 'maa_x' | 'maa_w1' | 'maa_w2' | `maa_${Stream}`;
  optional: 'slots';
  outputs: Stream | 'last';
  attrs: Record<never, never>;
};

const STREAMS = ['w', 'k', 'v', 'r', 'g'] as const;

export const shiftMix6: OpDefinition<ShiftMix6Signature> = {
  kind: 'composite',
  summary: 'The five streams of RWKV-6’s time mix, each mixed with the token before it by data-dependent shares.',
  formula: [
    'shifted, last = tokenShift(x, prev)',
    'm = tanh(lerp(x, shifted, maa_x) @ maa_w1) as [5, N, Q], times maa_w2 [5, Q, C], in the order w, k, v, r, g',
    'c = x + (shifted − x) · (maa_c + m_c)',
  ].join('\n'),
  source: 'Eagle and Finch paper (arXiv:2404.05892)',
  inputs: {
    x: { shape: 'N C', doc: 'normed tokens' },
    prev: { shape: 'S C', doc: 'state att_xx' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'sequence s is rows starts[s] to starts[s+1]' },
    maa_x: { shape: 'C', doc: 'mix of the stream that chooses the mixes' },
    maa_w1: { shape: 'C P', dtype: 'weight', doc: 'down, stored [in, out], P = 5 Q' },
    maa_w2: { shape: '5 Q C', doc: 'up, one matrix a stream, stored [in, out]' },
    maa_w: { shape: 'C', doc: 'mix of the decay' },
    maa_k: { shape: 'C', doc: 'mix of the key' },
    maa_v: { shape: 'C', doc: 'mix of the value' },
    maa_r: { shape: 'C', doc: 'mix of the receptance' },
    maa_g: { shape: 'C', doc: 'mix of the gate' },
  },
  optional: { slots: { shape: 'S', dtype: 'i32', doc: 'pool rows of the sequences (pooled form)' } },
  outputs: {
    w: { shape: 'N C', doc: 'decay stream' },
    k: { shape: 'N C', doc: 'key stream' },
    v: { shape: 'N C', doc: 'value stream' },
    r: { shape: 'N C', doc: 'receptance stream' },
    g: { shape: 'N C', doc: 'gate stream' },
    last: { shape: 'S C', doc: 'the new prev' },
  },
  constraints: ['P = 5 Q.'],
  infer(_, __, { P = 0, Q = 0 }) {
    if (Number(P) !== 5 * Number(Q)) throw badOp(`maa_w1 is ${P} wide, five ranks of ${Q} are needed`);
    return {};
  },
  state: { prev: 'last' },
  decompose(b, { x, prev, starts, maa_x, maa_w1, maa_w2, ...maa }) {
    const rows = x.shape[0] ?? 0;
    const [, rank = 0] = maa_w2.shape;
    const { y: shifted, last } = b.add('tokenShift', { x, prev, starts });
    const low = b.unary('tanh', b.linear(b.add('lerp', { x, shifted, mix: maa_x }).y, maa_w1, true));
    const split = b.add('transpose', { x: b.reshape(low, [rows, 5, rank]) }, { axes: [1, 0, 2] }).y;
    const shares = b.add('matmul', { a: split, b: maa_w2 }, { transposeA: false, transposeB: false }).y;
    const difference = b.binary('sub', shifted, x);
    const stream = (name: Stream) => {
      const index = STREAMS.indexOf(name);
      const own = b.reshape(b.add('slice', { x: shares }, { axis: 0, start: index, end: index + 1 }).y, x.shape);
      const mix = b.binary('add', own, maa[`maa_${name}`]);
      return b.binary('add', x, b.binary('mul', difference, mix));
    };
    return { w: stream('w'), k: stream('k'), v: stream('v'), r: stream('r'), g: stream('g'), last };
  },
  flops: ({ N = 0, C = 0, P = 0 }) => 4 * N * C * P + 20 * N * C,
};
