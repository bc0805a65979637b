import type { TensorInfo } from '@receptance/core';
import { byteLength } from '@receptance/core';
import { checkpointError, quote } from '../errors.ts';
import type { ZipEntry } from '../zip/directory.ts';
import { WINDOW } from './gather.ts';
import type { Tensor } from './values.ts';
import type { View } from './view.ts';
import { extentOf, overlaps, viewOf } from './view.ts';

/** A tensor that can be read: its description, its view, and the archive's entry with its storage. */
export interface CheckedTensor {
  readonly info: TensorInfo;
  readonly view: View;
  /** Bytes of an element. */
  readonly width: number;
  readonly entry: ZipEntry;
}

export interface Archive {
  readonly file: string;
  readonly size: number;
  /** What every entry's name begins with. */
  readonly prefix: string;
  readonly entries: ReadonlyMap<string, ZipEntry>;
}

/**
 * Checks that a tensor is of a type that can be held, that its storage is there and has the length it should, and
 * that its view stays inside it.
 */
export function checkTensor(archive: Archive, name: string, tensor: Tensor): CheckedTensor {
  const { dtype } = tensor.type;
  if (dtype === undefined) {
    throw checkpointError(
      'UNSUPPORTED_DTYPE',
      archive.file,
      `tensor ${quote(name)} is of type ${tensor.type.name}`,
      'convert it to float32, float16, bfloat16, float64 or int32, or leave it out',
    );
  }
  const width = byteLength(dtype, 1);
  const entry = storageEntry(archive, name, tensor);
  const { offset, shape, strides } = tensor;
  const view = viewOf(offset, shape, strides);
  const bytes = view.elements * width;
  // A view may repeat its storage any number of times; no honest weight is larger than its file.
  if (bytes > archive.size) {
    throw badTensor(archive, name, `of shape [${shape.slice(0, 16)}] has more bytes than the whole file`);
  }
  const reach = view.elements === 0 ? 0 : (offset + extentOf(view.axes)) * width;
  if (reach > entry.size) {
    throw badTensor(archive, name, `reaches to byte ${reach} of a storage of ${entry.size} bytes`);
  }
  if (overlaps(view.axes) && extentOf(view.axes) * width > WINDOW) {
    throw badTensor(archive, name, 'is a large view that overlaps itself');
  }
  return { info: { dtype, shape, bytes }, view, width, entry };
}

function storageEntry({ file, size, prefix, entries }: Archive, name: string, { storage }: Tensor): ZipEntry {
  const entry = entries.get(`${prefix}data/${storage.key}`);
  if (entry === undefined) {
    throw badTensor({ file, size, prefix, entries }, name, `has its storage ${quote(storage.key)} not in the file`);
  }
  const { dtype } = storage.type;
  const wanted = dtype === undefined ? storage.length : byteLength(dtype, storage.length);
  if (entry.size !== wanted) {
    throw badTensor(
      { file, size, prefix, entries },
      name,
      `has a storage ${quote(storage.key)} of ${entry.size} bytes instead of ${wanted}`,
    );
  }
  return entry;
}

function badTensor({ file }: Archive, name: string, what: string): Error {
  return checkpointError(
    'BAD_TENSOR',
    file,
    `tensor ${quote(name)} ${what}`,
    'save it again, with .contiguous().clone() on every tensor: torch.save({k: v.contiguous().clone() for k, v in state_dict.items()}, "model.pth")',
  );
}
