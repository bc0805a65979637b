import { at, axisSize, forEachSequence, type KernelOf } from '../tensor.ts';

export const wkv6Grad: KernelOf<'wkv6Grad'> = {
  run({ r, lw, k, v, u, s0, starts, gy, gs }, { gr, glw, gk, gv, gu, gs0 }) {
    const [heads, size] = [axisSize(r, 1), axisSize(r, 2)];
    const perToken = lw.shape.length === 3;
    const area = size * size;
    const keepOf = (t: number, h: number, i: number): number =>
      Math.exp(at(lw.data, (perToken ? (t * heads + h) * size : h * size) + i));

    forEachSequence(starts, undefined, (row, begin, end) => {
      for (let h = 0; h < heads; h++) {
        const place = (row * heads + h) * area;
        // states[t]: S before token t, [key, value]
        const states = new Float64Array((end - begin + 1) * area);
        states.set(s0.data.subarray(place, place + area));
        for (let t = begin; t < end; t++) {
          const [from, o] = [(t - begin) * area, (t * heads + h) * size];
          for (let i = 0; i < size; i++) {
            const keep = keepOf(t, h, i);
            for (let j = 0; j < size; j++) {
              const kv = at(k.data, o + i) * at(v.data, o + j);
              states[from + area + i * size + j] = keep * at(states, from + i * size + j) + kv;
            }
          }
        }

        const g = Float64Array.from(gs.data.subarray(place, place + area));
        for (let t = end - 1; t >= begin; t--) {
          const [from, o] = [(t - begin) * area, (t * heads + h) * size];
          let bonus = 0; // Σ r u k
          let vgy = 0; // v · gy
          for (let i = 0; i < size; i++) {
            bonus += at(r.data, o + i) * at(u.data, h * size + i) * at(k.data, o + i);
            vgy += at(v.data, o + i) * at(gy.data, o + i);
          }
          for (let j = 0; j < size; j++) gv.data[o + j] = bonus * at(gy.data, o + j);
          for (let i = 0; i < size; i++) {
            const [ri, ki, ui, keep] = [
              at(r.data, o + i),
              at(k.data, o + i),
              at(u.data, h * size + i),
              keepOf(t, h, i),
            ];
            let [ofR, ofK, ofDecay] = [ui * ki * vgy, ui * ri * vgy, 0];
            for (let j = 0; j < size; j++) {
              const [gij, before, gyj] = [at(g, i * size + j), at(states, from + i * size + j), at(gy.data, o + j)];
              ofR += before * gyj;
              ofK += gij * at(v.data, o + j);
              ofDecay += gij * keep * before;
              gv.data[o + j] = at(gv.data, o + j) + gij * ki;
              g[i * size + j] = keep * gij + ri * gyj;
            }
            gr.data[o + i] = ofR;
            gk.data[o + i] = ofK;
            glw.data[o + i] = ofDecay;
            gu.data[h * size + i] = at(gu.data, h * size + i) + ri * ki * vgy;
          }
        }
        gs0.data.set(g, place);
      }
    });
  },
};
