import { broadcastAxes } from '../axes.ts';
import { acceptsBroadcast, type KernelOf } from '../kernel.ts';

export const broadcast: KernelOf<'broadcast'> = {
  accepts: acceptsBroadcast,
  encode({ inputs: { x }, outputs: { y } }, e) {
    const axes = e.axes(broadcastAxes(y.shape, [x.shape]), 1);
    e.emit('broadcast', { x: e.address(x), y: e.address(y), axes, count: e.size(...y.shape) });
  },
};
