import { dim, type KernelOf } from '../kernel.ts';

export const wkv7Grad: KernelOf<'wkv7Grad'> = {
  encode({ inputs, outputs }, e) {
    const { r, lw, k, v, a, b, s0, starts, gy, gs } = inputs;
    const { gr, glw, gk, gv, ga, gb, gs0 } = outputs;
    const [tokens, heads, size] = [dim(r, 0), dim(r, 1), dim(r, 2)];
    e.emit('wkv7_grad', {
      ...{ r: e.address(r), lw: e.address(lw), k: e.address(k), v: e.address(v), a: e.address(a), b: e.address(b) },
      ...{ s0: e.address(s0), starts: e.address(starts), gy: e.address(gy), gs: e.address(gs) },
      ...{ gr: e.address(gr), glw: e.address(glw), gk: e.address(gk), gv: e.address(gv) },
      ...{ ga: e.address(ga), gb: e.address(gb), gs0: e.address(gs0), scratch: e.scratchFor('wkv7Grad', tokens, size) },
      ...{ tokens: e.size(tokens), sequences: e.size(dim(s0, 0)), heads: e.size(heads), size: e.size(size) },
    });
  },
};
