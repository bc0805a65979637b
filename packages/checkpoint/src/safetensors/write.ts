import type { AbortSignalLike, DType, ReceptanceError, TensorInfo, WeightSource } from '@receptance/core';
import { byteLength } from '@receptance/core';
import { tensorChunks } from '../chunks.ts';
import { checkpointError, quote } from '../errors.ts';
import { DTYPES, LONGEST_HEADER, UNSAFE_NAME } from './dtypes.ts';

export interface TensorToWrite {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Little-endian, row-major. */
  readonly data: Uint8Array;
}

const WRITER = 'the .safetensors to write';
/** The data begin at a multiple of this. */
const ALIGNMENT = 8;
const NAMES: ReadonlyMap<DType, string> = new Map([...DTYPES].map(([name, dtype]) => [dtype, name]));
const ORDER: readonly DType[] = [...DTYPES.values()];

/**
 * The bytes of a .safetensors file, laid out as the official writer does: wide types first and names in order within
 * a type, so that every tensor starts at a multiple of its width; the header padded with spaces to a multiple of 8.
 *
 * @throws ReceptanceError `BAD_TENSOR` for a name that is taken or not allowed, or data of the wrong length;
 * `UNSUPPORTED_DTYPE` for a block format, which .safetensors does not know.
 */
export function writeSafetensors(
  tensors: Iterable<TensorToWrite>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const data = new Map<string, Uint8Array>();
  const infos: NamedTensor[] = [];
  for (const tensor of tensors) {
    infos.push({ ...tensor, bytes: tensor.data.length });
    data.set(tensor.name, tensor.data);
  }
  const { header, sorted } = layOut(infos, metadata);
  const size = sorted.reduce((total, { bytes }) => total + bytes, header.length);
  const file = new Uint8Array(size);
  file.set(header);
  let at = header.length;
  for (const { name, bytes } of sorted) {
    file.set(data.get(name) ?? [], at);
    at += bytes;
  }
  return file;
}

/**
 * The same file of a source's tensors, piece by piece: a tensor need not fit into memory.
 * @throws ReceptanceError as `writeSafetensors`, before the first piece; and what reading the source throws
 */
export async function* safetensorsChunks(
  source: WeightSource,
  metadata: Readonly<Record<string, string>> = {},
  signal?: AbortSignalLike,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { header, sorted } = layOut(
    Array.from(source.tensors, ([name, info]) => ({ name, ...info })),
    metadata,
  );
  yield header;
  for (const { name } of sorted) yield* tensorChunks(source, name, signal);
}

interface NamedTensor extends TensorInfo {
  readonly name: string;
}

function layOut(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): { readonly header: Uint8Array; readonly sorted: readonly NamedTensor[] } {
  const sorted = tensors.toSorted((a, b) => ORDER.indexOf(a.dtype) - ORDER.indexOf(b.dtype) || compare(a.name, b.name));
  return { header: encodeHeader(sorted, metadata), sorted };
}

function encodeHeader(tensors: readonly NamedTensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries: string[] = [];
  if (Object.keys(metadata).length > 0) entries.push(`"__metadata__":${JSON.stringify(metadata)}`);
  const names = new Set<string>();
  let at = 0;
  for (const tensor of tensors) {
    const dtype = checkTensor(tensor, names);
    const end = at + tensor.bytes;
    entries.push(
      `${JSON.stringify(tensor.name)}:${JSON.stringify({ dtype, shape: tensor.shape, data_offsets: [at, end] })}`,
    );
    at = end;
  }
  const json = new TextEncoder().encode(`{${entries.join(',')}}`);
  const length = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  if (length > LONGEST_HEADER) throw badTensor(`its header would have ${length} bytes; the limit is ${LONGEST_HEADER}`);
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return header;
}

/** The type's name in the file. */
function checkTensor({ name, dtype, shape, bytes }: NamedTensor, names: Set<string>): string {
  if (name === UNSAFE_NAME || name === '__metadata__') throw badTensor(`the name ${quote(name)} is not allowed`);
  if (names.has(name)) throw badTensor(`the name ${quote(name)} occurs twice`);
  names.add(name);
  const dtypeName = NAMES.get(dtype);
  if (dtypeName === undefined) {
    throw checkpointError(
      'UNSUPPORTED_DTYPE',
      WRITER,
      `tensor ${quote(name)} is of type ${dtype}`,
      `convert it to one of ${[...NAMES.keys()].join(', ')}`,
    );
  }
  const elements = shape.reduce((product, size) => product * size, 1);
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0) || byteLength(dtype, elements) !== bytes) {
    throw badTensor(`tensor ${quote(name)} of type ${dtype} and shape [${shape}] cannot have ${bytes} bytes`);
  }
  return dtypeName;
}

function badTensor(what: string): ReceptanceError {
  return checkpointError('BAD_TENSOR', WRITER, what, 'check the names, shapes and data given');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
