import type { WeightSource } from '@receptance/core';

export interface WeightFigures {
  readonly storedBytes: number;
  readonly weightBytesPerToken: number;
  readonly flopsPerToken: number;
  readonly flopsPerRow: number;
}

/** What weights come to when they are held as they are stored. */
export function weightFigures({ tensors }: WeightSource): WeightFigures {
  let [storedBytes, weightBytesPerToken, flopsPerToken, flopsPerRow] = [0, 0, 0, 0];
  for (const [name, { shape, bytes }] of tensors) {
    storedBytes += bytes;
    const isTable = name === 'emb.weight';
    weightBytesPerToken += isTable ? bytes / (shape[0] ?? 1) : bytes;
    const flops =
      shape.length < 2 || shape[0] === 1 || isTable ? 0 : 2 * shape.reduce((product, size) => product * size, 1);
    if (name === 'head.weight') flopsPerRow += flops;
    else flopsPerToken += flops;
  }
  return { storedBytes, weightBytesPerToken, flopsPerToken, flopsPerRow };
}
