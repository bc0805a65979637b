import { axesOf } from '../axes.ts';
import { acceptsAxes, type KernelOf } from '../kernel.ts';

export const transpose: KernelOf<'transpose'> = {
  accepts({ inputs, attrs }) {
    const axes = Array.isArray(attrs['axes']) ? attrs['axes'] : [];
    return acceptsAxes(axesOf(inputs['x']?.shape ?? [], axes));
  },
  encode({ inputs: { x }, outputs: { y }, attrs: { axes } }, e) {
    e.emit('transpose', {
      x: e.address(x),
      y: e.address(y),
      axes: e.axes(axesOf(x.shape, axes), 1),
      count: e.size(...y.shape),
    });
  },
};
