import type { OpDefinition } from '../ir/definition.ts';
import { checkHeads } from '../ir/patterns.ts';

type Maa = 'maa_x' | 'maa_w1' | 'maa_w2' | 'maa_w' | 'maa_k' | 'maa_v' | 'maa_r' | 'maa_g';

export type TimeMix6Signature = {
  inputs:
    | ('x' | 'prev' | 's0' | 'starts' | Maa | 'decay' | 'decay_w1' | 'decay_w2' | 'u')
    | ('receptance' | 'key' | 'value' | 'gate' | 'output' | 'ln_x_w' | 'ln_x_b');
  optional: 'slots';
  outputs: 'y' | 'last' | 's';
  attrs: { readonly eps: number };
};

export const timeMix6: OpDefinition<TimeMix6Signature> = {
  kind: 'composite',
  summary: 'The time mix of RWKV-6: RWKV-5’s memory with decays and mixes that depend on the data.',
  formula: [
    'w, k, v, r, g, last = shiftMix6(x, prev)',
    'lw = −exp(decay + tanh(w @ decay_w1) @ decay_w2)',
    'y, s = wkv6(r @ receptanceᵀ, lw, k @ keyᵀ, v @ valueᵀ, u, s0)',
    'y = (groupNorm(y, H groups) · silu(g @ gateᵀ)) @ outputᵀ',
  ].join('\n'),
  source: 'Eagle and Finch paper (arXiv:2404.05892)',
  inputs: {
    x: { shape: 'N C', doc: 'ln1 of the residual stream' },
    prev: { shape: 'S C', doc: 'state att_xx' },
    s0: { shape: 'S H D D', doc: 'state att_kv [key, value]' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'sequence s is rows starts[s] to starts[s+1]' },
    maa_x: { shape: 'C', doc: 'as in shiftMix6' },
    maa_w1: { shape: 'C P', dtype: 'weight', doc: 'as in shiftMix6' },
    maa_w2: { shape: '5 Q C', doc: 'as in shiftMix6' },
    maa_w: { shape: 'C', doc: 'as in shiftMix6' },
    maa_k: { shape: 'C', doc: 'as in shiftMix6' },
    maa_v: { shape: 'C', doc: 'as in shiftMix6' },
    maa_r: { shape: 'C', doc: 'as in shiftMix6' },
    maa_g: { shape: 'C', doc: 'as in shiftMix6' },
    decay: { shape: 'C', doc: 'time_decay' },
    decay_w1: { shape: 'C W', dtype: 'weight', doc: 'down, stored [in, out]' },
    decay_w2: { shape: 'W C', dtype: 'weight', doc: 'up, stored [in, out]' },
    u: { shape: 'H D', doc: 'bonus, time_faaaa' },
    receptance: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    key: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    value: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    gate: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    output: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    ln_x_w: { shape: 'C', doc: 'ln_x.weight' },
    ln_x_b: { shape: 'C', doc: 'ln_x.bias' },
  },
  optional: { slots: { shape: 'S', dtype: 'i32', doc: 'pool rows of the sequences (pooled form)' } },
  outputs: {
    y: { shape: 'N C', doc: 'added to the residual stream' },
    last: { shape: 'S C', doc: 'the new prev' },
    s: { shape: 'S H D D', doc: 'the new s0' },
  },
  attrs: { eps: { type: 'epsilon', doc: 'of the group norm; 64e-5 in official models' } },
  constraints: ['C = H · D.'],
  infer(_, __, dims) {
    checkHeads(dims);
    return {};
  },
  state: { prev: 'last', s0: 's' },
  decompose(b, t, { eps }) {
    const [heads = 0, headSize = 0] = t.u.shape;
    const { x, prev, starts, maa_x, maa_w1, maa_w2, maa_w, maa_k, maa_v, maa_r, maa_g } = t;
    const perHead = (v: typeof x) => b.reshape(v, [x.shape[0] ?? 0, heads, headSize]);
    const mixes = { maa_x, maa_w1, maa_w2, maa_w, maa_k, maa_v, maa_r, maa_g };
    const stream = b.add('shiftMix6', { x, prev, starts, ...mixes });
    const decay = b.add('lora', { x: stream.w, w1: t.decay_w1, w2: t.decay_w2, bias: t.decay }, { fn: 'tanh' }).y;
    const lw = perHead(b.unary('neg', b.unary('exp', decay)));
    const r = perHead(b.linear(stream.r, t.receptance));
    const k = perHead(b.linear(stream.k, t.key));
    const v = perHead(b.linear(stream.v, t.value));
    const memory = b.add('wkv6', { r, lw, k, v, u: t.u, s0: t.s0, starts });
    const read = b.reshape(memory.y, x.shape);
    const normed = b.add('groupNorm', { x: read, w: t.ln_x_w, b: t.ln_x_b }, { groups: Number(heads), eps }).y;
    const gate = b.add('silu', { x: b.linear(stream.g, t.gate) }).y;
    return { y: b.linear(b.binary('mul', normed, gate), t.output), last: stream.last, s: memory.s };
  },
};
