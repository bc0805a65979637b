import { dim, type KernelOf } from '../kernel.ts';

export const groupNormGrad: KernelOf<'groupNormGrad'> = {
  encode({ inputs: { x, w, gy }, outputs: { gx, gw, gb }, attrs: { groups, eps } }, e) {
    const [rows, channels] = [dim(x, 0), Number(dim(x, 1))];
    e.emit('group_norm_grad', {
      ...{
        x: e.address(x),
        w: e.address(w),
        gy: e.address(gy),
        gx: e.address(gx),
        gw: e.address(gw),
        gb: e.address(gb),
      },
      ...{ scratch: e.scratchFor('groupNormGrad', rows, channels), rows: e.size(rows), groups: e.word(groups) },
      ...{ width: e.word(channels / groups), eps: e.float(eps) },
    });
  },
};
