import { dim, type KernelOf } from '../kernel.ts';

export const wkv4: KernelOf<'wkv4'> = {
  encode({ inputs: { w, u, k, v, aa0, bb0, pp0, starts, slots }, outputs: { y, aa, bb, pp } }, e) {
    e.emit('wkv4', {
      ...{ w: e.address(w), u: e.address(u), k: e.address(k), v: e.address(v) },
      ...{ aa0: e.address(aa0), bb0: e.address(bb0), pp0: e.address(pp0) },
      ...{ starts: e.address(starts), slots: e.address(slots), y: e.address(y) },
      ...{ aa: e.address(aa), bb: e.address(bb), pp: e.address(pp) },
      ...{ tokens: e.size(dim(k, 0)), sequences: e.size(dim(slots ?? aa0, 0)), width: e.size(dim(k, 1)) },
      pool_rows: e.size(dim(aa0, 0)),
    });
  },
};
