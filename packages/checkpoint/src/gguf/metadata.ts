import { quote } from '../errors.ts';
import type { Cursor } from './cursor.ts';
import { badGguf } from './errors.ts';
import { VALUE } from './types.ts';

export type Scalar = string | number | bigint | boolean;
/** Arrays that nothing needs are checked, but not kept: their value is `undefined`. */
export type Metadata = ReadonlyMap<string, Scalar | readonly Scalar[] | undefined>;

const MOST_ELEMENTS = 2 ** 22;

interface Reader {
  readonly width: number;
  read(cursor: Cursor): Scalar;
}

const READERS: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [VALUE.u8, { width: 1, read: (cursor) => cursor.u8() }],
  [VALUE.i8, { width: 1, read: (cursor) => cursor.i8() }],
  [VALUE.u16, { width: 2, read: (cursor) => cursor.u16() }],
  [VALUE.i16, { width: 2, read: (cursor) => cursor.i16() }],
  [VALUE.u32, { width: 4, read: (cursor) => cursor.u32() }],
  [VALUE.i32, { width: 4, read: (cursor) => cursor.i32() }],
  [VALUE.f32, { width: 4, read: (cursor) => cursor.f32() }],
  [VALUE.bool, { width: 1, read: readBool }],
  [VALUE.u64, { width: 8, read: (cursor) => cursor.u64() }],
  [VALUE.i64, { width: 8, read: (cursor) => cursor.i64() }],
  [VALUE.f64, { width: 8, read: (cursor) => cursor.f64() }],
]);

/** Reads the pairs of key and value. @param kept the keys of the arrays that are kept */
export async function readMetadata(cursor: Cursor, pairs: number, kept: ReadonlySet<string>): Promise<Metadata> {
  const metadata = new Map<string, Scalar | readonly Scalar[] | undefined>();
  for (let i = 0; i < pairs; i++) {
    const key = await cursor.string(`metadata key ${i}`);
    if (key === '__proto__') throw badGguf(cursor.file, `the metadata key ${quote(key)} is not allowed`);
    if (metadata.has(key)) throw badGguf(cursor.file, `the metadata key ${quote(key)} occurs twice`);
    await cursor.need(4);
    const type = cursor.u32();
    metadata.set(
      key,
      await (type === VALUE.array ? readArray(cursor, key, kept.has(key)) : readScalar(cursor, key, type)),
    );
  }
  return metadata;
}

async function readScalar(cursor: Cursor, key: string, type: number): Promise<Scalar> {
  if (type === VALUE.string) return cursor.string(`metadata ${quote(key)}`);
  const reader = READERS.get(type);
  if (reader === undefined) throw badGguf(cursor.file, `metadata ${quote(key)} is of the unknown type ${type}`);
  await cursor.need(reader.width);
  return reader.read(cursor);
}

async function readArray(cursor: Cursor, key: string, kept: boolean): Promise<readonly Scalar[] | undefined> {
  const what = `metadata ${quote(key)}`;
  await cursor.need(12);
  const type = cursor.u32();
  const count = cursor.size(`the length of ${what}`);
  const reader = READERS.get(type);
  if (reader === undefined && type !== VALUE.string) {
    throw badGguf(
      cursor.file,
      `${what} is an array of ${type === VALUE.array ? 'arrays' : `the unknown type ${type}`}`,
    );
  }
  // A string takes the eight bytes of its length at least.
  const width = reader?.width ?? 8;
  if (count > MOST_ELEMENTS) {
    throw badGguf(cursor.file, `${what} is said to have ${count} elements; the limit is ${MOST_ELEMENTS}`);
  }
  cursor.check(count * width);
  const values: Scalar[] = [];
  if (reader === undefined) {
    for (let i = 0; i < count; i++) {
      const text = await cursor.string(`element ${i} of ${what}`);
      if (kept) values.push(text);
    }
    return kept ? values : undefined;
  }
  await cursor.need(count * width);
  if (!kept) {
    cursor.skip(count * width);
    return undefined;
  }
  for (let i = 0; i < count; i++) values.push(reader.read(cursor));
  return values;
}

function readBool(cursor: Cursor): boolean {
  const value = cursor.u8();
  if (value > 1) throw badGguf(cursor.file, `a truth value is ${value}`);
  return value === 1;
}
