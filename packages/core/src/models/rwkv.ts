import { ReceptanceError } from '../errors.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Value } from '../ir/types.ts';
import type { LanguageModel, State, StateEntry } from './language-model.ts';
import type { ModelTensors } from './tensors.ts';

/** What half a block is given: the normed residual stream, and the state by its short names (`att_xx`). */
export interface HalfBlock {
  readonly b: GraphBuilder;
  readonly layer: number;
  /** f32[N,C] */
  readonly x: Value;
  /** i32[S+1] */
  readonly starts: Value;
  /** What the first layer left for the others: RWKV-7's v. */
  readonly first: Value | undefined;
  state(name: string): Value;
  /** A tensor of the half: `key.weight` is `blocks.<layer>.att.key.weight`, or `.ffn.`. */
  vector(name: string): Value;
  matrix(name: string): Value;
  dense(name: string, shape: readonly number[]): Value;
}

/** What half a block makes: what is added to the residual stream, and the new state by its short names. */
export interface HalfBlockResult {
  readonly y: Value;
  readonly state: Readonly<Record<string, Value>>;
  readonly first?: Value;
}

/** What one version of RWKV has of its own. */
export interface Version {
  readonly architecture: string;
  readonly tensors: ModelTensors;
  readonly width: number;
  /** Entries of one layer, by their short names. */
  state(layer: number): readonly StateEntry[];
  timeMix(half: HalfBlock): HalfBlockResult;
  channelMix(half: HalfBlock): HalfBlockResult;
}

/** The frame of every version: embedding, `x += timeMix(ln1(x)); x += channelMix(ln2(x))`, `ln_out`, head. */
export function rwkvModel(version: Version): LanguageModel {
  const { architecture, tensors, width } = version;
  const [vocabularySize] = tensors.matrixShape('emb.weight');
  const layers = tensors.layers();
  const entries = Array.from({ length: layers }, (_, layer) =>
    version.state(layer).map((entry) => ({ ...entry, name: `state.${layer}.${entry.name}` })),
  );

  return {
    architecture,
    ...{ layers, width, vocabularySize },
    state: entries.flat(),
    hidden(b, tokens, starts, state) {
      const embedded = b.add('gather', { table: tensors.matrix(b, 'emb.weight'), ids: tokens }).y;
      let x = tensors.norm(b, embedded, 'blocks.0.ln0', width);
      let first: Value | undefined;
      const after: Record<string, Value> = {};
      const half = (layer: number, name: 'att' | 'ffn', norm: string, mix: Version['timeMix']): void => {
        const made = b.scope(`blocks.${layer}.${name}`, () => {
          const normed = tensors.norm(b, x, `blocks.${layer}.${norm}`, width);
          return mix({ ...halfBlock(b, version, layer, name, state), x: normed, starts, first });
        });
        x = b.scope(`blocks.${layer}`, () => b.binary('add', x, made.y));
        first ??= made.first;
        for (const [entry, value] of Object.entries(made.state)) after[`state.${layer}.${entry}`] = value;
      };
      for (let layer = 0; layer < layers; layer++) {
        half(layer, 'att', 'ln1', version.timeMix);
        half(layer, 'ffn', 'ln2', version.channelMix);
      }
      return { x: tensors.norm(b, x, 'ln_out', width), state: after };
    },
    head: (b, x) => b.linear(x, tensors.matrix(b, 'head.weight')),
  };
}

function halfBlock(
  b: GraphBuilder,
  { tensors, width }: Version,
  layer: number,
  half: 'att' | 'ffn',
  state: State,
): Omit<HalfBlock, 'x' | 'starts' | 'first'> {
  const full = (name: string): string => `blocks.${layer}.${half}.${name}`;
  return {
    ...{ b, layer },
    state(name) {
      const value = state[`state.${layer}.${name}`];
      if (value === undefined) throw new ReceptanceError('BAD_OP', `no state.${layer}.${name} was given`);
      return value;
    },
    vector: (name) => tensors.dense(b, full(name), [width]),
    matrix: (name) => tensors.matrix(b, full(name)),
    dense: (name, shape) => tensors.dense(b, full(name), shape),
  };
}

/** State entries of the versions with a matrix-valued memory; `time_state` of a file is `[head, value, key]`. */
export function matrixState(
  { tensors, width }: Pick<Version, 'tensors' | 'width'>,
  layer: number,
  heads: number,
  layout: 'value-key' | 'key-value',
): StateEntry[] {
  const size = width / heads;
  const parameter = `blocks.${layer}.att.time_state`;
  const stored = layout === 'value-key' ? { parameter } : { parameter, axes: [0, 2, 1] };
  return [
    { name: 'att_xx', shape: [width], initial: 0 },
    { name: 'att_kv', shape: [heads, size, size], initial: tensors.has(parameter) ? stored : 0 },
    { name: 'ffn_xx', shape: [width], initial: 0 },
  ];
}
