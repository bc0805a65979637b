import { ReceptanceError } from '../errors.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { prune } from '../ir/rewrite.ts';
import type { Dim, Graph, Value } from '../ir/types.ts';
import { SAMPLE_PARAMETERS } from '../ops/sample.ts';
import { decompose } from '../plan/lower.ts';
import type { LanguageModel, State, StateEntry } from './language-model.ts';

/** The variable that holds how often each sequence drew each token, for the penalties of `sample`. */
export const COUNTS_POOL = 'sample.counts';

/**
 * Logits of chosen rows; the states of the sequences in flight move on.
 *
 * inputs: tokens i32[N], starts i32[S+1], slots i32[S], rows i32[R] (numbers of rows of the batch)
 * outputs: logits f32[R,V]
 */
export function logitsGraph(model: LanguageModel): Graph {
  const b = new GraphBuilder(`${model.architecture}.logits`);
  b.output('logits', model.head(b, chosenRows(b, model)));
  return b.build();
}

/**
 * The residual stream of chosen rows after the last block, normed: embeddings of the texts so far.
 *
 * inputs: as `logitsGraph`
 * outputs: hidden f32[R,C]
 */
export function hiddenGraph(model: LanguageModel): Graph {
  const b = new GraphBuilder(`${model.architecture}.hidden`);
  b.output('hidden', chosenRows(b, model));
  return b.build();
}

/**
 * The next token after chosen rows by `argmax`, for prefill (N > R) and for a decode loop (N = R, carry `next` to
 * `tokens`).
 *
 * inputs: tokens i32[N], starts i32[S+1], slots i32[S], rows i32[R] (the last rows of the sequences that are to go on)
 * outputs: next i32[R]
 */
export function greedyGraph(model: LanguageModel): Graph {
  const b = new GraphBuilder(`${model.architecture}.greedy`);
  b.output('next', b.add('argmax', { x: model.head(b, chosenRows(b, model)) }).y);
  return b.build();
}

/**
 * As `greedyGraph`, but drawn by `sample`, whose settings and uniform numbers are inputs.
 *
 * more inputs: drawSlots i32[R] (the slots that the rows belong to), settings f32[R,8] (columns as in the op `sample`), u f32[R]
 * outputs: next i32[R]
 */
export function sampleGraph(model: LanguageModel): Graph {
  const b = new GraphBuilder(`${model.architecture}.sample`);
  draw(b, model, model.head(b, chosenRows(b, model)));
  return b.build();
}

/**
 * Draws from logits that the host has worked on (bias, grammars); the model itself does not run.
 *
 * inputs: logits f32[R,V], drawSlots i32[R], settings f32[R,8], u f32[R]
 * outputs: next i32[R]
 */
export function drawGraph(model: LanguageModel): Graph {
  const b = new GraphBuilder(`${model.architecture}.draw`);
  draw(b, model, b.input('logits', 'f32', ['R', model.vocabularySize]));
  return b.build();
}

/**
 * Puts slots at the start of a text: initial states, no token counted.
 *
 * inputs: slots i32[S]
 */
export function resetGraph(model: LanguageModel): Graph {
  const b = new GraphBuilder(`${model.architecture}.reset`);
  const slots = slotsInput(b);
  const entries = [...model.state, { name: COUNTS_POOL, shape: [model.vocabularySize], initial: 0 }];
  for (const entry of entries) {
    const pool = b.variable(entry.name, 'f32', ['Z', ...entry.shape]);
    b.update(entry.name, b.add('stateWrite', { pool, slots, value: initialState(b, entry) }).y);
  }
  return b.build();
}

/**
 * Mean cross-entropy over texts that start from the initial state: for evaluation, and for training by
 * `differentiate(lossGraph(model), 'loss', …)`.
 *
 * inputs: tokens i32[N], targets i32[N] (−1 leaves a token out), starts i32[S+1]
 * outputs: loss f32[] in nats per token that is not left out, losses f32[N]
 */
export function lossGraph(model: LanguageModel): Graph {
  const b = new GraphBuilder(`${model.architecture}.loss`);
  const tokens = b.input('tokens', 'i32', ['N']);
  const targets = b.input('targets', 'i32', ['N']);
  const starts = b.input('starts', 'i32', ['S+1']);
  const state = Object.fromEntries(model.state.map((entry) => [entry.name, initialState(b, entry)]));
  const { x } = model.hidden(b, tokens, starts, state);
  const losses = b.add('crossEntropy', { logits: model.head(b, x), targets }).y;
  const counted = b.add('cast', { x: b.compare('ge', targets, 0) }, { dtype: 'f32' }).y;
  const count = b.binary('max', b.reduce('sum', counted, [0]), 1);
  b.output('losses', losses);
  b.output('loss', b.binary('div', b.reduce('sum', losses, [0]), count));
  return b.build();
}

