import { dim, type KernelOf } from '../kernel.ts';

export const wkv7: KernelOf<'wkv7'> = {
  encode({ inputs: { r, lw, k, v, a, b, s0, starts, slots }, outputs: { y, s } }, e) {
    const [heads, size] = [dim(r, 1), dim(r, 2)];
    e.emit('wkv7', {
      ...{ r: e.address(r), lw: e.address(lw), k: e.address(k), v: e.address(v), a: e.address(a), b: e.address(b) },
      ...{ s0: e.address(s0), starts: e.address(starts), slots: e.address(slots), y: e.address(y), s: e.address(s) },
      ...{ scratch: e.scratchFor('wkv7', size), tokens: e.size(dim(r, 0)), sequences: e.size(dim(slots ?? s0, 0)) },
      ...{ heads: e.size(heads), size: e.size(size), pool_rows: e.size(dim(s0, 0)) },
    });
  },
};
