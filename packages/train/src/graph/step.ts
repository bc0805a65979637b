import { derive, differentiate, type Graph, type GraphBuilder, mapped, type Value } from '@receptance/core';
import { type Group, isHiddenMatrix } from '../weights/groups.ts';
import { type AdamOptions, adamW } from './adamw.ts';
import { muon } from './muon.ts';

export const OPTIMISERS = ['adamw', 'muon'] as const;
export type Optimiser = (typeof OPTIMISERS)[number];

export interface StepOptions {
  readonly adam: AdamOptions;
  /** What the matrices of the blocks learn by; all else learns by AdamW. Default AdamW. */
  readonly optimiser?: Optimiser | undefined;
  /** Whether gradients of earlier batches of the step are added to those of the last. */
  readonly accumulates: boolean;
}

/** A norm beyond this is a failure, and so is NaN. */
const LARGEST_NORM = 1e30;
/** Keeps a gradient of 0 from dividing by 0. */
const LEAST_NORM = 1e-6;

export function accumulatorName(name: string): string {
  return `gradient.${name}`;
}

/**
 * One step of training as one graph: forward, backward, clipping by the norm of all gradients together, AdamW or
 * Muon. A norm that is no number leaves all weights as they are, so that the cause can be found.
 *
 * inputs beside those of the objective: rate f32[], clip f32[], weightDecay f32[], and the bias corrections of step t from
 * 1 on: correction1 f32[] = 1 / (1 − β₁ᵗ), correction2 f32[] = 1 / √(1 − β₂ᵗ)
 * outputs: loss f32[], norm f32[] of the gradients before clipping
 *
 * @param objective has outputs `loss` and `objective`, and the tensors to train as variables
 */
export function stepGraph(objective: Graph, groups: ReadonlyMap<string, Group>, options: StepOptions): Graph {
  const { b, outputs, gradients } = backward(objective, groups, 'step');
  const scalar = (name: string): Value => b.input(name, 'f32', []);
  const settings = { rate: scalar('rate'), clip: scalar('clip'), weightDecay: scalar('weightDecay') };
  const corrections = { correction1: scalar('correction1'), correction2: scalar('correction2') };
  if (options.accumulates) {
    for (const [name, gradient] of gradients) {
      const sum = b.variable(accumulatorName(name), 'f32', gradient.shape);
      gradients.set(name, b.binary('add', sum, gradient));
      b.update(accumulatorName(name), b.full(0, gradient.shape));
    }
  }
  const norm = b.scope('clip', () => globalNorm(b, [...gradients.values()]));
  const usable = b.compare('lt', norm, LARGEST_NORM);
  const zero = b.full(0, []);
  const factor = b.binary('min', 1, b.binary('div', settings.clip, b.binary('add', norm, LEAST_NORM)));
  const rate = b.add('select', { condition: usable, a: settings.rate, b: zero }).y;
  for (const [name, gradient] of gradients) {
    const byMuon = options.optimiser === 'muon' && isHiddenMatrix(name, gradient.shape);
    b.scope(byMuon ? 'muon' : 'adamW', () => {
      const clipped = b.add('select', { condition: usable, a: b.binary('mul', gradient, factor), b: zero }).y;
      const update = { name, gradient: clipped, group: groups.get(name), rate, weightDecay: settings.weightDecay };
      if (byMuon) muon(b, update);
      else adamW(b, { ...update, ...corrections }, options.adam);
    });
  }
  b.output('loss', outputs['loss'] ?? zero);
  b.output('norm', norm);
  return b.build();
}

/**
 * Adds the gradients of one batch to the accumulators: for all batches of a step but the last.
 * outputs: loss f32[]
 */
export function accumulateGraph(objective: Graph, groups: ReadonlyMap<string, Group>): Graph {
  const { b, outputs, gradients } = backward(objective, groups, 'accumulate');
  for (const [name, gradient] of gradients) {
    const sum = b.variable(accumulatorName(name), 'f32', gradient.shape);
    b.update(accumulatorName(name), b.binary('add', sum, gradient));
  }
  b.output('loss', outputs['loss'] ?? b.full(0, []));
  return b.build();
}

interface Backward {
  readonly b: GraphBuilder;
  readonly outputs: Readonly<Record<string, Value>>;
  readonly gradients: Map<string, Value>;
}

function backward(objective: Graph, groups: ReadonlyMap<string, Group>, name: string): Backward {
  const graph = differentiate(objective, 'objective', [...groups.keys()], { rematerialise: true });
  const { b, map } = derive(graph, { name: `${objective.name}.${name}` });
  const outputs: Record<string, Value> = {};
  const gradients = new Map<string, Value>();
  for (const [output, value] of Object.entries(graph.outputs)) outputs[output] = mapped(map, value);
  for (const tensor of groups.keys()) {
    const gradient = outputs[`grad.${tensor}`];
    if (gradient !== undefined) gradients.set(tensor, gradient);
  }
  for (const [variable, value] of Object.entries(graph.updates)) b.update(variable, mapped(map, value));
  return { b, outputs, gradients };
}

function globalNorm(b: GraphBuilder, gradients: readonly Value[]): Value {
  const squares = gradients.map((gradient) => {
    const axes = gradient.shape.map((_, axis) => axis);
    return b.reduce('sum', b.binary('mul', gradient, gradient), axes);
  });
  const [first = b.full(0, []), ...others] = squares;
  return b.unary(
    'sqrt',
    others.reduce((sum, each) => b.binary('add', sum, each), first),
  );
}
