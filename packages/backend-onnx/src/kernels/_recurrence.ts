import type { Dim, Value } from '@receptance/core';
import type { Block, Ref } from '../lowering/block.ts';
import type { Lowering } from '../lowering/lowering.ts';

/** A tensor of packed rows `[N, …tail]`. */
export interface Rows {
  readonly ref: Ref;
  readonly tail: readonly Dim[];
}

/** One token of every sequence: states `[S, …]` and rows `[S, …]`, before and after. */
export type Step = (
  block: Block,
  states: readonly Ref[],
  rows: readonly Ref[],
) => { readonly states: readonly Ref[]; readonly rows: readonly Ref[] };

export interface Recurrence {
  readonly starts: Value;
  readonly tokens: Dim;
  /** `[S, …]`, each with its rank. */
  readonly states: readonly { readonly ref: Ref; readonly rank: number }[];
  readonly rows: readonly Rows[];
  /** The rows that each step makes: their `…tail`. */
  readonly made: readonly (readonly Dim[])[];
  /** From the last token to the first. */
  readonly backward?: boolean;
  readonly step: Step;
}

/**
 * Runs a step over the tokens of every sequence: plain ops where each has one token, else the standard's `Scan`, or
 * without it a step after the other. A sequence that has ended keeps its state.
 */
export function recurrence(o: Lowering, all: Recurrence): Steps {
  const { starts, tokens, states, rows, made, step } = all;
  if (o.target.form === 'single') {
    return step(
      o.block,
      states.map(({ ref }) => ref),
      rows.map(({ ref }) => ref),
    );
  }
  if (o.isEmpty([tokens])) {
    return { states: states.map(({ ref }) => ref), rows: made.map((tail) => o.full(0, [tokens, ...tail])) };
  }
  const lengths = o.hasScan ? undefined : o.lengths(starts);
  return lengths === undefined ? scanned(o, all) : unrolled(o, all, lengths);
}

/** States after all steps, and the rows that they make. */
interface Steps {
  readonly states: readonly Ref[];
  readonly rows: readonly Ref[];
}

function scanned(o: Lowering, { starts, tokens, states, rows, made, backward = false, step }: Recurrence): Steps {
  const sequences = o.sequences(starts, tokens);
  const { names } = o.block;
  const body = o.block.inner();
  const input = (stem: string, type: 'float32' | 'bool' = 'float32'): Ref =>
    body.input({ name: names.fresh(stem), type });
  const before = states.map(() => input('state'));
  const row = rows.map(() => input('row'));
  const valid = sequences.valid === undefined ? undefined : input('valid', 'bool');
  const { states: after, rows: outputs } = step(body, before, row);
  after.forEach((ref, i) => {
    body.output(valid === undefined ? ref : kept(body, valid, ref, before[i] ?? '', states[i]?.rank ?? 1), {
      name: names.fresh('state'),
      type: 'float32',
    });
  });
  for (const ref of outputs) body.output(ref, { name: names.fresh('row'), type: 'float32' });

  const steps = rows.map(({ ref, tail }) => sequences.toSteps(ref, tail));
  if (sequences.valid !== undefined) steps.push(sequences.valid);
  const directions = (count: number): { ints: number[] } => ({ ints: Array<number>(count).fill(backward ? 1 : 0) });
  const results = o.block.ops('Scan', [...states.map(({ ref }) => ref), ...steps], after.length + outputs.length, {
    body: { graph: body.finish(names.fresh('step')) },
    num_scan_inputs: { int: steps.length },
    scan_input_directions: directions(steps.length),
    scan_output_directions: directions(outputs.length),
  });
  return {
    states: results.slice(0, after.length),
    rows: results.slice(after.length).map((ref, i) => sequences.toRows(ref, made[i] ?? [])),
  };
}

/** Where a sequence has ended its state stays. */
function kept(block: Block, valid: Ref, after: Ref, before: Ref, rank: number): Ref {
  const axes = Array.from({ length: rank - 1 }, (_, i) => i + 1);
  return block.op('Where', [block.op('Unsqueeze', [valid, block.ints(axes)]), after, before]);
}

/** As many copies of the step as the longest sequence has tokens. */
function unrolled(
  o: Lowering,
  { starts, tokens, states, rows, made, backward = false, step }: Recurrence,
  lengths: readonly number[],
): Steps {
  const { block } = o;
  const sequences = o.sequences(starts, tokens);
  const steps = rows.map(({ ref, tail }) => sequences.toSteps(ref, tail));
  const times = Array.from({ length: Math.max(...lengths) }, (_, t) => t);
  const outputs: (readonly Ref[])[] = [];
  let now = states.map(({ ref }) => ref);
  for (const t of backward ? times.toReversed() : times) {
    const row = steps.map((x) => block.op('Gather', [x, block.ints32([t])]));
    const after = step(block, now, row);
    outputs[t] = after.rows;
    const valid = block.flags(
      lengths.map((length) => t < length),
      [lengths.length],
    );
    now = lengths.every((length) => t < length)
      ? [...after.states]
      : after.states.map((ref, i) => kept(block, valid, ref, now[i] ?? '', states[i]?.rank ?? 1));
  }
  const stacked = made.map((tail, i) => {
    const all = o.concat(
      outputs.map((of) => of[i] ?? ''),
      0,
    );
    return sequences.toRows(o.reshape(all, [times.length, lengths.length, ...tail]), tail);
  });
  return { states: now, rows: stacked };
}

type Op = (...inputs: Ref[]) => Ref;

/** Short names for the ops of a step. */
export interface Arithmetic {
  readonly add: Op;
  readonly sub: Op;
  readonly mul: Op;
  readonly div: Op;
  readonly max: Op;
  readonly exp: Op;
  readonly matmul: Op;
  readonly where: Op;
  /** Vectors `[…, D]` as columns `[…, D, 1]`. */
  column(x: Ref): Ref;
  /** Vectors `[…, D]` as rows `[…, 1, D]`. */
  row(x: Ref): Ref;
  /** Matrices `[…, D, 1]` or `[…, 1, D]` as vectors. */
  vector(x: Ref, axis: -1 | -2): Ref;
  sum(x: Ref, axis: number, keep?: boolean): Ref;
}

export function arithmetic(block: Block): Arithmetic {
  const op =
    (type: string): Op =>
    (...inputs) =>
      block.op(type, inputs);
  return {
    add: op('Add'),
    sub: op('Sub'),
    mul: op('Mul'),
    div: op('Div'),
    max: op('Max'),
    exp: op('Exp'),
    matmul: op('MatMul'),
    where: op('Where'),
    column: (x) => block.op('Unsqueeze', [x, block.ints([-1])]),
    row: (x) => block.op('Unsqueeze', [x, block.ints([-2])]),
    vector: (x, axis) => block.op('Squeeze', [x, block.ints([axis])]),
    sum: (x, axis, keep = true) => block.op('ReduceSum', [x, block.ints([axis])], { keepdims: { int: keep ? 1 : 0 } }),
  };
}
