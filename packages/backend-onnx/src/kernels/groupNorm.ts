import type { Value } from '@receptance/core';
import type { KernelOf } from '../kernel.ts';
import type { Ref } from '../lowering/block.ts';
import type { Lowering } from '../lowering/lowering.ts';

export const groupNorm: KernelOf<'groupNorm'> = {
  lower({ x, w, b }, { y }, { groups, eps }, o) {
    const size = Number(x.shape[1]) / groups;
    return { y: o.reshape(normOfGroups(x, w, b, { groups, size, eps }, o), y.shape) };
  },
};

/** Rows x [N,G · D] as columns of groups [N,G,D,1], normed. Scales of each group apart are what not every provider takes. */
export function normOfGroups(
  x: Value,
  w: Value,
  b: Value,
  { groups, size, eps }: { readonly groups: number; readonly size: number; readonly eps: number },
  o: Lowering,
): Ref {
  const { block } = o;
  const columns = o.reshape(o.ref(x), [x.shape[0] ?? 0, groups, size, 1]);
  const [scale = '', bias = ''] = [w, b].map((value) => o.reshape(o.ref(value), [1, groups, size, 1]));
  const norm = (...weights: Ref[]): Ref =>
    block.op('LayerNormalization', [columns, ...weights], { axis: { int: 2 }, epsilon: { float: eps } });
  if (o.target.provider === 'cpu') return norm(scale, bias);
  const normed = norm(block.floats(Array<number>(size).fill(1), [size, 1]));
  return block.op('Add', [block.op('Mul', [normed, scale]), bias]);
}
