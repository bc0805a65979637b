import { broadcastAxes } from '../axes.ts';
import { acceptsBroadcast, type KernelOf } from '../kernel.ts';

export const select: KernelOf<'select'> = {
  accepts: acceptsBroadcast,
  encode({ inputs: { condition, a, b }, outputs: { y } }, e) {
    const axes = e.axes(broadcastAxes(y.shape, [condition.shape, a.shape, b.shape]), 3);
    e.emit('select', {
      condition: e.address(condition),
      a: e.address(a),
      b: e.address(b),
      y: e.address(y),
      axes,
      count: e.size(...y.shape),
    });
  },
};
