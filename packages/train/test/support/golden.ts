import type { Checkpoint } from '@receptance/checkpoint';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { readWidened } from '@receptance/core';

const folder = new URL('../../../conformance/golden/models/', import.meta.url);

export function openGolden(file: string): Promise<Checkpoint> {
  return openCheckpointFile(new URL(file, folder));
}

/** A tensor widened. */
export async function numbersOf(checkpoint: Checkpoint, name: string): Promise<Float64Array> {
  const shape = checkpoint.tensors.get(name)?.shape;
  if (shape === undefined) throw new Error(`no tensor ${name}`);
  const numbers = new Float64Array(shape.reduce((product, size) => product * size, 1));
  await readWidened(checkpoint, name, numbers);
  return numbers;
}
