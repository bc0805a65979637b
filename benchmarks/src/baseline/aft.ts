import { type Graph, GraphBuilder, type Value } from '@receptance/core';
import { stepLogits, type TransformerSize } from './transformer.ts';

/** AFT-simple, or AFT-local of a window of W tokens. */
export interface AftSize extends Omit<TransformerSize, 'headSize'> {
  readonly window?: number | undefined;
}

/** Numbers that hold a text, however long: sums of what is far, and keys and values of what is near. */
export function aftStateSize({ layers, width, window = 0 }: AftSize): number {
  return layers * width * (3 + 2 * window);
}

/**
 * One step of core's `transformer` with AFT-simple or AFT-local in place of attention, as an RNN: what lies outside the window has the
 * weight exp(k) for ever, so sums hold it; the window's keys and values lie in W places that are used in turn.
 *
 * inputs: tokens i32[1]; of AFT-local also place i32[1], where the token is put, and near f32[W,1], the position weights of the
 * tokens that lie in the places (a place not used yet: −1e30), and leaving f32[1,1], 1 when the place held a token
 * outputs: next i32[1]; where they are asked for, logits f32[1,V] in place of it
 */
export function aftStep(size: AftSize, output: 'next' | 'logits' = 'next'): Graph {
  const { width, window } = size;
  const b = new GraphBuilder(window === undefined ? 'aft-simple.step' : 'aft-local.step');
  const ring = window === undefined ? undefined : ringInputs(b, window);
  const logits = stepLogits(b, size, (layer, project) => {
    const [q, k, v] = [project('query'), project('key'), project('value')];
    const sums = new Sums(b, `state.${layer}`, width);
    const mean = ring === undefined ? sums.with(k, v) : near(b, ring, sums, `state.${layer}`, k, v);
    return b.binary('mul', b.unary('sigmoid', q), mean);
  });
  b.output(output, output === 'logits' ? logits : b.add('argmax', { x: logits }).y);
  return b.build();
}

/** Σ exp(k) v and Σ exp(k) per channel, both divided by exp of the largest k so far. */
class Sums {
  readonly #b: GraphBuilder;
  readonly #name: string;
  readonly most: Value;
  readonly sum: Value;
  readonly total: Value;

  constructor(b: GraphBuilder, name: string, width: number) {
    this.#b = b;
    this.#name = name;
    this.most = b.variable(`${name}.most`, 'f32', [1, width]);
    this.sum = b.variable(`${name}.sum`, 'f32', [1, width]);
    this.total = b.variable(`${name}.total`, 'f32', [1, width]);
  }

  /** Takes a token in. @returns the weighted mean with it */
  with(k: Value, v: Value, weight?: Value): Value {
    const b = this.#b;
    const most = b.binary('max', this.most, k);
    const before = b.unary('exp', b.binary('sub', this.most, most));
    const plain = b.unary('exp', b.binary('sub', k, most));
    const own = weight === undefined ? plain : b.binary('mul', plain, weight);
    const sum = b.binary('add', b.binary('mul', this.sum, before), b.binary('mul', own, v));
    const total = b.binary('add', b.binary('mul', this.total, before), own);
    b.update(`${this.#name}.most`, most);
    b.update(`${this.#name}.sum`, sum);
    b.update(`${this.#name}.total`, total);
    return b.binary('div', sum, total);
  }
}

interface Ring {
  readonly place: Value;
  readonly near: Value;
  readonly leaving: Value;
  readonly window: number;
}

function ringInputs(b: GraphBuilder, window: number): Ring {
  return {
    place: b.input('place', 'i32', [1]),
    near: b.input('near', 'f32', [window, 1]),
    leaving: b.input('leaving', 'f32', [1, 1]),
    window,
  };
}

/** The mean over the window and the sums; the token that the new one drives out goes into the sums. */
function near(b: GraphBuilder, ring: Ring, sums: Sums, name: string, k: Value, v: Value): Value {
  const width = Number(k.shape[1]);
  const put = (part: string, value: Value): { readonly old: Value; readonly all: Value } => {
    const pool = b.variable(`${name}.${part}`, 'f32', [ring.window, width]);
    const old = b.add('stateRead', { pool, slots: ring.place }).y;
    const { y } = b.add('stateWrite', { pool, slots: ring.place, value });
    b.update(`${name}.${part}`, y);
    return { old, all: y };
  };
  const [keys, values] = [put('keys', k), put('values', v)];
  sums.with(keys.old, values.old, ring.leaving);
  // The token that leaves is read again here: the sums are those before it.
  const scores = b.binary('add', keys.all, ring.near);
  const far = b.binary('max', sums.most, keys.old);
  const most = b.binary('max', b.reduce('max', scores, [0], true), far);
  const weights = b.unary('exp', b.binary('sub', scores, most));
  const before = b.unary('exp', b.binary('sub', sums.most, most));
  const leaving = b.binary('mul', b.unary('exp', b.binary('sub', keys.old, most)), ring.leaving);
  const over = (x: Value): Value => b.reduce('sum', x, [0], true);
  const sum = b.binary('add', over(b.binary('mul', weights, values.all)), b.binary('mul', sums.sum, before));
  const total = b.binary('add', over(weights), b.binary('mul', sums.total, before));
  return b.binary('div', b.binary('add', sum, b.binary('mul', leaving, values.old)), b.binary('add', total, leaving));
}
