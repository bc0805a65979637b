import { type Graph, GraphBuilder, ReceptanceError, type Transformer } from '@receptance/core';
import { addObjective, type ObjectiveOptions } from './objective.ts';

/**
 * The objective of a baseline, whose graphs are for texts of one length that is a number.
 * inputs and outputs as `objectiveGraph`
 * @throws ReceptanceError `NOT_TRAINABLE` where states are to be carried: it has none
 */
export function baselineObjective(
  name: string,
  model: Transformer,
  { sequences, length }: { readonly sequences: number; readonly length: number },
  { l2Wrap, carried }: ObjectiveOptions,
): Graph {
  if (carried !== undefined) {
    throw new ReceptanceError('NOT_TRAINABLE', `${name} has no state to carry from step to step`, {
      hint: 'train it on shuffled windows',
    });
  }
  const b = new GraphBuilder(`${name}.objective`);
  const tokens = b.input('tokens', 'i32', [sequences * length]);
  const targets = b.input('targets', 'i32', [sequences * length]);
  const scale = b.input('scale', 'f32', []);
  addObjective(b, { logits: model.logits(b, tokens, sequences), targets, scale }, l2Wrap);
  return b.build();
}
