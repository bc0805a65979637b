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

/** int32 [R]: the first place of each row of a mask [R,V] that holds; V − 1 or 0 where none does. */
export function firstPlace(mask: Ref, o: Lowering, width: Dim): Ref {
  if (o.target.provider === 'webgpu' && typeof width === 'number') return firstPlaceInFloats(mask, o, width);
  return firstMaximum(o.cast(mask, 'float32'), o);
}

/** int32 [R]: the last place of each row of a mask [R,V] that holds; V − 1 or 0 where none does. */
export function lastPlace(mask: Ref, o: Lowering, width: Dim): Ref {
  const { block } = o;
  if (o.target.provider === 'webgpu' && typeof width === 'number') {
    const places = block.op('Where', [mask, columnsOf(width, o), block.floats([0])]);
    return o.cast(o.reduce('ReduceMax', places, [1]), 'int32');
  }
  const place = block.op('ArgMax', [o.cast(mask, 'float32')], {
    axis: { int: 1 },
    keepdims: { int: 0 },
    select_last_index: { int: 1 },
  });
  return o.cast(place, 'int32');
}

/** Without 64-bit integers, which the WebGPU provider has not. */
function firstMaximumInFloats(x: Ref, o: Lowering, width: number): Ref {
  const largest = o.reduce('ReduceMax', x, [1], true);
  return firstPlaceInFloats(o.block.op('Equal', [x, largest]), o, width);
}

function firstPlaceInFloats(mask: Ref, o: Lowering, width: number): Ref {
  const { block } = o;
  const places = block.op('Where', [mask, columnsOf(width, o), block.floats([width])]);
  const first = block.op('ReduceMin', [places, block.ints([1])], { keepdims: { int: 0 } });
  return o.cast(block.op('Min', [first, block.floats([width - 1])]), 'int32');
}

/** f32 [1,V]: the numbers of columns. */
function columnsOf(width: number, o: Lowering): Ref {
  return o.once(`columns ${width}`, () =>
    o.block.floats(
      Array.from({ length: width }, (_, column) => column),
      [1, width],
    ),
  );
}
