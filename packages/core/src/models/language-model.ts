import { ReceptanceError } from '../errors.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Value } from '../ir/types.ts';
import type { TensorInfo } from '../weights.ts';

/** One tensor of a sequence's state, per layer. Its pool is the variable of the same name, `[Z, …shape]`. */
export interface StateEntry {
  /** `state.<layer>.<name>`, as saved. */
  readonly name: string;
  readonly shape: readonly number[];
  /** At the start of a text: a number everywhere, or a tensor of the checkpoint. */
  readonly initial: number | { readonly parameter: string };
}

export type State = Readonly<Record<string, Value>>;

/** A model as core knows it: sizes read from its tensors, and how to write it as a graph. */
export interface LanguageModel {
  /** `rwkv7` and so on. */
  readonly architecture: string;
  readonly layers: number;
  readonly width: number;
  readonly vocabularySize: number;
  readonly state: readonly StateEntry[];
  /**
   * From tokens to the residual stream after the last block, normed.
   * @param tokens i32[N]
   * @param starts i32[S+1]
   * @param state `[S, …]` for each entry of `state`
   */
  hidden(b: GraphBuilder, tokens: Value, starts: Value, state: State): { readonly x: Value; readonly state: State };
  /** Logits f32[R,V] of rows x f32[R,C]. */
  head(b: GraphBuilder, x: Value): Value;
}

/** Reads sizes from stored shapes, with units squeezed, and says what is wrong with which tensor. */
export class TensorShapes {
  readonly #tensors: ReadonlyMap<string, TensorInfo>;
  readonly #architecture: string;

  constructor(tensors: ReadonlyMap<string, TensorInfo>, architecture: string) {
    this.#tensors = tensors;
    this.#architecture = architecture;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** The two sizes of a matrix. @throws ReceptanceError `MISSING_TENSOR`, `SHAPE_MISMATCH` */
  matrix(name: string): readonly [number, number] {
    const info = this.#tensors.get(name);
    if (info === undefined) {
      throw new ReceptanceError('MISSING_TENSOR', `no tensor ${name}, which every ${this.#architecture} model has`, {
        hint: 'the file may be of another RWKV version, or incomplete',
      });
    }
    const [rows, columns, ...more] = info.shape;
    if (rows === undefined || columns === undefined || more.length > 0 || rows < 1 || columns < 1) {
      throw new ReceptanceError(
        'SHAPE_MISMATCH',
        `tensor ${name} has shape [${info.shape.join(',')}], must be a matrix`,
        {
          hint: `see MATHS of ${this.#architecture} in docs/spec`,
        },
      );
    }
    return [rows, columns];
  }

  /** How a matrix is declared: as it is stored, but f64 as the device's own float. */
  storage(name: string): TensorInfo['dtype'] {
    const dtype = this.#tensors.get(name)?.dtype ?? 'f32';
    return dtype === 'f64' ? 'f32' : dtype;
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
}
