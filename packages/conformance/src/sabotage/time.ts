import type { OpName } from '@receptance/core';
import { changed, other, replaced, type Sabotage, withAttrs, withInputs } from './sabotage.ts';

/** An input taken as 0 everywhere. */
function zeroed(op: OpName, input: string, name: string): Sabotage {
  return changed(op, name, (b, x, node) =>
    node.inputs[input] === undefined ? undefined : other(node, b, x, { [input]: b.full(0, x(input).shape) }),
  );
}

/** An output of the wrong sign. */
function negated(op: OpName, output: string): Sabotage {
  return changed(op, `${output} has the wrong sign`, (b, x, node) => {
    const outputs = other(node, b, x, {});
    const value = outputs[output];
    return value === undefined ? undefined : { ...outputs, [output]: b.unary('neg', value) };
  });
}

/** Ops along time, their gradients, and the halves of blocks made of them. */
export const time: readonly Sabotage[] = [
  changed('tokenShift', 'shifts nothing', (b, x, node) => ({ ...other(node, b, x, {}), y: x('x') })),
  zeroed('tokenShift', 'prev', 'the state is dropped'),
  changed('tokenShift', 'the state is not carried on', (b, x, node) => ({ ...other(node, b, x, {}), last: x('prev') })),
  changed('tokenShift', 'shifts by two', (b, x, node) => {
    const once = other(node, b, x, {});
    const twice = once['y'] === undefined ? {} : other(node, b, x, { x: once['y'] });
    return { ...once, ...(twice['y'] === undefined ? {} : { y: twice['y'] }) };
  }),
  replaced('tokenShift', 'across the borders of sequences', ({ x, prev, starts }, { y, last }) => {
    const width = x.shape[1] ?? 0;
    y.data.set(prev.data.subarray(0, Math.min(width, y.data.length)));
    y.data.set(x.data.subarray(0, Math.max(0, x.data.length - width)), Math.min(width, y.data.length));
    for (let s = 0; s + 1 < starts.data.length; s++) {
      const end = starts.data[s + 1] ?? 0;
      if (end > (starts.data[s] ?? 0)) last.data.set(x.data.subarray((end - 1) * width, end * width), s * width);
    }
  }),
  replaced('tokenShift', 'an empty sequence loses its state', ({ x, prev, starts }, { y, last }) => {
    const width = x.shape[1] ?? 0;
    for (let s = 0; s + 1 < starts.data.length; s++) {
      const [begin, end] = [starts.data[s] ?? 0, starts.data[s + 1] ?? 0];
      for (let t = begin; t < end; t++) {
        const row =
          t > begin ? x.data.subarray((t - 1) * width, t * width) : prev.data.subarray(s * width, (s + 1) * width);
        y.data.set(row, t * width);
      }
      const row = end > begin ? x.data.slice((end - 1) * width, end * width) : new Float64Array(width);
      last.data.set(row, s * width);
    }
  }),
  zeroed('tokenShiftGrad', 'glast', 'nothing comes back from the state'),
  negated('tokenShiftGrad', 'gprev'),
  changed('tokenShiftGrad', 'shifts nothing back', (b, x, node) => ({ ...other(node, b, x, {}), gx: x('gy') })),

  zeroed('wkv4', 'u', 'no bonus'),
  zeroed('wkv4', 'aa0', 'the state is dropped'),
  zeroed('wkv4', 'pp0', 'the exponent of the state is dropped'),
  changed(
    'wkv4',
    'the decay is no logarithm',
    withInputs((b, x) => ({ w: b.unary('exp', x('w')) })),
  ),
  changed(
    'wkv4',
    'the decay has the wrong sign',
    withInputs((b, x) => ({ w: b.unary('neg', x('w')) })),
  ),
  changed('wkv4', 'the state is not carried on', (b, x, node) => ({ ...other(node, b, x, {}), aa: x('aa0') })),
  replaced('wkv4', 'no maximum is taken out', ({ w, u, k, v, aa0, bb0, pp0, starts, slots }, { y, aa, bb, pp }) => {
    const width = k.shape[1] ?? 0;
    const of = (x: { readonly data: ArrayLike<number> }, i: number): number => x.data[i] ?? 0;
    if (slots === undefined)
      for (const [from, to] of [
        [aa0, aa],
        [bb0, bb],
        [pp0, pp],
      ] as const)
        to.data.set(from.data);
    for (let s = 0; s + 1 < starts.data.length; s++) {
      const row = (slots === undefined ? s : of(slots, s)) * width;
      for (let c = 0; c < width; c++) {
        let [a, d] = [of(aa, row + c) * Math.exp(of(pp, row + c)), of(bb, row + c) * Math.exp(of(pp, row + c))];
        for (let t = of(starts, s); t < of(starts, s + 1); t++) {
          const [key, value, bonus] = [Math.exp(of(k, t * width + c)), of(v, t * width + c), Math.exp(of(u, c))];
          y.data[t * width + c] = (a + bonus * key * value) / (d + bonus * key);
          [a, d] = [a * Math.exp(of(w, c)) + key * value, d * Math.exp(of(w, c)) + key];
        }
        if (of(starts, s) < of(starts, s + 1)) [aa.data[row + c], bb.data[row + c], pp.data[row + c]] = [a, d, 0];
      }
    }
  }),
  ...(['wkv6', 'wkv7'] as const).map((op) => zeroed(op, 's0', 'the state given is not read')),
  changed(
    'wkv6',
    'r and k exchanged',
    withInputs((_, x) => ({ r: x('k'), k: x('r') })),
  ),
  changed(
    'wkv7',
    'a and b exchanged',
    withInputs((_, x) => ({ a: x('b'), b: x('a') })),
  ),

  zeroed('wkv4Grad', 'gaa', 'nothing comes back from the state'),
  ...['gw', 'gu', 'gk', 'gv', 'gaa0', 'gbb0', 'gpp0'].map((output) => negated('wkv4Grad', output)),
  zeroed('wkv6Grad', 'gs', 'nothing comes back from the state'),
  ...['gr', 'glw', 'gk', 'gv', 'gu', 'gs0'].map((output) => negated('wkv6Grad', output)),
  zeroed('wkv7Grad', 'gs', 'nothing comes back from the state'),
  ...['gr', 'glw', 'gk', 'gv', 'ga', 'gb', 'gs0'].map((output) => negated('wkv7Grad', output)),

  changed(
    'shiftMix6',
    'k and v exchanged',
    withInputs((_, x) => ({ maa_k: x('maa_v'), maa_v: x('maa_k') })),
  ),
  zeroed('shiftMix6', 'maa_w1', 'mixes do not depend on the data'),
  changed(
    'shiftMix7',
    'r and w exchanged',
    withInputs((_, x) => ({ x_r: x('x_w'), x_w: x('x_r') })),
  ),
  zeroed('shiftMix7', 'prev', 'the state is dropped'),
  zeroed('gatedNorm7', 'r_k', 'no bonus'),
  changed(
    'gatedNorm7',
    'no gate',
    withInputs((b, x) => ({ g: b.full(1, x('g').shape) })),
  ),
  changed(
    'gatedNorm7',
    'wrong eps',
    withAttrs(() => ({ eps: 1e-5 })),
  ),
  changed(
    'channelMix4',
    'mixes the other way',
    withAttrs(({ mixOf }) => ({ mixOf: mixOf === 'present' ? 'previous' : 'present' })),
  ),
  zeroed('channelMix4', 'receptance', 'the receptance is forgotten'),
  zeroed('channelMix7', 'prev', 'the state is dropped'),
  changed('channelMix7', 'takes the value of the token before', (b, x, node) =>
    other(node, b, x, { x_k: b.full(1, x('x_k').shape) }),
  ),
  zeroed('timeMix4', 'u', 'no bonus'),
  changed(
    'timeMix4',
    'receptance and key exchanged',
    withInputs((_, x) => ({ receptance: x('key'), key: x('receptance') })),
  ),
  changed(
    'timeMix5',
    'wrong eps',
    withAttrs(() => ({ eps: 1e-5 })),
  ),
  zeroed('timeMix5', 'u', 'no bonus'),
  zeroed('timeMix6', 'decay_w2', 'decays do not depend on the data'),
  zeroed('timeMix6', 's0', 'the state is dropped'),
  changed('timeMix7', 'the previous layer’s v as vFirst', (b, x, node) => {
    if (node.inputs['vFirst'] === undefined) return undefined;
    const mixes = Object.fromEntries(['x_r', 'x_w', 'x_k', 'x_v', 'x_a', 'x_g'].map((name) => [name, x(name)]));
    const stream = b.insert('shiftMix7', { x: x('x'), prev: x('prev'), starts: x('starts'), ...mixes }, {});
    const own = stream['v'] === undefined ? undefined : b.linear(stream['v'], x('value'));
    return own === undefined ? undefined : { ...other(node, b, x, {}), vFirst: own };
  }),
  changed('timeMix7', 'the value residual is left out', (b, x, node) =>
    node.inputs['vFirst'] === undefined ? undefined : other(node, b, x, { v0: b.full(-1e3, x('v0').shape) }),
  ),
  changed(
    'timeMix7',
    'wrong eps',
    withAttrs(() => ({ eps: 1e-5 })),
  ),
  zeroed('timeMix7', 'k_a', 'the key is not scaled by the learning rate'),
  zeroed('timeMix7', 'r_k', 'no bonus'),
  zeroed('timeMix7', 's0', 'the state is dropped'),
  ...(['block4', 'block5', 'block6', 'block7'] as const).flatMap((op) => [
    changed(
      op,
      'the norms exchanged',
      withInputs((_, x) => ({ ln1_w: x('ln2_w'), ln2_w: x('ln1_w') })),
    ),
    zeroed(op, 'ffn_prev', 'the state of the channel mix is dropped'),
    changed(op, 'the residual stream is left out', (b, x, node) => {
      const outputs = other(node, b, x, {});
      return outputs['y'] === undefined ? undefined : { ...outputs, y: b.binary('sub', outputs['y'], x('x')) };
    }),
  ]),
];
