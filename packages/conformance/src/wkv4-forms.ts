import { GraphBuilder, type Value } from '@receptance/core';
import { type Case, NO_WEIGHTS } from './case.ts';
import type { Check } from './check.ts';
import type { Tolerances } from './compare.ts';
import { execute } from './execute.ts';
import { Random } from './random.ts';
import { guard } from './run-case.ts';
import { Verdict } from './verdict.ts';

const SAME: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-12 }, f32: { nmse: 1e-10, maxAbs: 1e-5 } };
export const T = 13;
export const C = 5;
const CHUNK = 4;

export interface Wkv4Inputs {
  /** Log decay f32[C]. */
  readonly w: Value;
  /** Bonus f32[C]. */
  readonly u: Value;
  readonly k: Value;
  readonly v: Value;
}

/**
 * The heart of RWKV: one sum, computed as a recurrence with a state of constant size, as an attention with T×T weights
 * per channel, as a convolution over time, and in chunks. All must be the same numbers.
 */
export function wkv4FormsCheck(): Check {
  return formsCheck('wkv4', ({ uniform, normal }) => {
    const b = new GraphBuilder('wkv4 in all forms');
    const x: Wkv4Inputs = {
      ...{ w: b.input('w', 'f32', [C]), u: b.input('u', 'f32', [C]) },
      ...{ k: b.input('k', 'f32', [T, C]), v: b.input('v', 'f32', [T, C]) },
    };
    b.output('recurrent', recurrent(b, x));
    b.output('parallel', parallel(b, x));
    b.output('convolution', convolution(b, x));
    b.output('chunked', chunked(b, x));
    const inputs = { w: uniform(C, -1, -0.05), u: normal(C), k: normal(T * C), v: normal(T * C) };
    return { graph: b.build(), inputs };
  });
}

interface Draws {
  uniform(count: number, low: number, high: number): Float32Array;
  normal(count: number): Float32Array;
}

/** Holds all outputs of a graph against its output `recurrent`. */
export function formsCheck(name: string, make: (draws: Draws) => Pick<Case, 'graph' | 'inputs'>): Check {
  const id = `identity/recurrent is parallel is convolution is chunked/${name}`;
  const random = new Random(id);
  const made = make({
    uniform: (count, low, high) => Float32Array.from({ length: count }, () => random.uniform(low, high)),
    normal: (count) => Float32Array.from({ length: count }, () => random.normal()),
  });
  const test: Case = { id, ...made, sizes: {}, weights: NO_WEIGHTS, expected: { outputs: {} } };
  return {
    ...{ id, what: ['wkv4', 'tokenShift', 'matmul'] },
    run: (device, { tolerance }) =>
      guard(id, async () => {
        const { outputs, problems } = await execute(device, test);
        const verdict = new Verdict(id, device.info, tolerance);
        for (const problem of problems) verdict.problem(problem);
        const { recurrent = new Float64Array(), ...others } = outputs;
        for (const [form, y] of Object.entries(others)) verdict.compare(form, y, recurrent, SAME);
        return verdict.result();
      }),
  };
}

interface Wkv4State {
  readonly aa: Value;
  readonly bb: Value;
  readonly pp: Value;
}

function start(b: GraphBuilder): Wkv4State {
  return { aa: b.full(0, [1, C]), bb: b.full(0, [1, C]), pp: b.full(-1e30, [1, C]) };
}

/** The op itself over tokens [begin, end). */
function recurrence(
  b: GraphBuilder,
  { w, u, k, v }: Wkv4Inputs,
  [begin, end]: readonly [number, number],
  { aa, bb, pp }: Wkv4State,
): Wkv4State & { readonly y: Value } {
  const piece = (x: Value): Value => b.add('slice', { x }, { axis: 0, start: begin, end }).y;
  const starts = b.constant([0, end - begin], 'i32');
  return b.add('wkv4', { w, u, k: piece(k), v: piece(v), aa0: aa, bb0: bb, pp0: pp, starts });
}

export function recurrent(b: GraphBuilder, x: Wkv4Inputs): Value {
  return recurrence(b, x, [0, T], start(b)).y;
}

export function chunked(b: GraphBuilder, x: Wkv4Inputs): Value {
  let made = recurrence(b, x, [0, CHUNK], start(b));
  let y = made.y;
  for (let begin = CHUNK; begin < T; begin += CHUNK) {
    made = recurrence(b, x, [begin, Math.min(T, begin + CHUNK)], made);
    y = b.add('concat', { a: y, b: made.y }, { axis: 0 }).y;
  }
  return y;
}

/** y[t] = Σ_i e^{w[t,i] + k[i]} v[i] / Σ_i e^{w[t,i] + k[i]} with w[t,i] = (t − 1 − i) w for i < t, u for i = t. */
function parallel(b: GraphBuilder, { w, u, k, v }: Wkv4Inputs): Value {
  const places = b.constant(Array.from({ length: T }, (_, t) => t));
  const steps = b.binary('sub', b.binary('sub', b.reshape(places, [T, 1]), places), 1);
  const perChannel = (x: Value): Value => b.reshape(x, [C, 1, 1]);
  const far = b.unary('exp', b.binary('mul', perChannel(w), b.binary('max', steps, 0)));
  const own = b.unary('exp', perChannel(u));
  const past = b.add('select', { condition: b.compare('ge', steps, 0), a: far, b: b.full(0, []) }).y;
  const weights = b.add('select', { condition: b.compare('eq', steps, -1), a: own, b: past }).y;
  const sum = (z: Value): Value => {
    const columns = b.reshape(b.add('transpose', { x: z }, { axes: [1, 0] }).y, [C, T, 1]);
    const rows = b.add('matmul', { a: weights, b: columns }, { transposeA: false, transposeB: false }).y;
    return b.add('transpose', { x: b.reshape(rows, [C, T]) }, { axes: [1, 0] }).y;
  };
  const keys = b.unary('exp', k);
  return b.binary('div', sum(b.binary('mul', keys, v)), sum(keys));
}

/** Both sums as convolutions of e^k ⊙ v and e^k with the kernel e^u, 1, e^w, e^{2w}, …; a shift is a token shift. */
export function convolution(b: GraphBuilder, { w, u, k, v }: Wkv4Inputs): Value {
  const starts = b.constant([0, T], 'i32');
  const nothing = b.full(0, [1, C]);
  const sum = (z: Value): Value => {
    let total = b.binary('mul', b.unary('exp', u), z);
    let shifted = z;
    for (let step = 1; step < T; step++) {
      shifted = b.add('tokenShift', { x: shifted, prev: nothing, starts }).y;
      total = b.binary('add', total, b.binary('mul', b.unary('exp', b.binary('mul', step - 1, w)), shifted));
    }
    return total;
  };
  const keys = b.unary('exp', k);
  return b.binary('div', sum(b.binary('mul', keys, v)), sum(keys));
}
