import { at, axisSize, type KernelOf, type Numbers } from '../tensor.ts';

export const linear: KernelOf<'linear'> = {
  run({ x, w }, { y }, { transposed }) {
    const [rows, inner, outer] = [axisSize(x, 0), axisSize(x, 1), axisSize(y, 1)];
    const into = transposed ? addColumns : addRows;
    for (let n = 0; n < rows; n++) into(x.data, n * inner, inner, w.data, y.data, n * outer, outer);
  },
};

/** Weight [out, in]: each output is a dot product with a row. */
function addRows(x: Numbers, x0: number, inner: number, w: Numbers, y: Numbers, y0: number, outer: number): void {
  for (let o = 0; o < outer; o++) {
    let sum = 0;
    for (let i = 0; i < inner; i++) sum += at(x, x0 + i) * at(w, o * inner + i);
    y[y0 + o] = sum;
  }
}

/** Weight [in, out]: each input adds a multiple of a row. */
function addColumns(x: Numbers, x0: number, inner: number, w: Numbers, y: Numbers, y0: number, outer: number): void {
  for (let i = 0; i < inner; i++) {
    const factor = at(x, x0 + i);
    for (let o = 0; o < outer; o++) y[y0 + o] = at(y, y0 + o) + factor * at(w, i * outer + o);
  }
}
