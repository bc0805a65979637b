import type { Ref } from '../lowering/block.ts';
import type { Lowering } from '../lowering/lowering.ts';

/** int32 [R]: the place of each row's largest number of x [R,V], the first at a tie. */
export function firstMaximum(x: Ref, o: Lowering): Ref {
  const place = o.block.op('ArgMax', [x], {
    axis: { int: 1 },
    keepdims: { int: 0 },
    select_last_index: { int: 0 },
  });
  return o.cast(place, 'int32');
}
