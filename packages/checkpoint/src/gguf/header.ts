import type { AbortSignalLike, TensorInfo } from '@receptance/core';
import { BLOCKS, byteLength } from '@receptance/core';
import type { ByteSource } from '../byte-source.ts';
import { checkpointError, quote } from '../errors.ts';
import { Cursor } from './cursor.ts';
import { badGguf } from './errors.ts';
import { type Metadata, readMetadata } from './metadata.ts';
import { ALIGNMENT, TENSOR_TYPES } from './types.ts';

export interface GgufHeader {
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, PlacedTensor>;
}

/** A tensor as the file has it, its shape slowest axis first, and where in the file it begins. */
export interface PlacedTensor {
  readonly info: TensorInfo;
  readonly start: number;
}

const MOST = 2 ** 16;
const MOST_AXES = 4;

/**
 * Reads a header and checks it against the size of the file: every tensor has a type that can be held, is aligned,
 * inside the file, and overlaps no other.
 * @param kept the keys of the metadata arrays that are kept
 */
export async function readHeader(
  source: ByteSource,
  kept: ReadonlySet<string>,
  signal: AbortSignalLike | undefined,
): Promise<GgufHeader> {
  const cursor = new Cursor(source, signal);
  await cursor.need(24);
  checkMagic(cursor);
  const tensorCount = count(cursor, 'tensors');
  const metadata = await readMetadata(cursor, count(cursor, 'metadata values'), kept);
  const alignment = alignmentOf(cursor.file, metadata);
  const described = new Map<string, PlacedTensor>();
  for (let i = 0; i < tensorCount; i++) {
    const name = await cursor.string(`the name of tensor ${i}`);
    if (name === '__proto__') throw badGguf(cursor.file, `the name ${quote(name)} is not allowed`);
    if (described.has(name)) throw badGguf(cursor.file, `the name ${quote(name)} occurs twice`);
    described.set(name, await readTensor(cursor, name, alignment));
  }
  const data = Math.ceil(cursor.position / alignment) * alignment;
  return { metadata, tensors: place(source, described, data) };
}

function checkMagic(cursor: Cursor): void {
  // 'GGUF'
  if (cursor.u32() !== 0x46554747) {
    throw checkpointError('NOT_A_CHECKPOINT', cursor.file, 'is no GGUF file', 'give a .gguf file');
  }
  const version = cursor.u32();
  if (version === 2 || version === 3) return;
  const big = version > 0 && (version & 0xffff) === 0;
  throw checkpointError(
    'UNSUPPORTED_FORMAT',
    cursor.file,
    big ? 'is a GGUF file of big-endian byte order' : `is a GGUF file of version ${version}`,
    'convert the model again with a current llama.cpp: versions 2 and 3, little-endian, are read',
  );
}

function count(cursor: Cursor, what: string): number {
  const value = cursor.size(`the number of ${what}`);
  if (value > MOST) throw badGguf(cursor.file, `it says it has ${value} ${what}; the limit is ${MOST}`);
  return value;
}

function alignmentOf(file: string, metadata: Metadata): number {
  const alignment = metadata.get('general.alignment') ?? ALIGNMENT;
  if (typeof alignment === 'number' && alignment >= 8 && alignment <= MOST && Number.isInteger(Math.log2(alignment))) {
    return alignment;
  }
  throw badGguf(file, 'its general.alignment is not a power of two between 8 and 65536');
}

/** Its start is counted from the data's. */
async function readTensor(cursor: Cursor, name: string, alignment: number): Promise<PlacedTensor> {
  const { file } = cursor;
  const what = `tensor ${quote(name)}`;
  await cursor.need(4);
  const axes = cursor.u32();
  if (axes > MOST_AXES) throw badGguf(file, `${what} has ${axes} axes; the limit is ${MOST_AXES}`);
  await cursor.need(axes * 8 + 12);
  const shape: number[] = [];
  let elements = 1;
  for (let i = 0; i < axes; i++) {
    const size = cursor.size(`a size of ${what}`);
    elements *= size;
    shape.unshift(size);
  }
  const type = cursor.u32();
  const start = cursor.size(`the offset of ${what}`);
  const { name: typeName = `number ${type}`, dtype } = TENSOR_TYPES.get(type) ?? {};
  if (dtype === undefined) {
    throw checkpointError(
      'UNSUPPORTED_DTYPE',
      file,
      `${what} is of type ${typeName}`,
      `quantise the model to one of ${held()}`,
    );
  }
  const row = shape.at(-1) ?? 1;
  if (elements < 1 || elements > Number.MAX_SAFE_INTEGER || row % BLOCKS[dtype].elements !== 0) {
    throw checkpointError(
      'BAD_TENSOR',
      file,
      `${what} of type ${typeName} cannot have the shape [${shape}]`,
      'the file is broken or was written by a faulty program: write or fetch it again',
    );
  }
  if (start % alignment !== 0) throw badGguf(file, `${what} is at ${start}, not at a multiple of ${alignment}`);
  return { info: { dtype, shape, bytes: byteLength(dtype, elements) }, start };
}

function held(): string {
  return [...TENSOR_TYPES.values()].flatMap(({ name, dtype }) => (dtype === undefined ? [] : [name])).join(', ');
}

function place(
  source: ByteSource,
  described: ReadonlyMap<string, PlacedTensor>,
  data: number,
): ReadonlyMap<string, PlacedTensor> {
  const sorted = [...described].sort(([, a], [, b]) => a.start - b.start);
  const placed = new Map<string, PlacedTensor>();
  let end = 0;
  for (const [name, { info, start }] of sorted) {
    if (start < end) throw badGguf(source.name, `tensor ${quote(name)} overlaps the tensor before it`);
    end = start + info.bytes;
    placed.set(name, { info, start: data + start });
  }
  if (data + end > source.size) {
    throw checkpointError(
      'TRUNCATED_FILE',
      source.name,
      `its tensors need ${data + end} bytes, the file has ${source.size}`,
      'the file is not complete: fetch or copy it again',
    );
  }
  return placed;
}
