import { ReceptanceError } from '../errors.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Value } from '../ir/types.ts';
import type { TensorInfo } from '../weights.ts';
import { type LanguageModel, type State, type StateEntry, TensorShapes } from './language-model.ts';

const LAYER_NORM_EPS = 1e-5;

export interface Rwkv7Options {
  /** Of the group norm after the memory: 64e-5 in all official models. */
  readonly groupNormEps?: number;
}

/** Whether a checkpoint's tensor names are those of RWKV-7. */
export function isRwkv7(tensors: ReadonlyMap<string, TensorInfo>): boolean {
  return tensors.has('blocks.0.att.r_k') && tensors.has('blocks.0.att.w0');
}

/**
 * RWKV-7 under its official tensor names, all sizes read from the tensors' shapes: any number of heads, head size,
 * feed-forward size and LoRA ranks, which may differ from layer to layer.
 * @throws ReceptanceError `MISSING_TENSOR` or `SHAPE_MISMATCH` naming the tensor
 */
export function rwkv7(tensors: ReadonlyMap<string, TensorInfo>, options: Rwkv7Options = {}): LanguageModel {
  const shapes = new TensorShapes(tensors, 'RWKV-7');
  const [vocabularySize, width] = shapes.matrix('emb.weight');
  const [heads, headSize] = shapes.matrix('blocks.0.att.r_k');
  if (heads * headSize !== width) {
    throw new ReceptanceError('SHAPE_MISMATCH', `${heads} heads of ${headSize} do not make the width ${width}`, {
      hint: 'blocks.0.att.r_k is [heads, head size], emb.weight [vocabulary, width]',
    });
  }
  const layers = shapes.layers();
  const eps = options.groupNormEps ?? 64e-5;
  const leaves: Leaves = {
    vector(b, name, length) {
      return b.parameter(name, 'f32', [length]);
    },
    perHead(b, name) {
      return b.parameter(name, 'f32', [heads, headSize]);
    },
    matrix(b, name, rows, columns) {
      return b.parameter(name, shapes.storage(name), [rows, columns]);
    },
  };
  const block = (b: GraphBuilder, layer: number, x: Value, starts: Value, state: State, vFirst: Value | undefined) =>
    buildBlock(b, { leaves, shapes, layer, width, eps }, x, starts, state, vFirst);

  const model: LanguageModel = {
    architecture: 'rwkv7',
    ...{ layers, width, vocabularySize },
    state: stateEntries(shapes, layers, width, heads, headSize),
    hidden(b, tokens, starts, state) {
      const embedded = b.add('gather', { table: leaves.matrix(b, 'emb.weight', vocabularySize, width), ids: tokens }).y;
      let x = b.scope('blocks.0', () => norm(b, leaves, embedded, 'blocks.0.ln0', width));
      let vFirst: Value | undefined;
      let after: State = {};
      for (let layer = 0; layer < layers; layer++) {
        const made = b.scope(`blocks.${layer}`, () => block(b, layer, x, starts, state, vFirst));
        x = made.x;
        vFirst = made.vFirst;
        after = { ...after, ...made.state };
      }
      return { x: norm(b, leaves, x, 'ln_out', width), state: after };
    },
    head(b, x) {
      return b.linear(x, leaves.matrix(b, 'head.weight', vocabularySize, width));
    },
  };
  return model;
}

/** Declares parameters by their checkpoint names. */
interface Leaves {
  vector(b: GraphBuilder, name: string, length: number): Value;
  perHead(b: GraphBuilder, name: string): Value;
  matrix(b: GraphBuilder, name: string, rows: number, columns: number): Value;
}

interface Block {
  readonly leaves: Leaves;
  readonly shapes: TensorShapes;
  readonly layer: number;
  readonly width: number;
  readonly eps: number;
}

