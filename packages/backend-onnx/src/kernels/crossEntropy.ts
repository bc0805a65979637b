import type { Value } from '@receptance/core';
import type { KernelOf } from '../kernel.ts';
import type { Ref } from '../lowering/block.ts';
import type { Lowering } from '../lowering/lowering.ts';

export const crossEntropy: KernelOf<'crossEntropy'> = {
  lower({ logits, targets }, { y }, _, o) {
    const { block } = o;
    if (o.isEmpty(y.shape)) return { y: o.full(0, y.shape) };
    const { column, isLeftOut } = targetsOf(logits, targets, o);
    const logProbabilities = logSoftmax(o.ref(logits), o);
    const chosen = block.op('GatherElements', [logProbabilities, column], { axis: { int: 1 } });
    const losses = block.op('Neg', [block.op('Squeeze', [chosen, block.ints([1])])]);
    return { y: block.op('Where', [isLeftOut, block.floats([0]), losses]) };
  },
};

/** The WebGPU provider has no op for it. */
function logSoftmax(x: Ref, o: Lowering): Ref {
  const { block } = o;
  if (o.target.provider !== 'webgpu') return block.op('LogSoftmax', [x], { axis: { int: -1 } });
  const shifted = block.op('Sub', [x, o.reduce('ReduceMax', x, [1], true)]);
  const total = o.reduce('ReduceSum', block.op('Exp', [shifted]), [1], true);
  return block.op('Sub', [shifted, block.op('Log', [total])]);
}

/** The targets as a column of numbers within the vocabulary, and which rows are left out. */
export function targetsOf(
  logits: Value,
  targets: Value,
  o: Lowering,
): { readonly column: Ref; readonly isLeftOut: Ref } {
  const ids = o.ref(targets);
  const column = o.unsqueeze(o.clamp(ids, logits.shape[1] ?? 0), 1);
  return { column, isLeftOut: o.block.op('Less', [ids, o.block.ints32([0])]) };
}
