import { dim, type KernelOf } from '../kernel.ts';

export const tokenShiftGrad: KernelOf<'tokenShiftGrad'> = {
  encode({ inputs: { starts, gy, glast }, outputs: { gx, gprev } }, e) {
    e.emit('token_shift_grad', {
      ...{ starts: e.address(starts), gy: e.address(gy), glast: e.address(glast) },
      ...{ gx: e.address(gx), gprev: e.address(gprev) },
      ...{ tokens: e.size(dim(gy, 0)), sequences: e.size(dim(glast, 0)), width: e.size(dim(gy, 1)) },
    });
  },
};
