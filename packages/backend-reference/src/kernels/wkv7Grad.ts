import { at, axisSize, forEachSequence, type KernelOf, type Numbers } from '../tensor.ts';

export const wkv7Grad: KernelOf<'wkv7Grad'> = {
  run({ r, lw, k, v, a, b, s0, starts, gy, gs }, { gr, glw, gk, gv, ga, gb, gs0 }) {
    const [heads, size] = [axisSize(r, 1), axisSize(r, 2)];
    const area = size * size;
    const decay = Float64Array.from(lw.data, Math.exp);
    const add = (target: Numbers, place: number, amount: number): void => {
      target[place] = at(target, place) + amount;
    };

    forEachSequence(starts, undefined, (row, begin, end) => {
      for (let h = 0; h < heads; h++) {
        const place = (row * heads + h) * area;
        // states[t]: S before token t, [value, key]; removed[t]: S a
        const states = new Float64Array((end - begin + 1) * area);
        const removed = new Float64Array((end - begin) * size);
        states.set(s0.data.subarray(place, place + area));
        for (let t = begin; t < end; t++) {
          const [from, o] = [(t - begin) * area, (t * heads + h) * size];
          for (let i = 0; i < size; i++) {
            let sa = 0;
            for (let j = 0; j < size; j++) sa += at(states, from + i * size + j) * at(a.data, o + j);
            removed[(t - begin) * size + i] = sa;
            for (let j = 0; j < size; j++) {
              const kept = at(states, from + i * size + j) * at(decay, o + j);
              const learnt = sa * at(b.data, o + j) + at(v.data, o + i) * at(k.data, o + j);
              states[from + area + i * size + j] = kept + learnt;
            }
          }
        }

        // g: gradient of S after token t
        const g = Float64Array.from(gs.data.subarray(place, place + area));
        for (let t = end - 1; t >= begin; t--) {
          const [from, o] = [(t - begin) * area, (t * heads + h) * size];
          for (let i = 0; i < size; i++) {
            const [gyi, vi, sa] = [at(gy.data, o + i), at(v.data, o + i), at(removed, (t - begin) * size + i)];
            let [ofV, ofRemoved] = [0, 0];
            for (let j = 0; j < size; j++) {
              const ij = i * size + j;
              const gij = at(g, ij) + gyi * at(r.data, o + j);
              g[ij] = gij;
              add(gr.data, o + j, gyi * at(states, from + area + ij));
              add(gk.data, o + j, gij * vi);
              add(gb.data, o + j, gij * sa);
              add(glw.data, o + j, gij * at(states, from + ij) * at(decay, o + j));
              ofV += gij * at(k.data, o + j);
              ofRemoved += gij * at(b.data, o + j);
            }
            gv.data[o + i] = ofV;
            for (let j = 0; j < size; j++) {
              const ij = i * size + j;
              add(ga.data, o + j, ofRemoved * at(states, from + ij));
              g[ij] = at(g, ij) * at(decay, o + j) + ofRemoved * at(a.data, o + j);
            }
          }
        }
        gs0.data.set(g, place);
      }
    });
  },
};
