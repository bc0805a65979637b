import type { GraphBuilder } from '../ir/builder.ts';
import { sameShape } from '../ir/shape.ts';
import type { Shape, Value } from '../ir/types.ts';

/** The transpose of broadcasting: sums `g` over the axes along which an operand of `shape` was repeated. */
export function sumTo(b: GraphBuilder, g: Value, shape: Shape): Value {
  if (sameShape(g.shape, shape)) return g;
  const lead = g.shape.length - shape.length;
  const axes = g.shape.flatMap((dim, axis) => {
    const own = axis < lead ? 1 : shape[axis - lead];
    return own === dim ? [] : [axis];
  });
  const leading = Array.from({ length: lead }, (_, axis) => axis);
  const summed = b.reduce('sum', g, [...new Set([...leading, ...axes])]);
  return b.reshape(summed, shape);
}
