import { at, axisSize, type KernelOf } from '../tensor.ts';

export const matmul: KernelOf<'matmul'> = {
  run({ a, b }, { y }, { transposeA, transposeB }) {
    const [m, n] = [axisSize(y, -2), axisSize(y, -1)];
    const k = axisSize(a, transposeA ? -2 : -1);
    const [aRow, aColumn] = transposeA ? [1, m] : [k, 1];
    const [bRow, bColumn] = transposeB ? [1, k] : [n, 1];
    const batches = m * n === 0 ? 0 : y.data.length / (m * n);
    for (let batch = 0; batch < batches; batch++) {
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let l = 0; l < k; l++) {
            sum +=
              at(a.data, batch * m * k + i * aRow + l * aColumn) * at(b.data, batch * k * n + l * bRow + j * bColumn);
          }
          y.data[(batch * m + i) * n + j] = sum;
        }
      }
    }
  },
};
