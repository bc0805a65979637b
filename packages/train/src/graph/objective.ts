import { type Graph, GraphBuilder, initialState, type LanguageModel, type State, type Value } from '@receptance/core';

/** Where a graph for training begins: what the batch is and what the model starts from. */
export interface ObjectiveOptions {
  /** Weight of L2Wrap, 0 for none. */
  readonly l2Wrap: number;
  /** Sequences of a batch whose states go on from one step to the next; left out, every text begins at its start. */
  readonly carried?: number | undefined;
}

/** The variable that holds a state entry of the texts in flight. */
export function carriedName(entry: string): string {
  return `carried.${entry}`;
}

/**
 * What training makes small. L2Wrap, as in the official trainers, draws each row's largest logit towards 0: its gradient
 * there is `l2Wrap · scale · logit`, so the objective has half its square.
 *
 * inputs: tokens i32[N], targets i32[N] (−1 leaves a token out), starts i32[S+1], scale f32[] (1 / tokens that count);
 * where states are carried also slots i32[S] (0, 1, …) and fresh f32[S] (1 puts a sequence at the start of a text)
 * outputs: loss f32[] = scale · Σ cross-entropy in nats, objective f32[] = loss + L2Wrap
 */
export function objectiveGraph(model: LanguageModel, { l2Wrap, carried }: ObjectiveOptions): Graph {
  const b = new GraphBuilder(`${model.architecture}.objective`);
  const tokens = b.input('tokens', 'i32', ['N']);
  const targets = b.input('targets', 'i32', ['N']);
  const starts = b.input('starts', 'i32', ['S+1']);
  const scale = b.input('scale', 'f32', []);
  const flow = carried === undefined ? undefined : carriedStates(b, model, carried);
  const state = flow?.state ?? Object.fromEntries(model.state.map((entry) => [entry.name, initialState(b, entry)]));
  const { x, state: after } = model.hidden(b, tokens, starts, state);
  flow?.keep(after);

  addObjective(b, { logits: model.head(b, x), targets, scale }, l2Wrap);
  return b.build();
}

/** The outputs `loss` and `objective` of logits f32[N,V]. */
export function addObjective(
  b: GraphBuilder,
  { logits, targets, scale }: { readonly logits: Value; readonly targets: Value; readonly scale: Value },
  l2Wrap: number,
): void {
  const losses = b.add('crossEntropy', { logits, targets }).y;
  const loss = b.binary('mul', b.reduce('sum', losses, [0]), scale);
  b.output('loss', loss);
  b.output('objective', l2Wrap === 0 ? loss : b.binary('add', loss, wrap(b, logits, targets, scale, l2Wrap)));
}

function wrap(b: GraphBuilder, logits: Value, targets: Value, scale: Value, weight: number): Value {
  const largest = b.reduce('max', logits, [1]);
  const counted = b.add('cast', { x: b.compare('ge', targets, 0) }, { dtype: 'f32' }).y;
  const squares = b.reduce('sum', b.binary('mul', counted, b.binary('mul', largest, largest)), [0]);
  return b.binary('mul', squares, b.binary('mul', weight / 2, scale));
}

interface CarriedStates {
  readonly state: State;
  keep(after: State): void;
}

/** States out of variables of `sequences` rows, and back into them. No gradient flows through: that is the truncation. */
function carriedStates(b: GraphBuilder, model: LanguageModel, sequences: number): CarriedStates {
  const slots = b.input('slots', 'i32', ['S']);
  const fresh = b.input('fresh', 'f32', ['S']);
  const pools = new Map<string, Value>();
  const state: Record<string, Value> = {};
  for (const entry of model.state) {
    const pool = b.variable(carriedName(entry.name), 'f32', [sequences, ...entry.shape]);
    pools.set(entry.name, pool);
    const begins = b.compare('gt', b.reshape(fresh, ['S', ...entry.shape.map(() => 1)]), 0);
    const before = b.add('stateRead', { pool, slots }).y;
    state[entry.name] = b.add('select', { condition: begins, a: initialState(b, entry), b: before }).y;
  }
  return {
    state,
    keep(after) {
      for (const [name, pool] of pools) {
        const value = after[name];
        if (value !== undefined) b.update(carriedName(name), b.add('stateWrite', { pool, slots, value }).y);
      }
    },
  };
}
