import { type Dim, elementCount } from '@receptance/core';
import { axisSize, type KernelOf, perElement, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';

export const linear: KernelOf<'linear'> = {
  lower({ x, w }, { y }, { transposed }) {
    const by4 = isMultipleOf4(x.shape[1]) && (!transposed || isMultipleOf4(y.shape[1]));
    return [
      {
        shader: shader(by4 ? 'linearBy4' : 'linear'),
        constants: { TRANSPOSED: Number(transposed) },
        bindings: [read(x), read(w), write(y)],
        launch(sizes) {
          const count = elementCount(y.shape, sizes) / (by4 && transposed ? 4 : 1);
          return { workgroups: perElement(count), params: [count, axisSize(x, 1, sizes), axisSize(y, 1, sizes)] };
        },
      },
    ];
  },
};

/** Whether rows of this width can be read four numbers at a time. */
function isMultipleOf4(size: Dim | undefined): boolean {
  return typeof size === 'number' && size % 4 === 0;
}
