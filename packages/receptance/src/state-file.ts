import { bytesSource, openSafetensors, type TensorToWrite, writeSafetensors } from '@receptance/checkpoint';
import { type HostArray, ReceptanceError, type TensorInfo } from '@receptance/core';
import type { SavedState, SavedTensor } from './saved-state.ts';

/** What the metadata of a file says that it is. */
const FORMAT = 'receptance.state';

/** A state tensor is named as in MATHS: `state.<layer>.<name>`; beside them there are the counts behind the penalties. */
const NAME = /^(?:state\.\d+\.[a-z_]+|sample\.counts)$/;

/**
 * A saved state as a `.safetensors` file: its tensors in f32 under their names, the rest in the metadata. Any backend
 * and precision takes it; numbers of a device that computes in f64 are rounded.
 * @throws ReceptanceError `BAD_STATE_FILE` for what is no saved state, or holds numbers beyond f32
 */
export function saveState(saved: SavedState): Uint8Array<ArrayBuffer> {
  const { version, architecture, vocabularySize, layers, width, length, tail, fingerprint } = saved;
  if (version !== 1) throw badFile(`version ${version} of a saved state is not known`);
  const tensors = Object.entries(saved.tensors).map(([name, { shape, data }]): TensorToWrite => {
    if (!NAME.test(name)) throw badFile(`${name} is no tensor of a state`);
    return { name, dtype: 'f32', shape, data: littleEndian(name, data) };
  });
  return writeSafetensors(tensors, {
    format: FORMAT,
    version: '1',
    ...{ architecture, fingerprint, tail: tail.join(' ') },
    ...{ vocabulary: `${vocabularySize}`, layers: `${layers}`, width: `${width}`, length: `${length}` },
  });
}

/**
 * Reads what `saveState` wrote. Whether it fits a model is found out when it is restored.
 * @throws ReceptanceError `BAD_STATE_FILE`, or what a damaged .safetensors causes (`TRUNCATED_FILE`, `BAD_HEADER` …)
 */
export async function loadState(bytes: Uint8Array | ArrayBuffer): Promise<SavedState> {
  const file = await openSafetensors(bytesSource(bytes, 'saved state'));
  const { metadata } = file;
  if (metadata['format'] !== FORMAT) throw badFile('it is a .safetensors file, but not of a state');
  if (metadata['version'] !== '1') throw badFile(`version ${metadata['version']} is not known`);
  const tail = metadata['tail'] ?? '';
  const tensors: Record<string, SavedTensor> = {};
  for (const [name, info] of file.tensors) tensors[name] = readTensor(name, info, await file.read(name));
  return {
    version: 1,
    architecture: metadata['architecture'] ?? '',
    vocabularySize: wholeNumber('vocabulary', metadata['vocabulary']),
    layers: wholeNumber('layers', metadata['layers']),
    width: wholeNumber('width', metadata['width']),
    length: wholeNumber('length', metadata['length']),
    tail: tail === '' ? [] : tail.split(' ').map((token) => wholeNumber('tail', token)),
    fingerprint: metadata['fingerprint'] ?? '',
    tensors,
  };
}

function readTensor(name: string, { dtype, shape }: TensorInfo, bytes: Uint8Array): SavedTensor {
  if (!NAME.test(name)) throw badFile(`it has a tensor ${JSON.stringify(name.slice(0, 80))}`);
  if (dtype !== 'f32') throw badFile(`its ${name} is of type ${dtype}, not f32`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const data = Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
  if (!data.every(Number.isFinite)) throw badFile(`its ${name} holds what is no number`);
  return { shape, data };
}

function wholeNumber(name: string, text: string | undefined): number {
  const number = /^\d{1,16}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw badFile(`its ${name} is ${text === undefined ? 'missing' : JSON.stringify(text.slice(0, 80))}`);
}

function littleEndian(name: string, data: HostArray): Uint8Array {
  const bytes = new Uint8Array(4 * data.length);
  const view = new DataView(bytes.buffer);
  data.forEach((value, i) => {
    if (!Number.isFinite(Math.fround(value))) throw badFile(`its ${name} holds ${value}, beyond f32`);
    view.setFloat32(4 * i, value, true);
  });
  return bytes;
}

function badFile(why: string): ReceptanceError {
  return new ReceptanceError('BAD_STATE_FILE', `the saved state cannot be used: ${why}`, {
    hint: 'give what session.save() gave, or a file that saveState made of it',
  });
}