/** The ops that look back along a text through a state of their own. */
const RECURRENCES: readonly string[] = ['wkv4', 'wkv6', 'wkv7'];

/** What `traceGraph` traces: the op that is the memory of a layer, and its inputs by their names there. */
export interface TracedGraph {
  readonly graph: Graph;
  readonly op: string;
}

/**
 * What the memory of one layer is given at each token of a text that starts from the initial state: the inputs of its
 * `wkv4`, `wkv6` or `wkv7` under the names of their ports (r, lw, k, v, a, b, s0 …), but `starts`. Layers after it do not run.
 *
 * inputs: tokens i32[N], starts i32[2]
 */
export function traceGraph(model: LanguageModel, layer: number): TracedGraph {
  const b = new GraphBuilder(`${model.architecture}.trace.${layer}`);
  const tokens = b.input('tokens', 'i32', ['N']);
  const starts = b.input('starts', 'i32', [2]);
  const state = Object.fromEntries(model.state.map((entry) => [entry.name, initialState(b, entry, 1)]));
  b.output('x', model.hidden(b, tokens, starts, state).x);
  const primitives = decompose(b.build(), () => false);
  const memory = primitives.nodes.filter(({ op }) => RECURRENCES.includes(op))[layer];
  if (memory === undefined)
    throw new ReceptanceError('BAD_OP', `${model.architecture} has no memory in layer ${layer}`);
  const { starts: _, ...outputs } = memory.inputs;
  return { op: memory.op, graph: prune(Object.freeze({ ...primitives, outputs: Object.freeze(outputs) })) };
}

function slotsInput(b: GraphBuilder): Value {
  return b.input('slots', 'i32', ['S']);
}

/** An entry of the state of S sequences at the start of a text, f32[S, …shape]. */
export function initialState(b: GraphBuilder, { shape, initial }: StateEntry, sequences: Dim = 'S'): Value {
  const whole = [sequences, ...shape];
  if (typeof initial === 'number') return b.full(initial, whole);
  const { parameter, axes } = initial;
  if (axes === undefined) return b.broadcast(b.parameter(parameter, 'f32', shape), whole);
  const stored = axes.map((_, axis) => shape[axes.indexOf(axis)] ?? 0);
  return b.broadcast(b.add('transpose', { x: b.parameter(parameter, 'f32', stored) }, { axes }).y, whole);
}

/** The residual stream f32[N,C] of a batch whose states come from the pools and go back there. */
function forwardPooled(b: GraphBuilder, model: LanguageModel): Value {
  const tokens = b.input('tokens', 'i32', ['N']);
  const starts = b.input('starts', 'i32', ['S+1']);
  const slots = slotsInput(b);
  const pools = model.state.map(({ name, shape }) => [name, b.variable(name, 'f32', ['Z', ...shape])] as const);
  const before: State = Object.fromEntries(pools.map(([name, pool]) => [name, b.add('stateRead', { pool, slots }).y]));
  const { x, state } = model.hidden(b, tokens, starts, before);
  for (const [name, pool] of pools) {
    const value = state[name];
    if (value !== undefined) b.update(name, b.add('stateWrite', { pool, slots, value }).y);
  }
  return x;
}

/** The rows f32[R,C] that `rows` i32[R] names. */
function chosenRows(b: GraphBuilder, model: LanguageModel): Value {
  const table = forwardPooled(b, model);
  return b.add('gather', { table, ids: b.input('rows', 'i32', ['R']) }).y;
}

function draw(b: GraphBuilder, model: LanguageModel, logits: Value): void {
  const parameters = b.input('settings', 'f32', ['R', Object.keys(SAMPLE_PARAMETERS).length]);
  const [u, slots] = [b.input('u', 'f32', ['R']), b.input('drawSlots', 'i32', ['R'])];
  const pool = b.variable(COUNTS_POOL, 'f32', ['Z', model.vocabularySize]);
  const counts = b.add('stateRead', { pool, slots }).y;
  const drawn = b.add('sample', { logits, parameters, counts, u });
  b.update(COUNTS_POOL, b.add('stateWrite', { pool, slots, value: drawn.counts }).y);
  b.output('next', drawn.token);
}
