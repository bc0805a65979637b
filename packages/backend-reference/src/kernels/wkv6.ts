import { at, axisSize, beginState, forEachSequence, type KernelOf } from '../tensor.ts';

export const wkv6: KernelOf<'wkv6'> = {
  run({ r, lw, k, v, u, s0, starts, slots }, { y, s }) {
    const [heads, size] = [axisSize(r, 1), axisSize(r, 2)];
    const perToken = lw.shape.length === 3;
    beginState(s0, s);
    forEachSequence(starts, slots, (row, begin, end) => {
      for (let h = 0; h < heads; h++) {
        const state = s.data.subarray((row * heads + h) * size * size, (row * heads + h + 1) * size * size);
        for (let t = begin; t < end; t++) {
          const o = (t * heads + h) * size;
          const decay = perToken ? o : h * size;
          for (let i = 0; i < size; i++) {
            const [ri, ki, ui] = [at(r.data, o + i), at(k.data, o + i), at(u.data, h * size + i)];
            const keep = Math.exp(at(lw.data, decay + i));
            for (let j = 0; j < size; j++) {
              const kv = ki * at(v.data, o + j);
              const before = at(state, i * size + j);
              y.data[o + j] = at(y.data, o + j) + ri * (before + ui * kv);
              state[i * size + j] = keep * before + kv;
            }
          }
        }
      }
    });
  },
};
