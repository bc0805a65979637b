import type { DType } from '@receptance/core';
import {
  BLOCKS,
  byteLength,
  halfToNumber,
  narrow,
  ReceptanceError,
  transposeMatrix,
  widen,
  wordsOf,
} from '@receptance/core';
import type { StoredTensor } from './checkpoint.ts';
import { checkpointError } from './errors.ts';
import { gather } from './pth/gather.ts';
import { viewOf } from './pth/view.ts';

/** The same bytes under another shape. */
export function reshaped({ info, read }: StoredTensor, shape: readonly number[]): StoredTensor {
  return { info: { ...info, shape }, read };
}

/** The `index`th of `count` equal parts along the slowest axis. */
export function partOf(
  { info, read }: StoredTensor,
  index: number,
  count: number,
  shape: readonly number[],
): StoredTensor {
  const bytes = info.bytes / count;
  const from = index * bytes;
  return {
    info: { dtype: info.dtype, shape, bytes },
    read: (start, end, signal, into) => read(from + start, from + end, signal, into),
  };
}

/** The last two axes exchanged. Blocks cannot be: they are widened to f32, exactly. */
export function transposed(stored: StoredTensor): StoredTensor {
  const { info, read } = BLOCKS[stored.info.dtype].elements === 1 ? stored : widened(stored);
  const [rows = 1, columns = 1] = info.shape.slice(-2);
  const outer = info.shape.slice(0, -2);
  const shape = [...outer, columns, rows];
  const width = BLOCKS[info.dtype].bytes;
  const outerStrides = outer.map((_, axis) => info.shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const view = viewOf(0, shape, [...outerStrides, 1, columns]);
  return {
    info: { ...info, shape },
    async read(start, end, signal, into) {
      if (start === 0 && end === info.bytes && (width === 2 || width === 4)) {
        const out = into !== undefined && into.byteOffset % width === 0 ? into.subarray(0, end) : new Uint8Array(end);
        transposeAll(await read(start, end, signal), out, width, rows, columns);
        return out;
      }
      const first = Math.floor(start / width);
      const bytes = await gather((from, to) => read(from, to, signal), view, width, first, Math.ceil(end / width));
      return bytes.slice(start - first * width, end - first * width);
    },
  };
}

/** Each of the matrices that lie one after the other. */
function transposeAll(bytes: Uint8Array, out: Uint8Array, width: number, rows: number, columns: number): void {
  const [from, to] = [wordsOf(bytes, width) ?? wordsOf(new Uint8Array(bytes), width), wordsOf(out, width)];
  if (from === undefined || to === undefined) throw new Error(`elements of ${width} bytes at ${out.byteOffset}`);
  const size = rows * columns;
  for (let at = 0; at < from.length; at += size) {
    transposeMatrix(from.subarray(at, at + size), to.subarray(at, at + size), rows, columns);
  }
}

/** Blocks as f32. */
function widened({ info, read }: StoredTensor): StoredTensor {
  const block = BLOCKS[info.dtype];
  const elements = (info.bytes / block.bytes) * block.elements;
  return {
    info: { dtype: 'f32', shape: info.shape, bytes: byteLength('f32', elements) },
    async read(start, end, signal) {
      const size = block.elements * 4;
      const first = Math.floor(start / size);
      const last = Math.ceil(end / size);
      const numbers = new Float32Array((last - first) * block.elements);
      widen(info.dtype, await read(first * block.bytes, last * block.bytes, signal), numbers);
      const view = new DataView(new ArrayBuffer(numbers.byteLength));
      for (const [i, x] of numbers.entries()) view.setFloat32(i * 4, x, true);
      return new Uint8Array(view.buffer).slice(start - first * size, end - first * size);
    },
  };
}

/** Where the half-precision scales of a block are: all numbers of a block are linear in them. */
const SCALES: Partial<Record<DType, readonly number[]>> = {
  q8_0: [0],
  q4_0: [0],
  q4_1: [0, 2],
  q5_0: [0],
  q5_1: [0, 2],
  q4_k: [0, 2],
  q5_k: [0, 2],
  q6_k: [208],
};

/**
 * All numbers times a power of two, in the type they are stored in: exact, or the error `OVERFLOW` that names file and tensor.
 */
export function scaled(file: string, name: string, { info, read }: StoredTensor, power: number): StoredTensor {
  if (power === 0) return { info, read };
  const { bytes: width } = BLOCKS[info.dtype];
  return {
    info,
    async read(start, end, signal) {
      const first = Math.floor(start / width) * width;
      const last = Math.ceil(end / width) * width;
      const bytes = await read(first, last, signal);
      try {
        scaleBlocks(name, info.dtype, bytes, 2 ** power);
      } catch (cause) {
        if (!ReceptanceError.isInstance(cause)) throw cause;
        const hint = 'the file is damaged, or its matrices should not have been rescaled: convert the model again';
        throw checkpointError('OVERFLOW', file, `restored, ${cause.message}`, hint, cause);
      }
      return bytes.slice(start - first, end - first);
    },
  };
}

function scaleBlocks(name: string, dtype: DType, bytes: Uint8Array, factor: number): void {
  const { elements, bytes: width } = BLOCKS[dtype];
  if (elements === 1) {
    if (dtype !== 'f32' && dtype !== 'f16' && dtype !== 'bf16') {
      throw new ReceptanceError('UNSUPPORTED_DTYPE', `tensor ${name} is of type ${dtype}, which is not rescaled`);
    }
    const numbers = new Float32Array(bytes.length / width);
    widen(dtype, bytes, numbers);
    bytes.set(
      narrow(
        name,
        dtype,
        Float64Array.from(numbers, (x) => x * factor),
      ),
    );
    return;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places = SCALES[dtype] ?? [];
  const scales = new Float64Array(1);
  for (let at = 0; at < bytes.length; at += width) {
    for (const place of places) {
      scales[0] = halfToNumber(view.getUint16(at + place, true)) * factor;
      bytes.set(narrow(name, 'f16', scales, (at / width) * elements), at + place);
    }
  }
}
