import type { OpDefinition } from '../ir/definition.ts';

export type ChannelMix4Signature = {
  inputs: 'x' | 'prev' | 'starts' | 'mix_k' | 'mix_r' | 'key' | 'receptance' | 'value';
  optional: 'slots';
  outputs: 'y' | 'last';
  attrs: { readonly mixOf: 'present' | 'previous' };
};

export const channelMix4: OpDefinition<ChannelMix4Signature> = {
  kind: 'composite',
  summary: 'The feed-forward half of the blocks of RWKV-4, 5 and 6, gated by a receptance.',
  formula: [
    'shifted, last = tokenShift(x, prev)',
    'c = lerp(shifted, x, mix_c) (mixOf present), lerp(x, shifted, mix_c) (previous)  for c in k, r',
    'y = sigmoid(r @ receptanceᵀ) · (reluSquared(k @ keyᵀ) @ valueᵀ)',
  ].join('\n'),
  source: 'RWKV-4 paper (arXiv:2305.13048); RWKV-6 mixes by time_maa (arXiv:2404.05892)',
  inputs: {
    x: { shape: 'N C', doc: 'ln2 of the residual stream' },
    prev: { shape: 'S C', doc: 'state ffn_xx' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'sequence s is rows starts[s] to starts[s+1]' },
    mix_k: { shape: 'C', doc: 'mix of the key' },
    mix_r: { shape: 'C', doc: 'mix of the receptance' },
    key: { shape: 'F C', dtype: 'weight', doc: 'stored [out, in]' },
    receptance: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    value: { shape: 'C F', dtype: 'weight', doc: 'stored [out, in]' },
  },
  optional: { slots: { shape: 'S', dtype: 'i32', doc: 'pool rows of the sequences (pooled form)' } },
  outputs: { y: { shape: 'N C', doc: 'added to the residual stream' }, last: { shape: 'S C', doc: 'the new prev' } },
  attrs: { mixOf: { type: ['present', 'previous'], doc: 'whose share a mix of 1 is: versions 4 and 5, or 6' } },
  state: { prev: 'last' },
  decompose(b, { x, prev, starts, mix_k, mix_r, key, receptance, value }, { mixOf }) {
    const { y: shifted, last } = b.add('tokenShift', { x, prev, starts });
    const ends = mixOf === 'present' ? { x: shifted, shifted: x } : { x, shifted };
    const stream = (mix: typeof x) => b.add('lerp', { ...ends, mix }).y;
    const r = b.unary('sigmoid', b.linear(stream(mix_r), receptance));
    const k = b.add('reluSquared', { x: b.linear(stream(mix_k), key) }).y;
    return { y: b.binary('mul', r, b.linear(k, value)), last };
  },
  flops: ({ N = 0, C = 0, F = 0 }) => 2 * N * C * (2 * F + C),
};
