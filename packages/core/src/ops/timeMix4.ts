import type { OpDefinition } from '../ir/definition.ts';

export type TimeMix4Signature = {
  inputs:
    | ('x' | 'prev' | 'aa0' | 'bb0' | 'pp0' | 'starts' | 'mix_k' | 'mix_v' | 'mix_r')
    | ('w' | 'u' | 'key' | 'value' | 'receptance' | 'output');
  optional: 'slots';
  outputs: 'y' | 'last' | 'aa' | 'bb' | 'pp';
  attrs: Record<never, never>;
};

export const timeMix4: OpDefinition<TimeMix4Signature> = {
  kind: 'composite',
  summary: 'The time mix of RWKV-4: an attention whose weights are one exponential decay per channel.',
  formula: [
    'shifted, last = tokenShift(x, prev)',
    'c = lerp(shifted, x, mix_c)  for c in k, v, r',
    'wkv, aa, bb, pp = wkv4(w, u, k @ keyᵀ, v @ valueᵀ, aa0, bb0, pp0)',
    'y = (sigmoid(r @ receptanceᵀ) · wkv) @ outputᵀ',
  ].join('\n'),
  source: 'RWKV-4 paper (arXiv:2305.13048)',
  inputs: {
    x: { shape: 'N C', doc: 'ln1 of the residual stream' },
    prev: { shape: 'S C', doc: 'state att_xx' },
    aa0: { shape: 'S C', doc: 'state att_aa' },
    bb0: { shape: 'S C', doc: 'state att_bb' },
    pp0: { shape: 'S C', doc: 'state att_pp' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'sequence s is rows starts[s] to starts[s+1]' },
    mix_k: { shape: 'C', doc: 'share of the present token in the key' },
    mix_v: { shape: 'C', doc: 'share of the present token in the value' },
    mix_r: { shape: 'C', doc: 'share of the present token in the receptance' },
    w: { shape: 'C', doc: 'log decay, −exp(time_decay)' },
    u: { shape: 'C', doc: 'bonus, time_first' },
    key: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    value: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    receptance: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    output: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
  },
  optional: { slots: { shape: 'S', dtype: 'i32', doc: 'pool rows of the sequences (pooled form)' } },
  outputs: {
    y: { shape: 'N C', doc: 'added to the residual stream' },
    last: { shape: 'S C', doc: 'the new prev' },
    aa: { shape: 'S C', doc: 'the new aa0' },
    bb: { shape: 'S C', doc: 'the new bb0' },
    pp: { shape: 'S C', doc: 'the new pp0' },
  },
  state: { prev: 'last', aa0: 'aa', bb0: 'bb', pp0: 'pp' },
  decompose(b, { x, prev, aa0, bb0, pp0, starts, mix_k, mix_v, mix_r, w, u, key, value, receptance, output }) {
    const { y: shifted, last } = b.add('tokenShift', { x, prev, starts });
    const stream = (mix: typeof x) => b.add('lerp', { x: shifted, shifted: x, mix }).y;
    const r = b.unary('sigmoid', b.linear(stream(mix_r), receptance));
    const [k, v] = [b.linear(stream(mix_k), key), b.linear(stream(mix_v), value)];
    const { y: wkv, aa, bb, pp } = b.add('wkv4', { w, u, k, v, aa0, bb0, pp0, starts });
    return { y: b.linear(b.binary('mul', r, wkv), output), last, aa, bb, pp };
  },
  flops: ({ N = 0, C = 0 }) => N * (8 * C * C + 40 * C),
};
