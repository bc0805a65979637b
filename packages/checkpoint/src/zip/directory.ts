import type { AbortSignalLike } from '@receptance/core';
import type { ByteSource } from '../byte-source.ts';
import { readExactly } from '../byte-source.ts';
import { quote } from '../errors.ts';
import { findDirectory } from './end.ts';
import { badZip } from './errors.ts';
import { Fields } from './fields.ts';

/** A file in the archive, as the central directory describes it. */
export interface ZipEntry {
  readonly name: string;
  readonly nameLength: number;
  readonly flags: number;
  /** 0: stored as it is. */
  readonly method: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Where its local header is. */
  readonly headerStart: number;
  /** Where the next entry, or the directory, begins: its data end here at the latest. */
  readonly limit: number;
}

export const LOCAL_HEADER = 30;
const ENTRY = 46;
const ENTRY_SIGNATURE = 0x02014b50;
const ZIP64_EXTRA = 1;
/** In a 32-bit field: the number is in the ZIP64 extra field. */
const IN_ZIP64 = 0xffffffff;
/** A hundred thousand tensors take about 10 MB. */
const LONGEST_DIRECTORY = 2 ** 24;

/**
 * The entries of a zip archive by name. Checked: that there are as many as announced, that each lies before the
 * directory, that none overlaps another, and that no name occurs twice. Their data are not looked at.
 */
export async function readDirectory(
  source: ByteSource,
  signal?: AbortSignalLike,
): Promise<ReadonlyMap<string, ZipEntry>> {
  const { start, end, count } = await findDirectory(source, signal);
  if (end - start > LONGEST_DIRECTORY) throw badZip(source.name, `its directory has ${end - start} bytes`);
  if (count * ENTRY > end - start) throw badZip(source.name, `its directory is too small for ${count} entries`);
  const fields = new Fields(source.name, await readExactly(source, start, end, signal));
  const found: ZipEntry[] = [];
  for (let i = 0; i < count; i++) found.push(readEntry(source.name, fields, start));
  if (fields.left > 0) throw badZip(source.name, `its directory has more than the ${count} entries announced`);
  return withLimits(source.name, found, start);
}

function readEntry(file: string, fields: Fields, limit: number): ZipEntry {
  if (fields.u32() !== ENTRY_SIGNATURE) throw badZip(file, 'an entry of its directory has no signature');
  fields.skip(4);
  const flags = fields.u16();
  const method = fields.u16();
  fields.skip(8);
  const compressedSize = fields.u32();
  const size = fields.u32();
  const nameLength = fields.u16();
  const extraLength = fields.u16();
  const commentLength = fields.u16();
  fields.skip(8);
  const headerStart = fields.u32();
  const name = fields.text(nameLength);
  const extra = zip64Extra(file, name, fields.sub(extraLength));
  fields.skip(commentLength);
  // Only the numbers that do not fit are there, in this order.
  const wide = (value: number) => (value === IN_ZIP64 ? readWide(file, name, extra) : value);
  const wideSize = wide(size);
  const wideCompressedSize = wide(compressedSize);
  return {
    name,
    nameLength,
    flags,
    method,
    size: wideSize,
    compressedSize: wideCompressedSize,
    headerStart: wide(headerStart),
    limit,
  };
}

function readWide(file: string, name: string, extra: Fields | undefined): number {
  if (extra === undefined) throw badZip(file, `entry ${quote(name)} has no ZIP64 field`);
  return extra.u64();
}

function zip64Extra(file: string, name: string, extra: Fields): Fields | undefined {
  let found: Fields | undefined;
  while (extra.left > 0) {
    const id = extra.u16();
    const field = extra.sub(extra.u16());
    if (id !== ZIP64_EXTRA) continue;
    if (found !== undefined) throw badZip(file, `entry ${quote(name)} has two ZIP64 fields`);
    found = field;
  }
  return found;
}

function withLimits(file: string, found: readonly ZipEntry[], directoryStart: number): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  const sorted = [...found].sort((a, b) => b.headerStart - a.headerStart);
  let limit = directoryStart;
  for (const entry of sorted) {
    const { name, headerStart, nameLength, compressedSize } = entry;
    if (entries.has(name)) throw badZip(file, `the entry ${quote(name)} occurs twice`);
    if (headerStart + LOCAL_HEADER + nameLength + compressedSize > limit) {
      throw badZip(file, `the entry ${quote(name)} reaches into what follows it`);
    }
    entries.set(name, { ...entry, limit });
    limit = headerStart;
  }
  return entries;
}
