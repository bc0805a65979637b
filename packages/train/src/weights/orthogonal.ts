import type { Random } from '../random.ts';
import type { Tensor } from './tensors.ts';

/**
 * A random matrix whose rows (of a wide one) or columns (of a tall one) are orthogonal and of length `gain`: uniform over
 * all such matrices, as `torch.nn.init.orthogonal_`. By Gram and Schmidt, every vector twice, which is as exact as a
 * QR decomposition.
 */
export function orthogonal(random: Random, rows: number, columns: number, gain: number): Tensor {
  const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
  const vectors: Float64Array[] = [];
  for (let i = 0; i < count; i++) {
    const vector = Float64Array.from({ length }, () => random.normal());
    for (let pass = 0; pass < 2; pass++) {
      for (const other of vectors) subtract(vector, other, dot(vector, other));
    }
    const size = Math.sqrt(dot(vector, vector));
    vectors.push(vector.map((x) => x / size));
  }
  const data = new Float32Array(rows * columns);
  vectors.forEach((vector, i) => {
    for (let j = 0; j < length; j++) data[rows < columns ? i * columns + j : j * columns + i] = gain * (vector[j] ?? 0);
  });
  return { shape: [rows, columns], data };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

function subtract(from: Float64Array, other: Float64Array, times: number): void {
  for (let i = 0; i < from.length; i++) from[i] = (from[i] ?? 0) - times * (other[i] ?? 0);
}
