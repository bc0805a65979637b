import {
  detectModel,
  leaves,
  lossGraph,
  type ModelOptions,
  type TensorInfo,
  type WeightSource,
} from '@receptance/core';
import { withVariables } from '../graph/trained.ts';
import { groupOf } from '../weights/groups.ts';
import { elementsOf, layered, lazySource } from '../weights/tensors.ts';
import type { Adaptation, ReadTrained } from './adaptation.ts';

/** Every tensor that the model uses is trained. */
export function fullTraining(source: WeightSource, options: ModelOptions): Adaptation {
  const model = detectModel(source.tensors, options);
  const used = leaves(lossGraph(model), 'parameter');
  const names = new Set(used.keys());
  const groups = new Map([...used].map(([name, { shape }]) => [name, groupOf(name, shape.map(Number))]));
  return {
    ...{ kind: 'full', model, groups, source },
    apply: (graph) => withVariables(graph, names),
    result: (read) => layered(trainedSource(source, names, read), source),
  };
}

/** Trained tensors in the shapes that the source gives them. */
export function trainedSource(source: WeightSource, names: ReadonlySet<string>, read: ReadTrained): WeightSource {
  const infos = new Map<string, TensorInfo>();
  for (const name of names) {
    const shape = source.tensors.get(name)?.shape ?? [];
    infos.set(name, { dtype: 'f32', shape, bytes: 4 * elementsOf(shape) });
  }
  return lazySource(infos, async (name) => Float32Array.from(await read(name)));
}
