import type { Dim, Value } from '@receptance/core';
import type { Ref } from '../lowering/block.ts';
import type { Lowering } from '../lowering/lowering.ts';
import { BLOCK_SIZE } from '../lowering/stored.ts';
import type { WeightBlocks } from '../lowering/weights.ts';

/**
 * x [N,in] @ wᵀ of a weight in blocks [out,in], or nothing where it is better widened for the moment of the product.
 *
 * ONNX Runtime's CPU multiplies blocks fast only by activations in 8 bits, and only by few rows of them: some ten rows of f32 take
 * as long with the weight widened, 256 take a quarter of the time.
 */
export function linearOfBlocks(rows: Value, weight: WeightBlocks, o: Lowering): Ref | undefined {
  const { provider, activations } = o.target;
  const [x, count] = [o.ref(rows), rows.shape[0] ?? 0];
  if (weight.signed) return undefined;
  // Other providers take activations as they are.
  if (provider !== 'cpu' && provider !== 'any') return product(x, weight, 0, o);
  if (!areFew(count, o)) return undefined;
  return activations === 'int8' ? product(x, weight, 4, o) : splitProduct(x, count, weight, o);
}

/** Rows that are wanted one by one, and tokens of a decode step. */
function areFew(rows: Dim, o: Lowering): boolean {
  return rows === 'R' || o.target.form === 'single' || o.fixed(rows) === 1;
}

/**
 * Most rows of a weight that are multiplied at once on the CPU. While ONNX Runtime lays a weight out anew it is in memory twice, and a
 * head is a quarter of a small model. Whole pages for every width.
 */
const MOST_ROWS = 16_384;

/** @param accuracy 4: activations are rounded to 8 bits; 0: they are taken as they are */
function product(x: Ref, weight: WeightBlocks, accuracy: 0 | 4, o: Lowering): Ref {
  if (o.target.provider !== 'cpu') return productOf(x, weight, accuracy, o);
  const parts = weight.parts(MOST_ROWS).map((part) => productOf(x, part, accuracy, o));
  const [only = ''] = parts;
  return parts.length === 1 ? only : o.concat(parts, 1);
}

function productOf(x: Ref, weight: WeightBlocks, accuracy: 0 | 4, o: Lowering): Ref {
  const [outer, inner] = weight.shape;
  return o.block.op(
    'MatMulNBits',
    [x, weight.data(), weight.scales()],
    {
      ...{ K: { int: inner }, N: { int: outer }, bits: { int: weight.bits } },
      ...{ block_size: { int: BLOCK_SIZE }, accuracy_level: { int: accuracy } },
    },
    { domain: 'com.microsoft' },
  );
}

/**
 * 8 bits alone would cost half a per cent. So x is split into two such numbers: what blocks of 8 bits can say of it, and the rest,
 * whose own 8 bits lie 255 times lower. Both go through the product as two rows, reading the weight once.
 */
function splitProduct(x: Ref, count: Dim, weight: WeightBlocks, o: Lowering): Ref {
  const { block } = o;
  const [outer, inner] = weight.shape;
  const blocks = o.reshape(x, [count, inner / BLOCK_SIZE, BLOCK_SIZE]);
  const largest = o.reduce('ReduceMax', block.op('Abs', [blocks]), [2], true);
  const scale = block.op('Max', [block.op('Mul', [largest, block.floats([1 / 127])]), block.floats([1e-30])]);
  const coarse = block.op('Mul', [block.op('Round', [block.op('Div', [blocks, scale])]), scale]);
  const both = o.concat([coarse, block.op('Sub', [blocks, coarse])], 0);
  const made = product(block.op('Reshape', [both, block.ints([-1, inner])]), weight, 4, o);
  if (o.fixed(count) === 1) return o.reduce('ReduceSum', made, [0], true);
  const pairs = block.op('Reshape', [made, o.concat([block.ints([2]), o.shape([count, outer])], 0)]);
  return o.reduce('ReduceSum', pairs, [0]);
}
