import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  decompose,
  type Graph,
  type Loaded,
  type LoadOptions,
  type ParameterEntry,
  type Parameters,
  type ParameterUse,
  parameterUses,
  resolveParameters,
  type WeightSource,
  widenedPieces,
} from '@receptance/core';
import { DeviceObject, type OnnxBuffer } from './buffer.ts';
import { type DataFileOptions, dataFileBytes, writeDataFile } from './data-file.ts';
import type { DataFile } from './lowering/stored.ts';
import type { Thread } from './worker/client.ts';
import type { WrittenFile } from './worker/messages.ts';
import { DEVICE_REMEDY } from './writing.ts';

/** A model's parameters in a file that every session of it maps, and its variables in the memory of the thread. */
export class OnnxParameters extends DeviceObject implements Parameters {
  readonly loaded: Loaded;
  readonly data: DataFile;
  readonly file: WrittenFile;
  readonly bytes: number;
  readonly variables: ReadonlyMap<string, OnnxBuffer>;
  readonly #thread: Thread;

  constructor(
    device: object,
    thread: Thread,
    loaded: Loaded,
    data: DataFile,
    file: WrittenFile,
    variables: ReadonlyMap<string, OnnxBuffer>,
  ) {
    super(device);
    this.#thread = thread;
    this.loaded = loaded;
    this.data = data;
    this.file = file;
    this.variables = variables;
    this.bytes = Number(file.size) + [...variables.values()].reduce((sum, { elements }) => sum + elements * 4, 0);
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    for (const buffer of this.variables.values()) {
      buffer.freed = true;
      this.#thread.post({ kind: 'free', buffer: buffer.id });
    }
    rm(this.file.path, { force: true }).catch(() => undefined);
  }
}

/** What loading needs of its device. */
export interface LoadTarget {
  readonly device: object;
  readonly thread: Thread;
  /** Where data files go. */
  readonly folder: string;
  readonly nextId: () => number;
  readonly allocate: (dtype: 'f32' | 'i32', elements: number, isVariable: boolean) => OnnxBuffer;
}

/** @throws ReceptanceError what `resolveParameters` and `writeDataFile` throw; nothing is kept then */
export async function loadParameters(
  { device, thread, folder, nextId, allocate }: LoadTarget,
  source: WeightSource,
  uses: readonly Graph[],
  { limits = {}, signal, onProgress }: LoadOptions,
): Promise<OnnxParameters> {
  const entries = resolveParameters(source, uses, limits);
  const frozen = entries.filter(({ kind }) => kind === 'parameter');
  const form: DataFileOptions = {
    ...{ remedy: DEVICE_REMEDY, signed: false, keepHalves: false },
    turned: longer(frozen, uses),
  };
  const total = dataFileBytes(frozen, form);
  const name = `weights-${nextId()}.bin`;
  const path = join(folder, name);
  const variables = new Map<string, OnnxBuffer>();
  const report = (done: number): void => onProgress?.({ what: 'loading weights', done, total });
  report(0);
  try {
    const data = await writeDataFile(path, name, frozen, source, { ...form, signal, onBytes: report });
    for (const entry of entries) {
      if (entry.kind !== 'variable') continue;
      const buffer = allocate(entry.value.dtype === 'i32' ? 'i32' : 'f32', entry.elements, true);
      variables.set(entry.name, buffer);
      await fill(thread, buffer, entry, source, signal);
    }
    report(total);
    const { size, mtimeNs } = await stat(path, { bigint: true });
    return new OnnxParameters(device, thread, { entries, limits }, data, { path, size, mtimeNs }, variables);
  } catch (error) {
    for (const { id } of variables.values()) thread.post({ kind: 'free', buffer: id });
    await rm(path, { force: true });
    throw error;
  }
}

/**
 * Matrices that only `linear` reads and that have more rows than columns: turned, they lie in long runs. A product of one row
 * reads several runs side by side, each for so short a time, if they are short, that a processor does not foresee it.
 */
function longer(entries: readonly ParameterEntry[], uses: readonly Graph[]): ReadonlySet<string> {
  const all = uses.flatMap((graph) => [...parameterUses(decompose(graph, () => false))]);
  const isUpright = ({ node, name }: ParameterUse): boolean =>
    node?.op === 'linear' && name === 'w' && node.attrs['transposed'] !== true;
  const others = new Set(all.flatMap(([name, of]) => (of.every(isUpright) ? [] : [name])));
  const isLonger = ({ name, shape: [rows = 0, columns = 0, ...more] }: ParameterEntry): boolean =>
    more.length === 0 && rows > columns && columns > 1 && !others.has(name);
  return new Set(entries.filter(isLonger).map(({ name }) => name));
}

async function fill(
  thread: Thread,
  buffer: OnnxBuffer,
  { name, stored }: ParameterEntry,
  source: WeightSource,
  signal: LoadOptions['signal'],
): Promise<void> {
  if (stored === undefined) return;
  buffer.mirror = undefined;
  for await (const { offset, data } of widenedPieces(source, name, buffer.dtype, signal)) {
    thread.post({ kind: 'write', buffer: buffer.id, offset, data: data.slice() });
  }
}
