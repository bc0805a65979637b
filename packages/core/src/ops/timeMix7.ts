import type { OpDefinition } from '../ir/definition.ts';
import { badOp, checkHeads } from '../ir/patterns.ts';

type Mix = 'x_r' | 'x_w' | 'x_k' | 'x_v' | 'x_a' | 'x_g';
type Matrix = 'receptance' | 'key' | 'value' | 'output';
type Lora = 'w0' | 'w1' | 'w2' | 'a0' | 'a1' | 'a2' | 'g1' | 'g2';

export type TimeMix7Signature = {
  inputs: 'x' | 'prev' | 's0' | 'starts' | Mix | Matrix | Lora | 'k_k' | 'k_a' | 'r_k' | 'ln_x_w' | 'ln_x_b';
  optional: 'vFirst' | 'v0' | 'v1' | 'v2' | 'slots';
  outputs: 'y' | 'last' | 's' | 'vFirst';
  attrs: { readonly eps: number };
};

export const timeMix7: OpDefinition<TimeMix7Signature> = {
  kind: 'composite',
  summary: 'The time mix of an RWKV-7 block: what transformers do by attention, with a state of constant size.',
  formula: [
    'r, w, k, v, a, g = shiftMix7(x, prev)',
    'r = r @ receptanceᵀ;  k = k @ keyᵀ;  v = v @ valueᵀ',
    'lw = −e^{−1/2} · sigmoid(w0 + tanh(w @ w1) @ w2);  a = sigmoid(a0 + (a @ a1) @ a2);  g = sigmoid(g @ g1) @ g2',
    'kk = l2Norm(k · k_k) per head;  k = k · (1 + (a − 1) · k_a)',
    'first layer: vFirst = v;  others: v = v + (vFirst − v) · sigmoid(v0 + (v_stream @ v1) @ v2)',
    'y, s = wkv7(r, lw, k, v, −kk, kk · a, s0)',
    'y = gatedNorm7(y, r, k, v, g) @ outputᵀ',
  ].join('\n'),
  source: 'Goose paper (arXiv:2503.14456)',
  inputs: {
    x: { shape: 'N C', doc: 'ln1 of the residual stream' },
    prev: { shape: 'S C', doc: 'state att_xx' },
    s0: { shape: 'S H D D', doc: 'state att_kv [value, key]' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'sequence s is rows starts[s] to starts[s+1]' },
    x_r: { shape: 'C', doc: 'mix of the receptance' },
    x_w: { shape: 'C', doc: 'mix of the decay' },
    x_k: { shape: 'C', doc: 'mix of the key' },
    x_v: { shape: 'C', doc: 'mix of the value' },
    x_a: { shape: 'C', doc: 'mix of the in-context learning rate' },
    x_g: { shape: 'C', doc: 'mix of the gate' },
    receptance: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    key: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    value: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    output: { shape: 'C C', dtype: 'weight', doc: 'stored [out, in]' },
    w0: { shape: 'C', doc: 'decay, bias' },
    w1: { shape: 'C W', dtype: 'weight', doc: 'decay, down' },
    w2: { shape: 'W C', dtype: 'weight', doc: 'decay, up' },
    a0: { shape: 'C', doc: 'learning rate, bias' },
    a1: { shape: 'C A', dtype: 'weight', doc: 'learning rate, down' },
    a2: { shape: 'A C', dtype: 'weight', doc: 'learning rate, up' },
    g1: { shape: 'C G', dtype: 'weight', doc: 'gate, down' },
    g2: { shape: 'G C', dtype: 'weight', doc: 'gate, up' },
    k_k: { shape: 'C', doc: 'scale of the removal key' },
    k_a: { shape: 'C', doc: 'how far the learning rate scales the key' },
    r_k: { shape: 'H D', doc: 'bonus' },
    ln_x_w: { shape: 'C', doc: 'ln_x.weight' },
    ln_x_b: { shape: 'C', doc: 'ln_x.bias' },
  },
  optional: {
    vFirst: { shape: 'N C', doc: 'the first layer’s v; absent in the first layer itself' },
    v0: { shape: 'C', doc: 'value residual, bias; absent in the first layer' },
    v1: { shape: 'C V', dtype: 'weight', doc: 'value residual, down' },
    v2: { shape: 'V C', dtype: 'weight', doc: 'value residual, up' },
    slots: { shape: 'S', dtype: 'i32', doc: 'pool rows of the sequences (pooled form)' },
  },
  outputs: {
    y: { shape: 'N C', doc: 'added to the residual stream' },
    last: { shape: 'S C', doc: 'the new prev' },
    s: { shape: 'S H D D', doc: 'the new s0' },
    vFirst: { shape: 'N C', doc: 'for the layers after' },
  },
  attrs: { eps: { type: 'epsilon', doc: 'of the group norm; 64e-5 in official models' } },
  constraints: ['C = H · D.', 'vFirst, v0, v1 and v2 come together or not at all.'],
  infer({ vFirst, v0, v1, v2 }, _, dims) {
    checkHeads(dims);
    const residual = [vFirst, v0, v1, v2].filter((value) => value !== undefined).length;
    if (residual % 4 !== 0) throw badOp('vFirst, v0, v1 and v2 come together or not at all');
    return {};
  },
  state: { prev: 'last', s0: 's' },
  decompose(b, x, { eps }) {
    const [heads = 0, headSize = 0] = x.r_k.shape;
    const perHead = [x.x.shape[0] ?? 0, heads, headSize];
    const { x_r, x_w, x_k, x_v, x_a, x_g, starts } = x;
    const stream = b.add('shiftMix7', { x: x.x, prev: x.prev, starts, x_r, x_w, x_k, x_v, x_a, x_g });
    const r = b.linear(stream.r, x.receptance);
    const key = b.linear(stream.k, x.key);
    const value = b.linear(stream.v, x.value);

    const decay = b.add('lora', { x: stream.w, w1: x.w1, w2: x.w2, bias: x.w0 }, { fn: 'tanh' }).y;
    const lw = b.binary('mul', -Math.exp(-0.5), b.unary('sigmoid', decay));
    const a = b.unary('sigmoid', b.add('lora', { x: stream.a, w1: x.a1, w2: x.a2, bias: x.a0 }, { fn: 'none' }).y);
    const g = b.add('lora', { x: stream.g, w1: x.g1, w2: x.g2 }, { fn: 'sigmoid' }).y;

    const kk = b.add('l2Norm', { x: b.binary('mul', key, x.k_k) }, { groups: Number(heads), eps: 1e-12 }).y;
    const k = b.binary('mul', key, b.binary('add', 1, b.binary('mul', b.binary('sub', a, 1), x.k_a)));

    let v = value;
    if (x.vFirst && x.v0 && x.v1 && x.v2) {
      const mix = b.unary('sigmoid', b.add('lora', { x: stream.v, w1: x.v1, w2: x.v2, bias: x.v0 }, { fn: 'none' }).y);
      v = b.binary('add', value, b.binary('mul', b.binary('sub', x.vFirst, value), mix));
    }

    const heads3 = (t: typeof r) => b.reshape(t, perHead);
    const memory = b.add('wkv7', {
      ...{ r: heads3(r), lw: heads3(lw), k: heads3(k), v: heads3(v) },
      ...{ a: heads3(b.unary('neg', kk)), b: heads3(b.binary('mul', kk, a)), s0: x.s0, starts },
    });
    const read = b.reshape(memory.y, r.shape);
    const gated = b.add('gatedNorm7', { y: read, r, k, v, g, r_k: x.r_k, w: x.ln_x_w, b: x.ln_x_b }, { eps }).y;
    return { y: b.linear(gated, x.output), last: stream.last, s: memory.s, vFirst: x.vFirst ?? value };
  },
};
