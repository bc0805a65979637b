import { dim, type KernelOf } from '../kernel.ts';

export const wkv6Grad: KernelOf<'wkv6Grad'> = {
  encode({ inputs: { r, lw, k, v, u, s0, starts, gy, gs }, outputs: { gr, glw, gk, gv, gu, gs0 } }, e) {
    const [tokens, heads, size] = [dim(r, 0), dim(r, 1), dim(r, 2)];
    const scratch = e.most(size) + (Math.ceil(e.most(tokens) / 16) + 17) * e.most(size, size);
    e.emit('wkv6_grad', {
      ...{ r: e.address(r), lw: e.address(lw), k: e.address(k), v: e.address(v), u: e.address(u) },
      ...{ s0: e.address(s0), starts: e.address(starts), gy: e.address(gy), gs: e.address(gs) },
      ...{ gr: e.address(gr), glw: e.address(glw), gk: e.address(gk), gv: e.address(gv) },
      ...{ gu: e.address(gu), gs0: e.address(gs0), scratch: e.scratchOf(scratch) },
      ...{ tokens: e.size(tokens), sequences: e.size(dim(s0, 0)), heads: e.size(heads), size: e.size(size) },
      per_token: e.word(Number(lw.shape.length === 3)),
    });
  },
};
