import type { KernelOf } from '../kernel.ts';

export const slice: KernelOf<'slice'> = {
  encode({ inputs: { x }, outputs: { y }, attrs: { axis, start, end } }, e) {
    const inner = x.shape.slice(axis + 1);
    e.emit('slice', {
      ...{ x: e.address(x), y: e.address(y), rows: e.size(...x.shape.slice(0, axis)) },
      pitch: e.size(...x.shape.slice(axis)),
      offset: e.size(start, ...inner),
      width: e.size(end - start, ...inner),
    });
  },
};
