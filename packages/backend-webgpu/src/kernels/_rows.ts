import { elementCount, type Value } from '@receptance/core';
import { axisSize, type Program, perElement, read, type Shader, write } from '../kernel.ts';

/** Reads or writes rows of `table` by number: one invocation an element of `rows`. */
export function byRow(shader: Shader, table: Value, ids: Value, rows: Value, direction: 'from' | 'into'): Program {
  return {
    shader,
    bindings: direction === 'from' ? [read(table), read(ids), write(rows)] : [write(table), read(ids), read(rows)],
    launch(sizes) {
      const width = elementCount(rows.shape.slice(1), sizes);
      const count = axisSize(ids, 0, sizes) * width;
      return { workgroups: perElement(count), params: [count, width, axisSize(table, 0, sizes)] };
    },
  };
}
