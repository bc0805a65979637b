import {
  detectModel,
  elementCount,
  type Graph,
  leaves,
  type ModelOptions,
  type TensorInfo,
  transformer,
  type WeightSource,
} from '@receptance/core';
import { baselineObjective } from '../graph/baseline.ts';
import { type ObjectiveOptions, objectiveGraph } from '../graph/objective.ts';
import { withVariables } from '../graph/trained.ts';
import { type BaselineConfig, baselineWeights } from '../weights/baseline.ts';
import { groupOf } from '../weights/groups.ts';
import { layered, lazySource } from '../weights/tensors.ts';
import type { Adaptation, ReadTrained } from './adaptation.ts';

/** Every tensor that the model uses is trained. */
export function fullTraining(source: WeightSource, options: ModelOptions): Adaptation {
  const model = detectModel(source.tensors, options);
  const { architecture, vocabularySize } = model;
  return everyTensor({ architecture, vocabularySize, hyperparameters: { ...options }, source }, (each) =>
    objectiveGraph(model, each),
  );
}

/** A baseline from nothing, on texts of one shape. */
export function baselineTraining(
  config: BaselineConfig,
  shape: { readonly sequences: number; readonly length: number },
  seed: number,
): Adaptation {
  const { architecture, width, vocabularySize, headSize = 64, context = shape.length, window = 32 } = config;
  const source = baselineWeights({ ...config, context }, seed);
  const [heads, mixing] =
    architecture === 'transformer'
      ? ([width / headSize, 'softmax'] as const)
      : ([1, architecture === 'aft-simple' ? 'aftSimple' : { aftLocal: window }] as const);
  const model = transformer(source.tensors, { heads, mixing });
  const hyperparameters = { headSize, window };
  return everyTensor({ architecture, vocabularySize, hyperparameters, source }, (each) =>
    baselineObjective(architecture, model, shape, each),
  );
}

function everyTensor(
  { source, ...about }: Pick<Adaptation, 'architecture' | 'vocabularySize' | 'hyperparameters' | 'source'>,
  objective: (options: ObjectiveOptions) => Graph,
): Adaptation {
  const used = leaves(objective({ l2Wrap: 0 }), 'parameter');
  const names = new Set(used.keys());
  return {
    ...{ ...about, kind: 'full', source },
    groups: new Map([...used].map(([name, { shape }]) => [name, groupOf(name, shape.map(Number))])),
    objective: (options) => withVariables(objective(options), names),
    result: (read) => layered(trainedSource(source, names, read), source),
  };
}

/** Trained tensors in the shapes that the source gives them. */
export function trainedSource(source: WeightSource, names: ReadonlySet<string>, read: ReadTrained): WeightSource {
  const infos = new Map<string, TensorInfo>();
  for (const name of names) {
    const shape = source.tensors.get(name)?.shape ?? [];
    infos.set(name, { dtype: 'f32', shape, bytes: 4 * elementCount(shape) });
  }
  return lazySource(infos, async (name) => Float32Array.from(await read(name)));
}
