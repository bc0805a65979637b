import { ReceptanceError } from '@receptance/core';
import type { ByteSource } from '../byte-source.ts';
import type { Checkpoint, OpenOptions, StoredTensor } from '../checkpoint.ts';
import { checkpointOf } from '../checkpoint.ts';
import { checkpointError, quote } from '../errors.ts';
import { badJson, readConfig, readJson } from '../huggingface/config.ts';
import { withOfficialNames } from '../huggingface/official.ts';
import { openSafetensors } from './open.ts';

/** The bytes of a file of the folder by its name; `undefined`, or the error `FILE_NOT_FOUND`, when there is none. */
export type FolderResolver = (name: string) => Promise<ByteSource | undefined>;

export interface ShardsOptions extends OpenOptions {
  /** The name of the index, where it is another than `model.safetensors.index.json`. It has to be there then. */
  readonly index?: string | undefined;
}

const INDEX = 'model.safetensors.index.json';
const SINGLE = 'model.safetensors';
const CONFIG = 'config.json';
const LONGEST_INDEX = 2 ** 26;
const MOST_SHARDS = 1024;

/**
 * Opens a model in a folder as Hugging Face keeps it: `model.safetensors.index.json` and its shards, or one
 * `model.safetensors`; `config.json` is looked at when it is there. Names become the official ones.
 * All shards stay open until `close()`.
 *
 * @throws ReceptanceError `FILE_NOT_FOUND` when the folder has no model or a shard is missing; what `openSafetensors`
 * throws; `BAD_HEADER` when index and shards contradict each other
 */
export async function openShards(resolve: FolderResolver, options: ShardsOptions = {}): Promise<Checkpoint> {
  const configSource = await find(resolve, CONFIG);
  const config = configSource && (await closing(configSource, (source) => readConfig(source, options)));
  const index = await find(resolve, options.index ?? INDEX);
  if (index === undefined && options.index !== undefined) throw missing(options.index, 'it is not in the folder');
  const opened = index === undefined ? await openSingle(resolve, options) : await openIndexed(index, resolve, options);
  return closingIfRefused(opened.checkpoint, () => withOfficialNames(opened.file, opened.checkpoint, config));
}

interface Opened {
  readonly file: string;
  readonly checkpoint: Checkpoint;
}

async function openSingle(resolve: FolderResolver, options: OpenOptions): Promise<Opened> {
  const source = await find(resolve, SINGLE);
  if (source === undefined) throw missing(SINGLE, `neither it nor ${INDEX} is in the folder`);
  return { file: source.name, checkpoint: await openSafetensors(source, options) };
}

async function openIndexed(source: ByteSource, resolve: FolderResolver, options: OpenOptions): Promise<Opened> {
  const file = source.name;
  const places = await closing(source, (index) => readIndex(index, options));
  const shards = new Map<string, Checkpoint>();
  const close = async (): Promise<void> => {
    for (const shard of shards.values()) await shard.close();
  };
  try {
    for (const name of new Set(places.values())) {
      const shard = await find(resolve, name);
      if (shard === undefined) throw missing(name, `it is missing, but ${file} speaks of it`);
      shards.set(name, await openSafetensors(shard, options));
    }
    const stored = storedTensors(file, places, shards);
    const metadata = Object.assign({}, ...[...shards.values()].map((shard) => shard.metadata));
    return {
      file,
      checkpoint: checkpointOf({ format: 'safetensors', source: { name: file, close }, stored, metadata }),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Tensor name → shard name. */
async function readIndex(source: ByteSource, options: OpenOptions): Promise<ReadonlyMap<string, string>> {
  const map = (await readJson(source, LONGEST_INDEX, options)).get('weight_map');
  if (!(map instanceof Map)) throw badJson(source.name, 'has no weight_map');
  const places = new Map<string, string>();
  for (const [tensor, shard] of map) {
    // A plain name: nothing outside the folder.
    if (typeof shard !== 'string' || !/^[\w-][\w.-]*\.safetensors$/.test(shard)) {
      throw badJson(source.name, `the shard of tensor ${quote(tensor)} is no name of a .safetensors file`);
    }
    places.set(tensor, shard);
  }
  if (new Set(places.values()).size > MOST_SHARDS) throw badJson(source.name, `it has more than ${MOST_SHARDS} shards`);
  return places;
}

function storedTensors(
  file: string,
  places: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, Checkpoint>,
): ReadonlyMap<string, StoredTensor> {
  const stored = new Map<string, StoredTensor>();
  for (const [name, shardName] of places) {
    const shard = shards.get(shardName);
    const info = shard?.tensors.get(name);
    if (shard === undefined || info === undefined) {
      throw badJson(file, `tensor ${quote(name)} is not in ${shardName}`);
    }
    stored.set(name, { info, read: (start, end, signal, into) => shard.read(name, { start, end }, signal, into) });
  }
  for (const [shardName, { tensors }] of shards) {
    const stray = [...tensors.keys()].find((name) => places.get(name) !== shardName);
    if (stray !== undefined) throw badJson(file, `tensor ${quote(stray)} of ${shardName} is not in the index`);
  }
  return stored;
}

async function find(resolve: FolderResolver, name: string): Promise<ByteSource | undefined> {
  try {
    return await resolve(name);
  } catch (error) {
    if (ReceptanceError.isInstance(error) && error.code === 'FILE_NOT_FOUND') return undefined;
    throw error;
  }
}

async function closing<T>(source: ByteSource, use: (source: ByteSource) => Promise<T>): Promise<T> {
  try {
    return await use(source);
  } finally {
    await source.close?.();
  }
}

export async function closingIfRefused(opened: Checkpoint, rename: () => Checkpoint): Promise<Checkpoint> {
  try {
    return rename();
  } catch (error) {
    await opened.close();
    throw error;
  }
}

function missing(name: string, what: string): Error {
  return checkpointError('FILE_NOT_FOUND', name, what, 'download all files of the model into one folder');
}
