import type { ByteSource } from '../byte-source.ts';
import { readExactly } from '../byte-source.ts';
import type { Checkpoint, OpenOptions, StoredTensor } from '../checkpoint.ts';
import { checkpointOf, closingOnError } from '../checkpoint.ts';
import { checkpointError } from '../errors.ts';
import { inCompany } from '../in-company.ts';
import type { ZipEntry } from '../zip/directory.ts';
import { readDirectory } from '../zip/directory.ts';
import type { ZipData } from '../zip/local.ts';
import { locate } from '../zip/local.ts';
import { collectTensors } from './collect.ts';
import { gather } from './gather.ts';
import { readPickle } from './pickle.ts';
import type { Archive, CheckedTensor } from './tensor.ts';
import { checkTensor } from './tensor.ts';
import { isContiguous } from './view.ts';

/** A tensor takes about a hundred bytes of it. */
const LONGEST_PICKLE = 2 ** 23;
/** Tensors may share storages (tied weights), but not as often as a hostile file could claim. */
const MOST_SHARING = 4;
/** Local headers that are read at the same time. */
const AT_ONCE = 32;

/**
 * Opens a .pth file as torch.save has written it since PyTorch 1.6: a zip archive with a pickle that describes the
 * tensors. The pickle is read by a closed interpreter that knows tensors and nothing else; no code ever runs.
 * Checksums are not checked.
 *
 * @throws ReceptanceError `NOT_A_CHECKPOINT`, `TRUNCATED_FILE`, `BAD_HEADER`, `BAD_PICKLE`, `UNSAFE_PICKLE`,
 * `BAD_TENSOR`, `UNSUPPORTED_DTYPE` or `UNSUPPORTED_FORMAT`
 */
export function openPth(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return closingOnError(source, () => open(source, options));
}

async function open(source: ByteSource, options: OpenOptions): Promise<Checkpoint> {
  const archive = await openArchive(source, options);
  await checkByteOrder(source, archive, options);
  const pickle = await readEntry(source, archive, 'data.pkl', LONGEST_PICKLE, options);
  const tensors = new Map<string, CheckedTensor>();
  let total = 0;
  for (const [name, tensor] of collectTensors(source.name, readPickle(source.name, pickle))) {
    const checked = checkTensor(archive, name, tensor);
    tensors.set(name, checked);
    total += checked.info.bytes;
  }
  if (total > MOST_SHARING * source.size) {
    throw checkpointError(
      'BAD_TENSOR',
      source.name,
      `its tensors have ${total} bytes together, the file ${source.size}`,
      'save it again, with .clone() on tensors that are views of one storage',
    );
  }
  const places = await locateAll(source, new Set([...tensors.values()].map(({ entry }) => entry)), options);
  const weights = inCompany(source);
  const stored = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) stored.set(name, storedTensor(weights, places, tensor));
  return checkpointOf({ format: 'pth', source, stored, metadata: {} });
}

async function openArchive(source: ByteSource, { signal }: OpenOptions): Promise<Archive> {
  const entries = await readDirectory(source, signal);
  const pickles = [...entries.keys()].filter((name) => /^(?:[^/]*\/)?data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw checkpointError(
      'NOT_A_CHECKPOINT',
      source.name,
      pickle === undefined ? 'is a zip archive without a data.pkl' : 'is a zip archive with several data.pkl',
      'give a .pth file as torch.save writes it',
    );
  }
  const prefix = pickle.slice(0, -'data.pkl'.length);
  if (entries.has(`${prefix}constants.pkl`)) {
    throw checkpointError(
      'UNSUPPORTED_FORMAT',
      source.name,
      'is a TorchScript program',
      'save its weights: torch.save(torch.jit.load("model.pt").state_dict(), "model.pth")',
    );
  }
  return { file: source.name, size: source.size, prefix, entries };
}

async function checkByteOrder(source: ByteSource, archive: Archive, options: OpenOptions): Promise<void> {
  // Older versions do not write it; they ran on little-endian machines.
  if (!archive.entries.has(`${archive.prefix}byteorder`)) return;
  const order = new TextDecoder().decode(await readEntry(source, archive, 'byteorder', 16, options)).trim();
  if (order === 'little') return;
  throw checkpointError(
    'UNSUPPORTED_FORMAT',
    source.name,
    order === 'big' ? 'is of big-endian byte order' : 'is of unknown byte order',
    'load and save it again on a little-endian machine',
  );
}

async function readEntry(
  source: ByteSource,
  { prefix, entries }: Archive,
  name: string,
  longest: number,
  { signal }: OpenOptions,
): Promise<Uint8Array> {
  const entry = entries.get(`${prefix}${name}`);
  if (entry === undefined || entry.size > longest) {
    throw checkpointError(
      'BAD_HEADER',
      source.name,
      `its ${name} has ${entry?.size ?? 'no'} bytes; the limit is ${longest}`,
      'save only the weights: torch.save(model.state_dict(), "model.pth")',
    );
  }
  const { start, end } = await locate(source, entry, signal);
  return readExactly(source, start, end, signal);
}

async function locateAll(
  source: ByteSource,
  entries: ReadonlySet<ZipEntry>,
  { signal, onProgress }: OpenOptions,
): Promise<ReadonlyMap<ZipEntry, ZipData>> {
  const places = new Map<ZipEntry, ZipData>();
  const all = [...entries];
  for (let i = 0; i < all.length; i += AT_ONCE) {
    onProgress?.({ what: 'reading the headers', done: i, total: all.length });
    const found = all.slice(i, i + AT_ONCE).map(async (entry) => [entry, await locate(source, entry, signal)] as const);
    for (const [entry, place] of await Promise.all(found)) places.set(entry, place);
  }
  onProgress?.({ what: 'reading the headers', done: all.length, total: all.length });
  return places;
}

function storedTensor(
  source: ByteSource,
  places: ReadonlyMap<ZipEntry, ZipData>,
  { info, view, width, entry }: CheckedTensor,
): StoredTensor {
  const base = places.get(entry)?.start ?? 0;
  return {
    info,
    async read(start, end, signal, into) {
      if (isContiguous(view)) {
        const first = base + view.offset * width;
        return readExactly(source, first + start, first + end, signal, into);
      }
      const first = Math.floor(start / width);
      const last = Math.ceil(end / width);
      const storage = (from: number, to: number) => readExactly(source, base + from, base + to, signal);
      const bytes = await gather(storage, view, width, first, last);
      return bytes.slice(start - first * width, end - first * width);
    },
  };
}