function stateEntries(
  shapes: TensorShapes,
  layers: number,
  width: number,
  heads: number,
  headSize: number,
): StateEntry[] {
  return Array.from({ length: layers }, (_, layer): StateEntry[] => {
    const timeState = `blocks.${layer}.att.time_state`;
    return [
      { name: `state.${layer}.att_xx`, shape: [width], initial: 0 },
      {
        name: `state.${layer}.att_kv`,
        shape: [heads, headSize, headSize],
        initial: shapes.has(timeState) ? { parameter: timeState } : 0,
      },
      { name: `state.${layer}.ffn_xx`, shape: [width], initial: 0 },
    ];
  }).flat();
}

function norm(b: GraphBuilder, leaves: Leaves, x: Value, name: string, width: number): Value {
  const [w, bias] = [leaves.vector(b, `${name}.weight`, width), leaves.vector(b, `${name}.bias`, width)];
  return b.add('layerNorm', { x, w, b: bias }, { eps: LAYER_NORM_EPS }).y;
}

function buildBlock(
  b: GraphBuilder,
  { leaves, shapes, layer, width, eps }: Block,
  x: Value,
  starts: Value,
  state: State,
  vFirst: Value | undefined,
): { x: Value; vFirst: Value; state: State } {
  const att = `blocks.${layer}.att`;
  const ffn = `blocks.${layer}.ffn`;
  const vector = (name: string): Value => leaves.vector(b, name, width);
  const matrix = (name: string): Value => leaves.matrix(b, name, ...shapes.matrix(name));
  const entry = (name: string): Value => {
    const value = state[`state.${layer}.${name}`];
    if (value === undefined) throw new ReceptanceError('BAD_OP', `no state.${layer}.${name} was given`);
    return value;
  };

  const time = b.scope('att', () => {
    const mixes = { x_r: vector(`${att}.x_r`), x_w: vector(`${att}.x_w`), x_k: vector(`${att}.x_k`) };
    const moreMixes = { x_v: vector(`${att}.x_v`), x_a: vector(`${att}.x_a`), x_g: vector(`${att}.x_g`) };
    const residual =
      vFirst === undefined ? {} : { vFirst, v0: vector(`${att}.v0`), v1: matrix(`${att}.v1`), v2: matrix(`${att}.v2`) };
    return b.add(
      'timeMix7',
      {
        x: norm(b, leaves, x, `blocks.${layer}.ln1`, width),
        ...{ prev: entry('att_xx'), s0: entry('att_kv'), starts },
        ...mixes,
        ...moreMixes,
        ...residual,
        receptance: matrix(`${att}.receptance.weight`),
        key: matrix(`${att}.key.weight`),
        value: matrix(`${att}.value.weight`),
        output: matrix(`${att}.output.weight`),
        ...{ w0: vector(`${att}.w0`), w1: matrix(`${att}.w1`), w2: matrix(`${att}.w2`) },
        ...{ a0: vector(`${att}.a0`), a1: matrix(`${att}.a1`), a2: matrix(`${att}.a2`) },
        ...{ g1: matrix(`${att}.g1`), g2: matrix(`${att}.g2`) },
        ...{ k_k: vector(`${att}.k_k`), k_a: vector(`${att}.k_a`) },
        r_k: leaves.perHead(b, `${att}.r_k`),
        ...{ ln_x_w: vector(`${att}.ln_x.weight`), ln_x_b: vector(`${att}.ln_x.bias`) },
      },
      { eps },
    );
  });
  const middle = b.binary('add', x, time.y);

  const channel = b.scope('ffn', () =>
    b.add('channelMix7', {
      x: norm(b, leaves, middle, `blocks.${layer}.ln2`, width),
      ...{ prev: entry('ffn_xx'), starts },
      ...{ x_k: vector(`${ffn}.x_k`), key: matrix(`${ffn}.key.weight`), value: matrix(`${ffn}.value.weight`) },
    }),
  );
  return {
    x: b.binary('add', middle, channel.y),
    vFirst: time.vFirst,
    state: {
      [`state.${layer}.att_xx`]: time.last,
      [`state.${layer}.att_kv`]: time.s,
      [`state.${layer}.ffn_xx`]: channel.last,
    },
  };
}
