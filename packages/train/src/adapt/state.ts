import { detectModel, type ModelOptions, ReceptanceError, type WeightSource } from '@receptance/core';
import { objectiveGraph } from '../graph/objective.ts';
import { withVariables } from '../graph/trained.ts';
import { layered, type Tensor, tensor, tensorSource } from '../weights/tensors.ts';
import type { Adaptation } from './adaptation.ts';
import { trainedSource } from './full.ts';

/**
 * State tuning: the initial states of versions 5 to 7, `blocks.i.att.time_state` [head, value, key], are trained, and
 * nothing else. A model without them begins at zero.
 * @throws ReceptanceError `NOT_TRAINABLE` for RWKV-4, whose state is no matrix
 */
export function stateTuning(base: WeightSource, options: ModelOptions): Adaptation {
  const plain = detectModel(base.tensors, options);
  const fresh = new Map<string, Tensor>();
  const names = new Set<string>();
  for (const { name, shape } of plain.state) {
    const layer = /^state\.(\d+)\.att_kv$/.exec(name)?.[1];
    if (layer === undefined) continue;
    const parameter = `blocks.${layer}.att.time_state`;
    names.add(parameter);
    if (!base.tensors.has(parameter)) fresh.set(parameter, tensor(shape));
  }
  if (names.size === 0) {
    throw new ReceptanceError('NOT_TRAINABLE', `${plain.architecture} has no initial state to tune`, {
      hint: 'state tuning is for versions 5, 6 and 7; train the whole model, or by LoRA',
    });
  }
  const source = layered(tensorSource(fresh), base);
  const model = detectModel(source.tensors, options);
  const { architecture, vocabularySize } = model;
  return {
    ...{ kind: 'state', source, architecture, vocabularySize, hyperparameters: { ...options } },
    groups: new Map([...names].map((name) => [name, { rate: 1, decays: false }])),
    objective: (each) => withVariables(objectiveGraph(model, each), names),
    result: (read) => layered(trainedSource(source, names, read), source),
  };
}
