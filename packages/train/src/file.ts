import { safetensorsChunks } from '@receptance/checkpoint';
import type { WeightSource } from '@receptance/core';

/** A model or a saved training as the bytes of a .safetensors file, whole in memory: to be downloaded, or kept by a page. */
export async function safetensorsBytes(
  source: WeightSource & { readonly metadata?: Readonly<Record<string, string>> },
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of safetensorsChunks(source, source.metadata)) chunks.push(chunk);
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
