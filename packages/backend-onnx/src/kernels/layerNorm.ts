import type { InputsOf, SignatureOf } from '@receptance/core';
import type { KernelOf } from '../kernel.ts';
import type { Ref } from '../lowering/block.ts';
import type { Lowering } from '../lowering/lowering.ts';

type Inputs = InputsOf<SignatureOf<'layerNorm'>>;

export const layerNorm: KernelOf<'layerNorm'> = {
  lower: (x, _, { eps }, o) => ({ y: normOfSum(x, eps, o) ?? norm(x, eps, o) }),
};

function norm({ x, w, b }: Inputs, eps: number, o: Lowering): Ref {
  const attributes = { axis: { int: -1 }, epsilon: { float: eps } };
  return o.block.op('LayerNormalization', [o.ref(x), o.ref(w), o.ref(b)], attributes);
}

/** On the CPU a residual sum is made with the norm that follows: the sum that was there is what nothing needs any more. */
function normOfSum({ x, w, b }: Inputs, eps: number, o: Lowering): Ref | undefined {
  const { block, target } = o;
  if (target.provider !== 'cpu' || o.isEmpty(x.shape)) return undefined;
  const node = o.producer(x);
  const terms = node?.op === 'binary' && node.attrs['fn'] === 'add' ? Object.values(node.inputs) : [];
  if (terms.length !== 2 || terms.some(({ shape }) => String(shape) !== String(x.shape))) return undefined;
  const inputs = [...terms, w, b].map((value) => o.ref(value));
  const [y, sum] = [block.names.fresh('normed'), block.names.fresh('sum')];
  const options = { domain: 'com.microsoft', as: [y, '', '', sum] };
  block.ops('SkipLayerNormalization', inputs, 4, { epsilon: { float: eps } }, options);
  o.set(x, sum);
  return y;
}
