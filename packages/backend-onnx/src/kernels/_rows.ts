import type { Dim } from '@receptance/core';
import type { Ref } from '../lowering/block.ts';
import type { Lowering } from '../lowering/lowering.ts';

/** int32 [R]: the place of each row's largest number of x [R,V], the first at a tie. */
export function firstMaximum(x: Ref, o: Lowering, width?: Dim): Ref {
  if (o.target.provider === 'webgpu' && typeof width === 'number') return firstMaximumInFloats(x, o, width);
  const place = o.block.op('ArgMax', [x], {
    axis: { int: 1 },
    keepdims: { int: 0 },
    select_last_index: { int: 0 },
  });
  return o.cast(place, 'int32');
}

/** The same without 64-bit integers, which the WebGPU provider has not: the least number of a column that holds the maximum. */
function firstMaximumInFloats(x: Ref, o: Lowering, width: number): Ref {
  const { block } = o;
  const largest = o.reduce('ReduceMax', x, [1], true);
  const columns = block.floats(
    Array.from({ length: width }, (_, column) => column),
    [1, width],
  );
  const isLargest = block.op('Equal', [x, largest]);
  const places = block.op('Where', [isLargest, columns, block.floats([width])]);
  const first = block.op('ReduceMin', [places, block.ints([1])], { keepdims: { int: 0 } });
  return o.cast(block.op('Min', [first, block.floats([width - 1])]), 'int32');
}
