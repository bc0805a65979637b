import type { AbortSignalLike } from '@receptance/core';
import type { ByteSource } from '../byte-source.ts';
import { readExactly } from '../byte-source.ts';
import { checkpointError } from '../errors.ts';
import { badZip } from './errors.ts';
import { Fields } from './fields.ts';

/** Where the central directory is, and how many entries it has. */
export interface DirectoryPlace {
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

const END = 22;
const END_SIGNATURE = 0x06054b50;
const LONGEST_COMMENT = 0xffff;
const LOCATOR = 20;
const LOCATOR_SIGNATURE = 0x07064b50;
const END64 = 56;
const END64_SIGNATURE = 0x06064b50;

/**
 * Finds the central directory from the end of the file, with or without the ZIP64 records. What the records say
 * twice has to be the same, and nothing may lie between the directory and them.
 */
export async function findDirectory(source: ByteSource, signal?: AbortSignalLike): Promise<DirectoryPlace> {
  const { size, name } = source;
  const tailStart = Math.max(0, size - END - LONGEST_COMMENT);
  const tail = await readExactly(source, tailStart, size, signal);
  const at = findEnd(tail);
  if (at === undefined) {
    throw checkpointError(
      'TRUNCATED_FILE',
      name,
      'is a zip archive whose end is missing',
      'the file is not complete: fetch or copy it again',
    );
  }
  const end = new Fields(name, tail.subarray(at, at + END));
  end.skip(4);
  const disk = end.u16();
  const startDisk = end.u16();
  const countHere = end.u16();
  const count = end.u16();
  const length = end.u32();
  const start = end.u32();
  const oneDisk = isSame(disk, 0, 0xffff) && isSame(startDisk, 0, 0xffff) && countHere === count;
  const endStart = tailStart + at;
  const wide = await findEnd64(source, endStart, signal);
  const place = wide ?? { start, end: start + length, count };
  const { end: directoryEnd } = place;
  const same =
    isSame(count, place.count, 0xffff) &&
    isSame(start, place.start, 0xffffffff) &&
    isSame(length, directoryEnd - place.start, 0xffffffff);
  if (!oneDisk || !same || directoryEnd !== (wide?.recordStart ?? endStart)) {
    throw badZip(name, 'its end does not fit its directory');
  }
  return place;
}

/** A narrow field agrees when it has the number, or says by its largest value that it cannot. */
function isSame(field: number, value: number, largest: number): boolean {
  return field === value || field === largest;
}

/** The last record whose comment ends where the file does. */
function findEnd(tail: Uint8Array): number | undefined {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  for (let at = tail.length - END; at >= 0; at--) {
    if (view.getUint32(at, true) !== END_SIGNATURE) continue;
    if (at + END + view.getUint16(at + END - 2, true) === tail.length) return at;
  }
  return undefined;
}

async function findEnd64(
  source: ByteSource,
  endStart: number,
  signal?: AbortSignalLike,
): Promise<(DirectoryPlace & { readonly recordStart: number }) | undefined> {
  const { name } = source;
  const locatorStart = endStart - LOCATOR;
  if (locatorStart < 0) return undefined;
  const locator = new Fields(name, await readExactly(source, locatorStart, endStart, signal));
  if (locator.u32() !== LOCATOR_SIGNATURE) return undefined;
  const disk = locator.u32();
  const recordStart = locator.u64();
  const disks = locator.u32();
  if (disk !== 0 || disks > 1) throw badZip(name, 'it is spread over several files');
  if (recordStart + END64 > locatorStart) throw badZip(name, 'its ZIP64 record is not where it says');
  const record = new Fields(name, await readExactly(source, recordStart, recordStart + END64, signal));
  if (record.u32() !== END64_SIGNATURE) throw badZip(name, 'its ZIP64 record has no signature');
  const recordEnd = recordStart + 12 + record.u64();
  record.skip(4);
  const oneDisk = record.u32() === 0 && record.u32() === 0;
  const countHere = record.u64();
  const count = record.u64();
  const length = record.u64();
  const start = record.u64();
  if (!oneDisk || countHere !== count || recordEnd !== locatorStart || start + length !== recordStart) {
    throw badZip(name, 'its ZIP64 record contradicts itself');
  }
  return { start, end: start + length, count, recordStart };
}
