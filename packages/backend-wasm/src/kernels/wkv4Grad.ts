import { dim, type KernelOf } from '../kernel.ts';

export const wkv4Grad: KernelOf<'wkv4Grad'> = {
  encode({ inputs, outputs }, e) {
    const { w, u, k, v, aa0, bb0, pp0, starts, gy, gaa, gbb, gpp } = inputs;
    const { gw, gu, gk, gv, gaa0, gbb0, gpp0 } = outputs;
    const [tokens, width] = [dim(k, 0), dim(k, 1)];
    e.emit('wkv4_grad', {
      ...{ w: e.address(w), u: e.address(u), k: e.address(k), v: e.address(v) },
      ...{ aa0: e.address(aa0), bb0: e.address(bb0), pp0: e.address(pp0), starts: e.address(starts) },
      ...{ gy: e.address(gy), gaa: e.address(gaa), gbb: e.address(gbb), gpp: e.address(gpp) },
      ...{ gw: e.address(gw), gu: e.address(gu), gk: e.address(gk), gv: e.address(gv) },
      ...{
        gaa0: e.address(gaa0),
        gbb0: e.address(gbb0),
        gpp0: e.address(gpp0),
        scratch: e.scratchFor('wkv4Grad', tokens),
      },
      ...{ tokens: e.size(tokens), sequences: e.size(dim(aa0, 0)), width: e.size(width) },
    });
  },
};
