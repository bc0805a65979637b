import { openCheckpointFile } from '@receptance/checkpoint/node';
import type { HostArray } from '@receptance/core';
import { widen } from '@receptance/core';

const folder = new URL('../../../conformance/golden/models/', import.meta.url);

export function goldenModel(file: string): URL {
  return new URL(file, folder);
}

/** The tensors of `<model>.golden.safetensors` as numbers. */
export async function goldenTensors(model: string): Promise<(name: string) => Promise<number[]>> {
  const checkpoint = await openCheckpointFile(goldenModel(`${model}.golden.safetensors`));
  const tensors = new Map<string, number[]>();
  for (const [name, { dtype, shape }] of checkpoint.tensors) {
    const numbers = new Float64Array(shape.reduce((product, size) => product * size, 1));
    widen(dtype, await checkpoint.read(name), numbers);
    tensors.set(name, Array.from(numbers));
  }
  await checkpoint.close();
  return async (name) => {
    const numbers = tensors.get(name);
    if (numbers === undefined) throw new Error(`${model} has no golden ${name}`);
    return numbers;
  };
}

export function largestDifference(a: HostArray | readonly number[], b: HostArray | readonly number[]): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))), 0);
}
