import { at, axisSize, beginState, forEachSequence, type KernelOf, type Numbers } from '../tensor.ts';

export const wkv7: KernelOf<'wkv7'> = {
  run({ r, lw, k, v, a, b, s0, starts, slots }, { y, s }) {
    const [heads, size] = [axisSize(r, 1), axisSize(r, 2)];
    const decay = Float64Array.from(lw.data, Math.exp);
    beginState(s0, s);
    forEachSequence(starts, slots, (row, begin, end) => {
      for (let h = 0; h < heads; h++) {
        const state = s.data.subarray((row * heads + h) * size * size, (row * heads + h + 1) * size * size);
        for (let t = begin; t < end; t++) {
          const o = (t * heads + h) * size;
          for (let i = 0; i < size; i++) {
            const line = state.subarray(i * size, (i + 1) * size);
            const removed = dot(line, 0, a.data, o, size);
            const vi = at(v.data, o + i);
            for (let j = 0; j < size; j++) {
              line[j] = at(line, j) * at(decay, o + j) + removed * at(b.data, o + j) + vi * at(k.data, o + j);
            }
            y.data[o + i] = dot(line, 0, r.data, o, size);
          }
        }
      }
    });
  },
};

function dot(x: Numbers, x0: number, y: Numbers, y0: number, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += at(x, x0 + i) * at(y, y0 + i);
  return sum;
}
