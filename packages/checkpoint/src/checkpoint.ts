import type { AbortSignalLike, ByteRange, ProgressListener, TensorInfo, WeightSource } from '@receptance/core';
import type { ByteSource } from './byte-source.ts';
import { checkpointError, quote } from './errors.ts';

export type CheckpointFormat = 'safetensors' | 'pth' | 'gguf';

/** The tokenizer section of a GGUF file. */
export interface Vocabulary {
  /** `tokenizer.ggml.model`: `rwkv` for the World tokenizer. */
  readonly model: string;
  /** `tokenizer.ggml.tokens`, by id, as the file has them: those of the World tokenizer are escaped bytes. */
  readonly tokens: readonly string[];
  /** `tokenizer.ggml.token_type`, one for each token. */
  readonly types: readonly number[] | undefined;
  /** `tokenizer.ggml.eos_token_id`. */
  readonly endOfText: number | undefined;
}

/**
 * An open checkpoint: its tensors by name. Opening reads and checks what describes the tensors; their bytes are
 * read when asked for.
 */
export interface Checkpoint extends WeightSource {
  readonly format: CheckpointFormat;
  /**
   * What the file says about itself: `__metadata__` of a .safetensors; the values of a .gguf that are no arrays;
   * empty for a .pth. `groupNormEps` is added where a file or a config says what it is.
   */
  readonly metadata: Readonly<Record<string, string>>;
  /** Of a .gguf that has one. */
  readonly vocabulary: Vocabulary | undefined;
  /** Closes the byte source too. Reading afterwards is an error. */
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly signal?: AbortSignalLike | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** A tensor as a format's reader found it. */
export interface StoredTensor {
  readonly info: TensorInfo;
  /** Bytes `[start, end)` of the tensor in row-major order; the range is already checked. `into` as for a `WeightSource`. */
  read(start: number, end: number, signal?: AbortSignalLike, into?: Uint8Array): Promise<Uint8Array>;
}

export interface CheckpointParts {
  readonly format: CheckpointFormat;
  readonly source: Pick<ByteSource, 'name' | 'close'>;
  readonly stored: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly vocabulary?: Vocabulary | undefined;
}

/** What is the same for every format: names, ranges, closing. */
export function checkpointOf({ format, source, stored, metadata, vocabulary }: CheckpointParts): Checkpoint {
  const tensors = new Map<string, TensorInfo>();
  for (const [name, { info }] of stored) tensors.set(name, info);
  let closed = false;
  return {
    format,
    tensors,
    metadata,
    vocabulary,
    async read(name, range, signal, into) {
      signal?.throwIfAborted();
      if (closed) {
        throw checkpointError('CLOSED', source.name, `is closed; ${quote(name)} cannot be read`, 'open it again');
      }
      const tensor = stored.get(name);
      if (tensor === undefined) {
        throw checkpointError(
          'UNKNOWN_TENSOR',
          source.name,
          `has no tensor ${quote(name)}`,
          'names are the keys of `tensors`',
        );
      }
      const { start, end } = checkedRange(source.name, name, tensor.info, range);
      return tensor.read(start, end, signal, into?.length === end - start ? into : undefined);
    },
    async close() {
      if (closed) return;
      closed = true;
      await source.close?.();
    },
  };
}

function checkedRange(file: string, name: string, info: TensorInfo, range: ByteRange | undefined): ByteRange {
  if (range === undefined) return { start: 0, end: info.bytes };
  const { start, end } = range;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || start > end || end > info.bytes) {
    throw checkpointError(
      'BAD_RANGE',
      file,
      `tensor ${quote(name)} has bytes [0, ${info.bytes}), not [${start}, ${end})`,
      'give 0 ≤ start ≤ end ≤ bytes as whole numbers',
    );
  }
  return range;
}

/** Opening takes the source over: it is closed when the checkpoint is, or at once when it cannot be opened. */
export async function closingOnError<T>(source: ByteSource, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await source.close?.();
    throw error;
  }
}
