import type { Dim, Value } from '@receptance/core';
import type { Ref } from '../lowering/block.ts';
import type { Lowering } from '../lowering/lowering.ts';
import { BLOCK_SIZE } from '../lowering/stored.ts';
import type { WeightBlocks } from '../lowering/weights.ts';

/**
 * x [N,in] @ wᵀ of a weight in blocks [out,in].
 *
 * ONNX Runtime multiplies blocks fast only by activations in 8 bits, which alone would cost about half a per cent. So x is split
 * into two such numbers: what blocks of 8 bits can say of it, and the rest, whose own 8 bits lie 255 times lower. Both
 * go through the product as two rows, reading the weight once.
 */
export function linearOfBlocks(rows: Value, weight: WeightBlocks, o: Lowering): Ref {
  const [outer, inner] = weight.shape;
  const [x, count] = [o.ref(rows), rows.shape[0] ?? 0];
  const { block } = o;
  if (o.isEmpty([count])) return o.full(0, [count, outer]);
  const product = (factor: Ref, accuracy: number): Ref =>
    block.op(
      'MatMulNBits',
      [factor, weight.data, weight.scales],
      {
        ...{ K: { int: inner }, N: { int: outer }, bits: { int: weight.bits } },
        ...{ block_size: { int: BLOCK_SIZE }, accuracy_level: { int: accuracy } },
      },
      { domain: 'com.microsoft' },
    );
  if (!isSplit(count, o)) return product(x, 0);
  const blocks = o.reshape(x, [count, inner / BLOCK_SIZE, BLOCK_SIZE]);
  const largest = o.reduce('ReduceMax', block.op('Abs', [blocks]), [2], true);
  const scale = block.op('Max', [block.op('Mul', [largest, block.floats([1 / 127])]), block.floats([1e-30])]);
  const coarse = block.op('Mul', [block.op('Round', [block.op('Div', [blocks, scale])]), scale]);
  const both = o.concat([coarse, block.op('Sub', [blocks, coarse])], 0);
  const made = product(block.op('Reshape', [both, block.ints([-1, inner])]), 4);
  return o.reduce(
    'ReduceSum',
    block.op('Reshape', [made, o.concat([block.ints([2]), o.shape([count, outer])], 0)]),
    [0],
  );
}

/**
 * On a CPU, for rows that are wanted one by one and tokens of a decode step: for many rows, widening the weight costs less.
 * A file may meet a CPU with any number of rows.
 */
function isSplit(rows: Dim, o: Lowering): boolean {
  const { provider, form } = o.target;
  if (provider === 'any') return true;
  return provider === 'cpu' && (rows === 'R' || form === 'single' || o.fixed(rows) === 1);
}
