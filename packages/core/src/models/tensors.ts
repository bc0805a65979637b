import { ReceptanceError } from '../errors.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import { formatShape } from '../ir/shape.ts';
import type { Value } from '../ir/types.ts';
import type { TensorInfo } from '../weights/weights.ts';

/** Of every layer norm in every version. */
export const LAYER_NORM_EPS = 1e-5;

/**
 * A checkpoint's tensors as a model reads them: sizes from shapes, parameters under their names. Vectors are declared
 * f32, matrices as they are stored. Axes of length 1 before others do not count: files store `(1, 1, C)`.
 */
export class ModelTensors {
  readonly #tensors: ReadonlyMap<string, TensorInfo>;
  readonly #architecture: string;

  constructor(tensors: ReadonlyMap<string, TensorInfo>, architecture: string) {
    this.#tensors = tensors;
    this.#architecture = architecture;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** One more than the largest i of `blocks.i.…`. */
  layers(): number {
    let layers = 0;
    for (const name of this.#tensors.keys()) {
      const match = /^blocks\.(\d{1,4})\./.exec(name);
      if (match) layers = Math.max(layers, Number(match[1]) + 1);
    }
    return layers;
  }

  /** The stored shape without leading axes of length 1. @throws ReceptanceError `MISSING_TENSOR`, `SHAPE_MISMATCH` */
  shape(name: string): readonly number[] {
    const info = this.#tensors.get(name);
    if (info === undefined) {
      throw new ReceptanceError('MISSING_TENSOR', `no tensor ${name}, which every ${this.#architecture} model has`, {
        hint: 'the file may be of another RWKV version, or incomplete',
      });
    }
    const first = info.shape.findIndex((size) => size !== 1);
    const shape = first < 0 ? info.shape.slice(-1) : info.shape.slice(first);
    if (shape.length === 0 || shape.some((size) => size < 1)) throw this.mismatch(name, 'a shape without 0');
    return shape;
  }

  /** How many axes are stored, those of length 1 too. */
  rank(name: string): number {
    return this.#tensors.get(name)?.shape.length ?? 0;
  }

  /** The two sizes of a matrix. @throws ReceptanceError `MISSING_TENSOR`, `SHAPE_MISMATCH` */
  matrixShape(name: string): readonly [number, number] {
    this.shape(name);
    const [rows, columns, ...more] = this.#tensors.get(name)?.shape ?? [];
    if (rows === undefined || columns === undefined || more.length > 0) throw this.mismatch(name, 'a matrix');
    return [rows, columns];
  }

  mismatch(name: string, wanted: string): ReceptanceError {
    const shape = formatShape(this.#tensors.get(name)?.shape ?? []);
    return new ReceptanceError('SHAPE_MISMATCH', `tensor ${name} has shape ${shape}, must be ${wanted}`, {
      hint: 'sizes are read from the tensors: the file may be damaged, or of another architecture',
    });
  }

  /** A parameter of f32, whatever it is stored as. */
  dense(b: GraphBuilder, name: string, shape: readonly number[]): Value {
    return b.parameter(name, 'f32', shape);
  }

  /** A matrix as it is stored; f64 as the device's own float. */
  matrix(b: GraphBuilder, name: string): Value {
    const dtype = this.#tensors.get(name)?.dtype ?? 'f32';
    return b.parameter(name, dtype === 'f64' ? 'f32' : dtype, this.matrixShape(name));
  }

  /** The layer norm whose weight and bias lie under `name`. */
  norm(b: GraphBuilder, x: Value, name: string, width: number): Value {
    const [w, bias] = [this.dense(b, `${name}.weight`, [width]), this.dense(b, `${name}.bias`, [width])];
    return b.add('layerNorm', { x, w, b: bias }, { eps: LAYER_NORM_EPS }).y;
  }
}
