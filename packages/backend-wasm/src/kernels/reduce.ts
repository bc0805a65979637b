import type { ReduceFn, Shape } from '@receptance/core';
import { type Axis, axesOf } from '../axes.ts';
import { acceptsAxes, type KernelOf } from '../kernel.ts';

/** As the crate numbers them. */
const FUNCTIONS: Readonly<Record<ReduceFn, number>> = { sum: 0, max: 1, mean: 2 };

export const reduce: KernelOf<'reduce'> = {
  accepts({ inputs, attrs }) {
    const { kept, folded } = spaces(inputs['x']?.shape ?? [], Array.isArray(attrs['axes']) ? attrs['axes'] : []);
    return acceptsAxes(kept, folded);
  },
  encode({ inputs: { x }, outputs: { y }, attrs: { fn, axes } }, e) {
    const { kept, folded } = spaces(x.shape, axes);
    e.emit('reduce', {
      function: e.word(FUNCTIONS[fn]),
      ...{ x: e.address(x), y: e.address(y) },
      ...{ kept: e.axes(kept, 1), folded: e.axes(folded, 1), count: e.size(...x.shape) },
    });
  },
};

/** The axes that stay and those that go. */
function spaces(shape: Shape, axes: readonly number[]): { readonly kept: Axis[]; readonly folded: Axis[] } {
  const all = shape.map((_, axis) => axis);
  return {
    kept: axesOf(
      shape,
      all.filter((axis) => !axes.includes(axis)),
    ),
    folded: axesOf(shape, axes),
  };
}
