import type { AbortSignalLike } from '@receptance/core';
import type { ByteSource } from '../byte-source.ts';
import { readExactly } from '../byte-source.ts';
import { checkpointError, quote } from '../errors.ts';
import type { ZipEntry } from './directory.ts';
import { LOCAL_HEADER } from './directory.ts';
import { badZip } from './errors.ts';
import { Fields } from './fields.ts';

const LOCAL_SIGNATURE = 0x04034b50;
const STORED = 0;
const ENCRYPTED = 1;
/** Sizes follow the data, so that the local header has zeros. */
const SIZES_AFTER = 8;
const IN_ZIP64 = 0xffffffff;

/** Where an entry's bytes are in the file. */
export interface ZipData {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds a stored entry's bytes: its local header must say the same as the directory. Checksums are not computed:
 * torch.save can be told to leave them out, and weights are read by ranges.
 */
export async function locate(source: ByteSource, entry: ZipEntry, signal?: AbortSignalLike): Promise<ZipData> {
  const { name, nameLength, size, headerStart, limit } = entry;
  checkStored(source.name, entry);
  const headerEnd = headerStart + LOCAL_HEADER + nameLength;
  const fields = new Fields(source.name, await readExactly(source, headerStart, headerEnd, signal));
  const isHeader = fields.u32() === LOCAL_SIGNATURE;
  fields.skip(2);
  const flags = fields.u16();
  const method = fields.u16();
  fields.skip(8);
  const compressedSize = fields.u32();
  const plainSize = fields.u32();
  const localNameLength = fields.u16();
  const extraLength = fields.u16();
  const fits = (value: number) =>
    value === size || value === IN_ZIP64 || (value === 0 && (flags & SIZES_AFTER) === SIZES_AFTER);
  const consistent =
    isHeader &&
    flags === entry.flags &&
    method === entry.method &&
    fits(compressedSize) &&
    fits(plainSize) &&
    localNameLength === nameLength &&
    fields.text(nameLength) === name;
  const start = headerEnd + extraLength;
  if (!consistent || start + size > limit) {
    throw badZip(source.name, `the entry ${quote(name)} is not where and what its directory says`);
  }
  return { start, end: start + size };
}

function checkStored(file: string, { name, flags, method, size, compressedSize }: ZipEntry): void {
  if ((flags & ENCRYPTED) !== 0 || method !== STORED) {
    throw checkpointError(
      'UNSUPPORTED_FORMAT',
      file,
      `the entry ${quote(name)} is compressed or encrypted`,
      'torch.save stores without either: save it again, or pack it again without compression (zip -0)',
    );
  }
  if (size !== compressedSize) throw badZip(file, `the stored entry ${quote(name)} has two sizes`);
}
