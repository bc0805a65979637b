import { Random } from '@receptance/conformance';
import { ReceptanceError, type TensorInfo, type WeightSource } from '@receptance/core';
import { modelSize } from './registry.ts';
import { type Distribution, type TensorShape, tensorsOf } from './tensors.ts';

/**
 * Numbers that all tensors are cut from: a prime number of them, so that no two rows of a matrix begin at the same one
 * and no power of two divides the distance between equal numbers. 4 MB.
 */
const TABLE = 1_048_573;

/** Of the numbers: another whenever they change, so that a file of those before is not taken for one of these. */
export const REVISION = 2;

interface RandomTensor extends TensorInfo {
  /** Where in the table it begins. */
  readonly from: number;
  readonly distribution: Distribution;
}

/**
 * A model of registered size whose weights are random by seed and made when they are read: the same numbers whatever is
 * read first, in f32, at the speed of copying. Speeds do not depend on what weights say, but for one thing:
 * how much of relu² is zero, which is as in trained models.
 * @throws ReceptanceError `UNKNOWN_MODEL`
 */
export function randomWeights(model: string, seed = 1): WeightSource {
  return randomSource(`${model}/${seed}`, tensorsOf(modelSize(model)));
}

/** The same of any tensors. */
export function randomSource(seed: string, shapes: readonly TensorShape[]): WeightSource {
  const random = new Random(seed);
  const tables = {
    normal: Float32Array.from({ length: TABLE }, () => random.normal()),
    uniform: Float32Array.from({ length: TABLE }, () => random.next()),
  };
  const tensors = new Map<string, RandomTensor>();
  for (const { name, shape, distribution } of shapes) {
    const bytes = 4 * shape.reduce((product, size) => product * size, 1);
    tensors.set(name, { dtype: 'f32', shape, bytes, from: random.integer(TABLE), distribution });
  }
  return {
    tensors,
    async read(name, range, signal) {
      signal?.throwIfAborted();
      const tensor = tensors.get(name);
      if (tensor === undefined) throw new ReceptanceError('UNKNOWN_TENSOR', `the weights have no tensor ${name}`);
      const { start, end } = range ?? { start: 0, end: tensor.bytes };
      const first = Math.floor(start / 4);
      const numbers = new Float32Array(Math.ceil(end / 4) - first);
      fill(numbers, tables[tensor.distribution.kind], (tensor.from + first) % TABLE, tensor.distribution);
      return new Uint8Array(numbers.buffer, start - 4 * first, end - start);
    },
  };
}

function fill(out: Float32Array, table: Float32Array, from: number, distribution: Distribution): void {
  const [scale, shift] =
    distribution.kind === 'normal'
      ? [distribution.deviation, distribution.mean ?? 0]
      : [distribution.high - distribution.low, distribution.low];
  for (let done = 0, at = from; done < out.length; at = 0) {
    const count = Math.min(out.length - done, TABLE - at);
    for (let i = 0; i < count; i++) out[done + i] = (table[at + i] ?? 0) * scale + shift;
    done += count;
  }
}
