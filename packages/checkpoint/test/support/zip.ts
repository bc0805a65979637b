/** Writes zip archives as torch.save does, and as it does not. */
export interface EntryToZip {
  readonly name: string;
  readonly data: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  /** What the directory says instead of the truth. */
  readonly size?: number;
  readonly headerStart?: number;
  /** What the local header says instead of the truth. */
  readonly localName?: string;
}

export interface ZipOptions {
  /** All sizes and offsets in ZIP64 fields, the 32-bit fields at their largest value. */
  readonly zip64?: boolean;
  readonly comment?: string;
  /** Data begin at multiples of 64, as in torch's own files. */
  readonly aligned?: boolean;
}

const WIDE = 0xffffffff;

export function zip(entries: readonly EntryToZip[], { zip64 = false, comment = '', aligned = true }: ZipOptions = {}) {
  const out: number[] = [];
  const directory: number[] = [];
  for (const {
    name,
    data,
    method = 0,
    flags = 0,
    size = data.length,
    headerStart = out.length,
    localName = name,
  } of entries) {
    const bytes = utf8(name);
    const start = out.length;
    const wide = zip64 ? [...u16(1), ...u16(16), ...u64(data.length), ...u64(data.length)] : [];
    const padding = aligned ? pad(start + 30 + bytes.length + wide.length) : [];
    const sizes = zip64 ? [...u32(WIDE), ...u32(WIDE)] : [...u32(data.length), ...u32(data.length)];
    const lengths = [...u16(utf8(localName).length), ...u16(wide.length + padding.length)];
    out.push(...u32(0x04034b50), ...u16(0), ...u16(flags), ...u16(method), ...u32(0), ...u32(0), ...sizes, ...lengths);
    out.push(...utf8(localName), ...wide, ...padding);
    for (const byte of data) out.push(byte);
    const extra = zip64 ? [...u16(1), ...u16(24), ...u64(size), ...u64(size), ...u64(headerStart)] : [];
    directory.push(...u32(0x02014b50), ...u16(0), ...u16(0), ...u16(flags), ...u16(method), ...u32(0), ...u32(0));
    directory.push(
      ...u32(zip64 ? WIDE : size),
      ...u32(zip64 ? WIDE : size),
      ...u16(bytes.length),
      ...u16(extra.length),
    );
    directory.push(...u16(0), ...u16(0), ...u16(0), ...u32(0), ...u32(zip64 ? WIDE : headerStart), ...bytes, ...extra);
  }
  const start = out.length;
  out.push(...directory);
  if (zip64) {
    const record = out.length;
    const counts = [...u64(entries.length), ...u64(entries.length), ...u64(directory.length), ...u64(start)];
    out.push(...u32(0x06064b50), ...u64(44), ...u16(45), ...u16(45), ...u32(0), ...u32(0), ...counts);
    out.push(...u32(0x07064b50), ...u32(0), ...u64(record), ...u32(1));
  }
  const count = zip64 ? 0xffff : entries.length;
  const place = zip64 ? [...u32(WIDE), ...u32(WIDE)] : [...u32(directory.length), ...u32(start)];
  out.push(...u32(0x06054b50), ...u16(0), ...u16(0), ...u16(count), ...u16(count), ...place);
  out.push(...u16(utf8(comment).length), ...utf8(comment));
  return Uint8Array.from(out);
}

/** A .pth file of a pickle and its storages. */
export function pth(
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  options: ZipOptions & { readonly extra?: readonly EntryToZip[] } = {},
) {
  const entries: EntryToZip[] = [{ name: 'm/data.pkl', data: pickle }];
  for (const [key, data] of Object.entries(storages)) entries.push({ name: `m/data/${key}`, data });
  return zip([...entries, ...(options.extra ?? [])], options);
}

function pad(at: number): number[] {
  const length = (64 - ((at + 4) % 64)) % 64;
  return [...u16(0x4246), ...u16(length), ...new Array<number>(length).fill(0x5a)];
}

export function utf8(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

export function u16(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff];
}

export function u32(value: number): number[] {
  return [...u16(value & 0xffff), ...u16(value >>> 16)];
}

export function u64(value: number | bigint): number[] {
  const wide = BigInt(value);
  return [...u32(Number(wide & 0xffffffffn)), ...u32(Number(wide >> 32n))];
}
