import type { KernelOf } from '../kernel.ts';
import { targetsOf } from './crossEntropy.ts';

export const crossEntropyGrad: KernelOf<'crossEntropyGrad'> = {
  lower({ logits, targets, gy }, _, __, o) {
    const { block } = o;
    if (o.isEmpty(logits.shape)) return { glogits: o.ref(logits) };
    const { column, isLeftOut } = targetsOf(logits, targets, o);
    const width = o.cast(block.op('Squeeze', [o.size(logits.shape[1] ?? 0), block.ints([0])]), 'int32');
    const columns = block.op('Range', [block.ints32([0]), width, block.ints32([1])]);
    const oneHot = o.cast(block.op('Equal', [column, columns]), 'float32');
    const probabilities = block.op('Softmax', [o.ref(logits)], { axis: { int: -1 } });
    const g = block.op('Where', [isLeftOut, block.floats([0]), o.ref(gy)]);
    return { glogits: block.op('Mul', [o.unsqueeze(g, 1), block.op('Sub', [probabilities, oneHot])]) };
  },
};
