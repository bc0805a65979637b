import { ReceptanceError } from '../errors.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { InputsOf } from '../ir/definition.ts';
import type { Attrs, Value } from '../ir/types.ts';
import { definitionOf, type OpName, type SignatureOf } from '../ops/index.ts';
import type { LanguageModel, State, StateEntry } from './language-model.ts';
import { LAYER_NORM_EPS, type ModelTensors } from './tensors.ts';

/** Where half a block finds what it takes: the state by its short names (`att_xx`), the tensors of the checkpoint. */
export interface HalfBlock {
  readonly b: GraphBuilder;
  readonly layer: number;
  /** What the first layer left for the others: RWKV-7's v. */
  readonly first: Value | undefined;
  state(name: string): Value;
  /** A tensor of the half: `key.weight` is `blocks.<layer>.att.key.weight`, or `.ffn.`. */
  vector(name: string): Value;
  matrix(name: string): Value;
  dense(name: string, shape: readonly number[]): Value;
}

/** What half a block takes beside the stream that the block gives it, under the names of its op. */
export type HalfInputs<Op extends OpName> = Omit<InputsOf<SignatureOf<Op>>, 'x' | 'starts' | 'slots'>;

/** What one version of RWKV has of its own. */
export interface Version {
  readonly architecture: string;
  readonly tensors: ModelTensors;
  readonly width: number;
  /** Entries of one layer, by their short names. */
  state(layer: number): readonly StateEntry[];
  /** The op of a block, and its attributes but `lnEps`. */
  readonly block: 'block4' | 'block5' | 'block6' | 'block7';
  readonly attrs: Attrs;
  timeMix(half: HalfBlock): Readonly<Record<string, Value | undefined>>;
  channelMix(half: HalfBlock): Readonly<Record<string, Value | undefined>>;
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
      for (let layer = 0; layer < layers; layer++) {
        const made = b.scope(`blocks.${layer}`, () => block(b, version, layer, { x, starts, first, state }));
        x = made.y;
        first ??= made.first;
        Object.assign(after, made.state);
      }
      return { x: tensors.norm(b, x, 'ln_out', width), state: after };
    },
    head: (b, x) => b.linear(x, tensors.matrix(b, 'head.weight')),
  };
}

interface BlockInputs {
  /** f32[N,C] */
  readonly x: Value;
  /** i32[S+1] */
  readonly starts: Value;
  readonly first: Value | undefined;
  readonly state: State;
}

interface BlockOutputs {
  readonly y: Value;
  readonly first: Value | undefined;
  /** By its full names. */
  readonly state: State;
}

function block(b: GraphBuilder, version: Version, layer: number, { state, ...given }: BlockInputs): BlockOutputs {
  const { tensors, width } = version;
  const norm = (name: string, part: string): Value => tensors.dense(b, `blocks.${layer}.${name}.${part}`, [width]);
  const names = new Map<number, string>();
  const half = (name: 'att' | 'ffn', own: Version['timeMix']): Record<string, Value | undefined> => {
    const inputs = b.scope(name, () => own(halfBlock(b, version, layer, name, { state, first: given.first, names })));
    return Object.fromEntries(Object.entries(inputs).map(([port, value]) => [`${name}_${port}`, value]));
  };
  const inputs: Record<string, Value | undefined> = {
    ...{ x: given.x, starts: given.starts },
    ...{ ln1_w: norm('ln1', 'weight'), ln1_b: norm('ln1', 'bias') },
    ...half('att', version.timeMix),
    ...{ ln2_w: norm('ln2', 'weight'), ln2_b: norm('ln2', 'bias') },
    ...half('ffn', version.channelMix),
  };
  const made = b.insert(version.block, inputs, { ...version.attrs, lnEps: LAYER_NORM_EPS });
  const after: Record<string, Value> = {};
  for (const [input, output] of Object.entries(definitionOf(version.block).state ?? {})) {
    const [name, value] = [names.get(inputs[input]?.id ?? -1), made[output ?? '']];
    if (name !== undefined && value !== undefined) after[name] = value;
  }
  return { y: made['y'] ?? given.x, first: made['att_vFirst'], state: after };
}

/** @param names learns which state each value is */
function halfBlock(
  b: GraphBuilder,
  { tensors, width }: Version,
  layer: number,
  half: 'att' | 'ffn',
  given: { readonly state: State; readonly first: Value | undefined; readonly names: Map<number, string> },
): HalfBlock {
  const full = (name: string): string => `blocks.${layer}.${half}.${name}`;
  return {
    ...{ b, layer, first: given.first },
    state(name) {
      const entry = `state.${layer}.${name}`;
      const value = given.state[entry];
      if (value === undefined) throw new ReceptanceError('BAD_OP', `no ${entry} was given`);
      given.names.set(value.id, entry);
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
