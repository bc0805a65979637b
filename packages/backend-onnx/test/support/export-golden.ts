/** Exports a golden model into a folder, and prints what it is to continue and how. A program of its own: see global-setup.ts. */
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { widen } from '@receptance/core';
import { exportOnnx } from '../../src/index.ts';

const NAME = 'rwkv7_l4_c128_v97';
const golden = new URL('../../../conformance/golden/models/', import.meta.url);

async function numbers(tensor: string): Promise<number[]> {
  const file = await openCheckpointFile(new URL(`${NAME}.golden.safetensors`, golden));
  const { dtype, shape } = file.tensors.get(tensor) ?? { dtype: 'f64', shape: [0] };
  const wide = new Float64Array(shape.reduce((product, size) => product * size, 1));
  widen(dtype, await file.read(tensor), wide);
  await file.close();
  return [...wide];
}

const [folder = ''] = process.argv.slice(2);
const checkpoint = await openCheckpointFile(new URL(`${NAME}.safetensors`, golden));
await exportOnnx(checkpoint, folder, { force: true });
await checkpoint.close();
process.stdout.write(JSON.stringify({ prompt: await numbers('prompt'), greedy: await numbers('greedy') }));
