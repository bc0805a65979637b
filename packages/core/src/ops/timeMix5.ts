import type { OpDefinition } from '../ir/definition.ts';
import { badOp, checkHeads } from '../ir/patterns.ts';

export type TimeMix5Signature = {
  inputs:
    | ('x' | 'prev' | 's0' | 'starts' | 'mix_k' | 'mix_v' | 'mix_r' | 'lw' | 'u')
    | ('receptance' | 'key' | 'value' | 'output' | 'ln_x_w' | 'ln_x_b');
  optional: 'mix_g' | 'gate' | 'slots';
  outputs: 'y' | 'last' | 's';
  attrs: { readonly eps: number };
};

export const timeMix5: OpDefinition<TimeMix5Signature> = {
  kind: 'composite',
  summary: 'The time mix of RWKV-5: a matrix-valued memory per head with constant decays.',
  formula: [
    'shifted, last = tokenShift(x, prev)',
    'c = lerp(shifted, x, mix_c)  for c in k, v, r and, where there is a gate, g',
    'y, s = wkv6(r @ receptanceᵀ, lw, k @ keyᵀ, v @ valueᵀ, u, s0)',
    'y = groupNorm(y, H groups);  with a gate: y = y · silu(g @ gateᵀ)',
    'y = y @ outputᵀ',
  ].join('\n'),
  source: 'Eagle and Finch paper (arXiv:2404.05892); 5.0 has no gate',
  inputs: {
    x: { shape: 'N C', doc: 'ln1 of the residual stream' },
    prev: { shape: 'S C', doc: 'state att_xx' },
    s0: { shape: 'S H D D', doc: 'state att_kv [key, value]' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'sequence s is rows starts[s] to starts[s+1]' },
    mix_k: { shape: 'C', doc: 'share of the present token in the key' },
    mix_v: { shape: 'C', doc: 'share of the present token in the value' },
    mix_r: { shape: 'C', doc: 'share of the present token in the receptance' },
    lw: { shape: 'H D', doc: 'log decay, −exp(time_decay)' },
    u: { shape: 'H D', doc: 'bonus: time_faaaa, or exp(time_first)' },
    receptance: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    key: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    value: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    output: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    ln_x_w: { shape: 'C', doc: 'ln_x.weight' },
    ln_x_b: { shape: 'C', doc: 'ln_x.bias' },
  },
  optional: {
    mix_g: { shape: 'C', doc: 'share of the present token in the gate (5.1, 5.2)' },
    gate: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in] (5.1, 5.2)' },
    slots: { shape: 'S', dtype: 'i32', doc: 'pool rows of the sequences (pooled form)' },
  },
  outputs: {
    y: { shape: 'N C', doc: 'added to the residual stream' },
    last: { shape: 'S C', doc: 'the new prev' },
    s: { shape: 'S H D D', doc: 'the new s0' },
  },
  attrs: { eps: { type: 'epsilon', doc: 'of the group norm; 64e-5 in official models' } },
  constraints: ['C = H · D.', 'mix_g and gate come together or not at all.'],
  infer({ mix_g, gate }, _, dims) {
    checkHeads(dims);
    if ((mix_g === undefined) !== (gate === undefined)) throw badOp('mix_g and gate come together or not at all');
    return {};
  },
  state: { prev: 'last', s0: 's' },
  decompose(b, t, { eps }) {
    const [heads = 0, headSize = 0] = t.u.shape;
    const { x, starts } = t;
    const perHead = (v: typeof x) => b.reshape(v, [x.shape[0] ?? 0, heads, headSize]);
    const { y: shifted, last } = b.add('tokenShift', { x, prev: t.prev, starts });
    const stream = (mix: typeof x) => b.add('lerp', { x: shifted, shifted: x, mix }).y;
    const r = perHead(b.linear(stream(t.mix_r), t.receptance));
    const k = perHead(b.linear(stream(t.mix_k), t.key));
    const v = perHead(b.linear(stream(t.mix_v), t.value));
    const memory = b.add('wkv6', { r, lw: t.lw, k, v, u: t.u, s0: t.s0, starts });
    const read = b.reshape(memory.y, x.shape);
    const norm = { groups: Number(heads), eps };
    let y = b.add('groupNorm', { x: read, w: t.ln_x_w, b: t.ln_x_b }, norm).y;
    if (t.mix_g && t.gate) y = b.binary('mul', y, b.add('silu', { x: b.linear(stream(t.mix_g), t.gate) }).y);
    return { y: b.linear(y, t.output), last, s: memory.s };
  },
};
