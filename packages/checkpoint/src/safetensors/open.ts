import type { ByteSource } from '../byte-source.ts';
import { readExactly } from '../byte-source.ts';
import type { Checkpoint, OpenOptions, StoredTensor } from '../checkpoint.ts';
import { checkpointOf, closingOnError } from '../checkpoint.ts';
import { checkpointError } from '../errors.ts';
import { inCompany } from '../in-company.ts';
import { LONGEST_HEADER } from './dtypes.ts';
import { badHeader, parseHeader } from './header.ts';

/** The header's length, a little-endian 64-bit number. */
const PREFIX = 8;

/**
 * Opens a .safetensors file: reads its header and checks it against the size of the file.
 *
 * @throws ReceptanceError `NOT_A_CHECKPOINT`, `TRUNCATED_FILE`, `BAD_HEADER`, `BAD_TENSOR` or `UNSUPPORTED_DTYPE`
 */
export function openSafetensors(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return closingOnError(source, () => open(source, options));
}

async function open(source: ByteSource, { signal, onProgress }: OpenOptions): Promise<Checkpoint> {
  const dataStart = PREFIX + (await headerLength(source, signal));
  onProgress?.({ what: 'reading the header', done: 0, total: dataStart });
  const bytes = await readExactly(source, PREFIX, dataStart, signal);
  const { tensors, metadata } = parseHeader(source.name, bytes, source.size - dataStart);
  onProgress?.({ what: 'reading the header', done: dataStart, total: dataStart });
  const weights = inCompany(source);
  const stored = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) {
    const base = dataStart + tensor.start;
    stored.set(name, {
      info: tensor.info,
      read: (start, end, readSignal, into) => readExactly(weights, base + start, base + end, readSignal, into),
    });
  }
  return checkpointOf({ format: 'safetensors', source, stored, metadata });
}

async function headerLength(source: ByteSource, signal: OpenOptions['signal']): Promise<number> {
  if (source.size < PREFIX) {
    throw checkpointError(
      'NOT_A_CHECKPOINT',
      source.name,
      `has ${source.size} bytes, too few for a .safetensors file`,
      'give a complete .safetensors file',
    );
  }
  const prefix = await readExactly(source, 0, PREFIX, signal);
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true));
  if (length > LONGEST_HEADER) {
    throw badHeader(source.name, `it says its header has ${length} bytes; the limit is ${LONGEST_HEADER}`);
  }
  if (length > source.size - PREFIX) {
    throw checkpointError(
      'TRUNCATED_FILE',
      source.name,
      `it says its header has ${length} bytes, but only ${source.size - PREFIX} follow`,
      'the file is not complete, or no .safetensors: fetch or copy it again',
    );
  }
  return length;
}
