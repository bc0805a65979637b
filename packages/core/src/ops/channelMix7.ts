import type { OpDefinition } from '../ir/definition.ts';

export type ChannelMix7Signature = {
  inputs: 'x' | 'prev' | 'starts' | 'x_k' | 'key' | 'value';
  optional: 'slots';
  outputs: 'y' | 'last';
  attrs: Record<never, never>;
};

export const channelMix7: OpDefinition<ChannelMix7Signature> = {
  kind: 'composite',
  summary: 'The feed-forward half of an RWKV-7 block; unlike before, without a receptance.',
  formula: 'shifted, last = tokenShift(x, prev)\ny = reluSquared(lerp(x, shifted, x_k) @ keyᵀ) @ valueᵀ',
  source: 'Goose paper (arXiv:2503.14456)',
  inputs: {
    x: { shape: 'N C', doc: 'ln2 of the residual stream' },
    prev: { shape: 'S C', doc: 'state ffn_xx' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'sequence s is rows starts[s] to starts[s+1]' },
    x_k: { shape: 'C', doc: 'mix of the key' },
    key: { shape: 'F C', dtype: 'weight', doc: 'stored [out, in]' },
    value: { shape: 'C F', dtype: 'weight', doc: 'stored [out, in]' },
  },
  optional: { slots: { shape: 'S', dtype: 'i32', doc: 'pool rows of the sequences (pooled form)' } },
  outputs: { y: { shape: 'N C', doc: 'added to the residual stream' }, last: { shape: 'S C', doc: 'the new prev' } },
  state: { prev: 'last' },
  decompose(b, { x, prev, starts, x_k, key, value }) {
    const { y: shifted, last } = b.add('tokenShift', { x, prev, starts });
    const k = b.linear(b.add('lerp', { x, shifted, mix: x_k }).y, key);
    return { y: b.linear(b.add('reluSquared', { x: k }).y, value), last };
  },
  flops: ({ N = 0, C = 0, F = 0 }) => 4 * N * C * F,
};
