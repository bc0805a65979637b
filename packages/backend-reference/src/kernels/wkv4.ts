import { at, axisSize, beginState, forEachSequence, type KernelOf } from '../tensor.ts';

export const wkv4: KernelOf<'wkv4'> = {
  run({ w, u, k, v, aa0, bb0, pp0, starts, slots }, { y, aa, bb, pp }) {
    const width = axisSize(k, 1);
    beginState(aa0, aa);
    beginState(bb0, bb);
    beginState(pp0, pp);
    forEachSequence(starts, slots, (row, begin, end) => {
      for (let c = 0; c < width; c++) {
        const place = row * width + c;
        let [a, b, p] = [at(aa.data, place), at(bb.data, place), at(pp.data, place)];
        for (let t = begin; t < end; t++) {
          const [kt, vt] = [at(k.data, t * width + c), at(v.data, t * width + c)];
          const now = at(u.data, c) + kt;
          let q = Math.max(p, now);
          const [past, present] = [Math.exp(p - q), Math.exp(now - q)];
          y.data[t * width + c] = (past * a + present * vt) / (past * b + present);

          const decayed = p + at(w.data, c);
          q = Math.max(decayed, kt);
          const [keep, add] = [Math.exp(decayed - q), Math.exp(kt - q)];
          [a, b, p] = [keep * a + add * vt, keep * b + add, q];
        }
        [aa.data[place], bb.data[place], pp.data[place]] = [a, b, p];
      }
    });
  },
};
