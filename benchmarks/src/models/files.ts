import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ggufChunks, safetensorsChunks } from '@receptance/checkpoint';
import { convertTensors, isBigMatrix, ReceptanceError } from '@receptance/core';
import type { WeightName } from '../runner/protocol.ts';
import { REVISION } from './random-weights.ts';
import { registeredName } from './registry.ts';
import { openModel } from './source.ts';

export interface FileOptions {
  readonly model: string;
  readonly seed: number;
  readonly weights: WeightName;
  readonly format: 'safetensors' | 'gguf';
  readonly folder: string;
}

/**
 * The path of a file of the model's weights in the folder; made when it is not there. Matrices are of the type asked for, all
 * else is f32.
 * @throws ReceptanceError `UNSUPPORTED_FORMAT` for a type that the format cannot hold
 */
export async function weightsFile({ model, seed, weights, format, folder }: FileOptions): Promise<string> {
  const name = registeredName(model) ?? model.replace(/^.*[\\/]|\.[^.]*$/g, '');
  const path = join(folder, `${name}-r${REVISION}-seed${seed}-${weights}.${format}`);
  if (existsSync(path)) return path;
  await mkdir(folder, { recursive: true });
  const { source, close } = await openModel(model, seed);
  const half = `${path}.part`;
  try {
    await pipeline(Readable.from(chunksOf(source, weights, format)), createWriteStream(half));
    await rename(half, path);
  } catch (error) {
    await rm(half, { force: true });
    throw error;
  } finally {
    await close();
  }
  return path;
}

function chunksOf(
  source: Parameters<typeof ggufChunks>[0],
  weights: WeightName,
  format: FileOptions['format'],
): AsyncIterable<Uint8Array> {
  if (format === 'gguf' && weights !== 'bf16') return ggufChunks(source, { dtype: weights });
  if (format === 'safetensors' && weights !== 'q8_0' && weights !== 'q4_0') {
    return safetensorsChunks(convertTensors(source, { dtype: weights, only: isBigMatrix }));
  }
  throw new ReceptanceError('UNSUPPORTED_FORMAT', `a .${format} file of ${weights} cannot be written`, {
    hint: 'blocks go into .gguf files, bf16 into .safetensors',
  });
}
