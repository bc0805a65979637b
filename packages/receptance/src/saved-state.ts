import type { HostArray } from '@receptance/core';
import { ReceptanceError } from '@receptance/core';
import type { PoolEntry } from './graphs.ts';

export interface SavedTensor {
  readonly shape: readonly number[];
  /** Row-major. Float64Array from a device that computes in f64. */
  readonly data: HostArray;
}

/** A session as plain data: it survives `structuredClone`, and any device that runs the same model takes it. */
export interface SavedState {
  readonly version: 1;
  readonly architecture: string;
  readonly vocabularySize: number;
  readonly layers: number;
  readonly width: number;
  /** Tells the weights apart that the state belongs to: see `docs/guide/state.md`. */
  readonly fingerprint: string;
  /** Tokens of the text so far. */
  readonly length: number;
  /** The last tokens of the text, at most `TAIL`. The last one is not yet in the state: it is read when the text goes on. */
  readonly tail: readonly number[];
  /** `state.<layer>.<name>`, and `sample.counts` behind the penalties. */
  readonly tensors: Readonly<Record<string, SavedTensor>>;
}

/** As many tokens as an unfinished character of UTF-8 can span. */
export const TAIL = 4;

export interface RestoreOptions {
  /** Take a state of other weights of the same shape: another precision of a model, or one trained further. */
  readonly force?: boolean | undefined;
}

/** The model that a state is of. */
export interface StateOwner
  extends Pick<SavedState, 'architecture' | 'vocabularySize' | 'layers' | 'width' | 'fingerprint'> {
  readonly pools: readonly PoolEntry[];
}

/**
 * The tensors of a saved state in the order of the pools, held against the model they are to go to.
 * @throws ReceptanceError `STATE_MISMATCH`, `STATE_OF_OTHER_WEIGHTS`
 */
export function checkState(saved: SavedState, owner: StateOwner, { force = false }: RestoreOptions = {}): HostArray[] {
  const { architecture, vocabularySize, layers, width, pools } = owner;
  if (saved?.version !== 1) throw mismatch('it is no saved state of this version');
  if (saved.architecture !== architecture) throw mismatch(`it is of ${saved.architecture}, the model ${architecture}`);
  if (saved.vocabularySize !== vocabularySize) {
    throw mismatch(`its vocabulary has ${saved.vocabularySize} tokens, the model's ${vocabularySize}`);
  }
  if (saved.layers !== layers || saved.width !== width) {
    throw mismatch(
      `its model has ${saved.layers} layers of width ${saved.width}, this one ${layers} of width ${width}`,
    );
  }
  const { tail, length } = saved;
  const fits = Array.isArray(tail) && Number.isSafeInteger(length) && tail.length === Math.min(length, TAIL);
  if (!fits || !tail.every((token) => Number.isInteger(token) && token >= 0 && token < vocabularySize)) {
    throw mismatch('its last tokens are damaged');
  }
  const tensors = saved.tensors ?? {};
  const unknown = Object.keys(tensors).find((name) => !pools.some((pool) => pool.name === name));
  if (unknown !== undefined) throw mismatch(`the model has no ${unknown}`);
  const inOrder = pools.map(({ name, shape, elements }) => {
    const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (!ArrayBuffer.isView(tensor?.data)) throw mismatch(`it has no ${name}`);
    if (tensor.shape?.join() !== shape.join() || tensor.data?.length !== elements) {
      throw mismatch(`its ${name} is [${tensor.shape}], the model's [${shape}]`);
    }
    if (!tensor.data.every(Number.isFinite)) throw mismatch(`its ${name} holds what is no number`);
    return tensor.data;
  });
  if (force || saved.fingerprint === owner.fingerprint) return inOrder;
  throw new ReceptanceError('STATE_OF_OTHER_WEIGHTS', 'the saved state fits, but other weights have made it', {
    hint: 'load the file that it was saved with, or pass { force: true } to restore it all the same',
  });
}

function mismatch(why: string): ReceptanceError {
  return new ReceptanceError('STATE_MISMATCH', `the saved state does not fit: ${why}`, {
    hint: 'restore a state into a session of the model that it was saved from',
  });
}
