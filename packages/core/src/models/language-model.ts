import type { GraphBuilder } from '../ir/builder.ts';
import type { Value } from '../ir/types.ts';

/** One tensor of a sequence's state, per layer. Its pool is the variable of the same name, `[Z, …shape]`. */
export interface StateEntry {
  /** `state.<layer>.<name>`, as saved. */
  readonly name: string;
  readonly shape: readonly number[];
  /** At the start of a text. */
  readonly initial: number | InitialState;
}

/** A tensor of the checkpoint, its axes reordered where they are stored in another order. */
export interface InitialState {
  readonly parameter: string;
  readonly axes?: readonly number[];
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
