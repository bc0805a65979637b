import { type Checkpoint, bytesSource, openCheckpoint } from '@receptance/checkpoint';
import { readWidened } from '@receptance/core';

/** A file of golden data: its path inside the directory, with `/`, and its bytes when asked for. */
export interface GoldenFile {
  readonly name: string;
  read(): Promise<Uint8Array>;
}

/** Opens a file as a checkpoint. @throws ReceptanceError as `openCheckpoint` does */
export async function openGolden(file: GoldenFile): Promise<Checkpoint> {
  return openCheckpoint(bytesSource(await file.read(), file.name));
}

/** Named tensors of a golden file, widened. */
export class GoldenTensors {
  readonly #checkpoint: Checkpoint;

  constructor(checkpoint: Checkpoint) {
    this.#checkpoint = checkpoint;
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.#checkpoint.metadata;
  }

  has(name: string): boolean {
    return this.#checkpoint.tensors.has(name);
  }

  /** Names that begin with `prefix`, without it. */
  names(prefix: string): string[] {
    const all = [...this.#checkpoint.tensors.keys()].filter((name) => name.startsWith(prefix));
    return all.map((name) => name.slice(prefix.length)).sort();
  }

  shape(name: string): readonly number[] {
    return this.#checkpoint.tensors.get(name)?.shape ?? [];
  }

  isF32(name: string): boolean {
    return this.#checkpoint.tensors.get(name)?.dtype === 'f32';
  }

  async floats(name: string): Promise<Float64Array> {
    const data = new Float64Array(this.shape(name).reduce((product, size) => product * size, 1));
    await readWidened(this.#checkpoint, name, data);
    return data;
  }

  async integers(name: string): Promise<Int32Array> {
    return Int32Array.from(await this.floats(name));
  }
}
