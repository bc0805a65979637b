import type { ReceptanceError, TensorInfo } from '@receptance/core';
import { byteLength } from '@receptance/core';
import { checkpointError, quote } from '../errors.ts';
import { DTYPES, UNSAFE_NAME } from './dtypes.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { JsonError, parseJson } from './json.ts';

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, PlacedTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A tensor and where its bytes are, counted from the end of the header. */
export interface PlacedTensor {
  readonly info: TensorInfo;
  readonly start: number;
  readonly end: number;
}

/**
 * Parses and checks a header: every tensor has a type that can be held and as many bytes as its shape says, and the
 * tensors together cover the data exactly, without holes or overlaps, as the official reader demands.
 *
 * @param bytes the header as it is in the file, without its length
 * @param dataSize how many bytes follow it
 */
export function parseHeader(file: string, bytes: Uint8Array, dataSize: number): SafetensorsHeader {
  const root = parseRoot(file, bytes);
  const tensors = new Map<string, PlacedTensor>();
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, value] of root) {
    if (name === UNSAFE_NAME || hasLoneSurrogate(name)) throw badHeader(file, `the name ${quote(name)} is not allowed`);
    if (name === '__metadata__') metadata = parseMetadata(file, value);
    else tensors.set(name, parseTensor(file, name, value));
  }
  checkCover(file, tensors, dataSize);
  return { tensors, metadata };
}

function parseRoot(file: string, bytes: Uint8Array): JsonObject {
  let root: JsonValue;
  try {
    root = parseJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    if (cause instanceof JsonError) throw badHeader(file, `the header is not JSON: ${cause.message}`, cause);
    if (cause instanceof TypeError) throw badHeader(file, 'the header is not UTF-8', cause);
    throw cause;
  }
  if (!isObject(root)) throw badHeader(file, 'the header is not a JSON object');
  return root;
}

function parseMetadata(file: string, value: JsonValue): Readonly<Record<string, string>> {
  if (!isObject(value)) throw badHeader(file, '__metadata__ is not an object');
  const metadata: Record<string, string> = {};
  for (const [key, text] of value) {
    if (key === UNSAFE_NAME) throw badHeader(file, `the metadata key ${quote(key)} is not allowed`);
    if (typeof text !== 'string') throw badHeader(file, `the metadata ${quote(key)} is not a string`);
    metadata[key] = text;
  }
  return metadata;
}

function parseTensor(file: string, name: string, value: JsonValue): PlacedTensor {
  const what = `tensor ${quote(name)}`;
  if (!isObject(value)) throw badHeader(file, `${what} is not described by an object`);
  const dtypeName = value.get('dtype');
  if (typeof dtypeName !== 'string') throw badHeader(file, `${what} has no dtype`);
  const dtype = DTYPES.get(dtypeName);
  if (dtype === undefined) {
    throw checkpointError(
      'UNSUPPORTED_DTYPE',
      file,
      `${what} is of type ${quote(dtypeName)}`,
      `convert it to one of ${[...DTYPES.keys()].join(', ')}`,
    );
  }
  const shape = value.get('shape');
  if (!isSizes(shape)) throw badHeader(file, `${what} has no shape of whole numbers ≥ 0`);
  const offsets = value.get('data_offsets');
  if (!isSizes(offsets)) throw badHeader(file, `${what} has no data_offsets of whole numbers ≥ 0`);
  const [start, end] = offsets;
  if (start === undefined || end === undefined || offsets.length !== 2 || start > end) {
    throw badHeader(file, `${what} has data_offsets [${offsets.slice(0, 4)}], which are no range`);
  }
  const wanted = byteLength(dtype, elementCount(shape));
  if (wanted !== end - start) {
    throw checkpointError(
      'BAD_TENSOR',
      file,
      `${what} of type ${dtypeName} and shape [${shape.slice(0, 16)}] needs ${wanted} bytes, but has ${end - start}`,
      'the file is broken or was written by a faulty program: write or fetch it again',
    );
  }
  return { info: { dtype, shape, bytes: wanted }, start, end };
}

/** The product of a shape; `Infinity` when it is too large to be counted exactly. */
function elementCount(shape: readonly number[]): number {
  if (shape.includes(0)) return 0;
  let count = 1;
  for (const size of shape) {
    count *= size;
    if (count > Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY;
  }
  return count;
}

function checkCover(file: string, tensors: ReadonlyMap<string, PlacedTensor>, dataSize: number): void {
  const placed = [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  let end = 0;
  for (const [name, tensor] of placed) {
    if (tensor.start !== end) {
      const how = tensor.start < end ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw badHeader(file, `tensor ${quote(name)} at data_offsets ${tensor.start} ${how}, which ends at ${end}`);
    }
    end = tensor.end;
  }
  if (end > dataSize) {
    throw checkpointError(
      'TRUNCATED_FILE',
      file,
      `the tensors need ${end} bytes, but only ${dataSize} follow the header`,
      'the file is not complete: fetch or copy it again',
    );
  }
  if (end < dataSize) throw badHeader(file, `${dataSize - end} bytes follow the last tensor`);
}

function isObject(value: JsonValue): value is JsonObject {
  return value instanceof Map;
}

function isSizes(value: JsonValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every(isSize);
}

function isSize(value: JsonValue): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Cs}/u.test(text);
}

export function badHeader(file: string, what: string, cause?: unknown): ReceptanceError {
  return checkpointError(
    'BAD_HEADER',
    file,
    what,
    'the file is broken, or no .safetensors: write or fetch it again',
    cause,
  );
}
