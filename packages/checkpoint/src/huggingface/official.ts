import type { Checkpoint, StoredTensor } from '../checkpoint.ts';
import { checkpointOf } from '../checkpoint.ts';
import { partOf, reshaped, transposed } from '../derived.ts';
import { checkpointError, quote } from '../errors.ts';
import type { ModelConfig } from './config.ts';
import type { NamingScheme, Renamed } from './names.ts';
import { SCHEMES } from './names.ts';

/** Of every layer norm in the models. */
const LAYER_NORM_EPS = 1e-5;

/**
 * A checkpoint with Hugging Face's names as one with the official names and forms; any other as it is.
 * @param file what errors call it
 * @throws ReceptanceError `UNSUPPORTED_FORMAT` for a tensor that the model does not have, or another eps
 */
export function withOfficialNames(file: string, checkpoint: Checkpoint, config?: ModelConfig): Checkpoint {
  const scheme = SCHEMES.find(({ mark }) => checkpoint.tensors.has(mark));
  if (scheme === undefined) return checkpoint;
  if (config?.normEps !== undefined && config.normEps !== LAYER_NORM_EPS) {
    throw unsupported(file, `has layer norms of eps ${config.normEps}`, 'models with the eps 1e-5 are read');
  }
  const stored = new Map<string, StoredTensor>();
  for (const name of checkpoint.tensors.keys()) {
    const renamed = scheme.rename(name);
    if (renamed === undefined) {
      const hint = 'convert the model to the official names';
      throw unsupported(
        file,
        `has a tensor ${quote(name)}, which is of no RWKV model under Hugging Face's names`,
        hint,
      );
    }
    addRenamed(file, stored, renamed, storedIn(checkpoint, name));
  }
  if (config?.tiedEmbeddings === true && !checkpoint.tensors.has(scheme.head)) addTiedHead(stored, scheme, checkpoint);
  const { format, vocabulary } = checkpoint;
  const metadata = { ...checkpoint.metadata, ...groupNormEps(stored) };
  const source = { name: file, close: () => checkpoint.close() };
  return checkpointOf({ format, source, stored, metadata, vocabulary });
}

function storedIn(checkpoint: Checkpoint, name: string): StoredTensor {
  const info = checkpoint.tensors.get(name) ?? { dtype: 'f32', shape: [], bytes: 0 };
  return { info, read: (start, end, signal, into) => checkpoint.read(name, { start, end }, signal, into) };
}

function addRenamed(
  file: string,
  stored: Map<string, StoredTensor>,
  { official, transposed: exchanged }: Renamed,
  tensor: StoredTensor,
): void {
  const { shape } = tensor.info;
  const row = shape.at(-1) ?? 0;
  if ((exchanged && shape.length !== 2) || (official.length > 1 && row * official.length !== sizeOf(shape))) {
    throw checkpointError(
      'BAD_TENSOR',
      file,
      `the tensor for ${quote(official[0] ?? '')} cannot have the shape [${shape}]`,
      'the file is broken or was written by a faulty program: write or fetch it again',
    );
  }
  for (const [i, name] of official.entries()) {
    if (stored.has(name))
      throw unsupported(file, `has ${quote(name)} twice`, 'convert the model to the official names');
    if (official.length > 1) stored.set(name, partOf(tensor, i, official.length, [1, 1, row]));
    else if (exchanged) stored.set(name, transposed(tensor));
    else if (isChannels(name, shape)) stored.set(name, reshaped(tensor, [1, 1, row]));
    else stored.set(name, tensor);
  }
}

/** The official files of version 7 store vectors of channels as [1,1,C]. */
function isChannels(name: string, shape: readonly number[]): boolean {
  return /\.(?:att|ffn)\.(?:x_[rwkvag]|[wav]0|k_k|k_a)$/.test(name) && shape.at(-1) === sizeOf(shape);
}

function addTiedHead(stored: Map<string, StoredTensor>, { embedding }: NamingScheme, checkpoint: Checkpoint): void {
  stored.set('head.weight', storedIn(checkpoint, embedding));
}

/** flash-linear-attention multiplies the eps of the layer norms by the head size. */
function groupNormEps(stored: ReadonlyMap<string, StoredTensor>): { readonly groupNormEps?: string } {
  const headSize = stored.get('blocks.0.att.r_k')?.info.shape.at(-1);
  return headSize === undefined ? {} : { groupNormEps: String(headSize * LAYER_NORM_EPS) };
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function unsupported(file: string, what: string, hint: string): Error {
  return checkpointError('UNSUPPORTED_FORMAT', file, what, hint);
}
