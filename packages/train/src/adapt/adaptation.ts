import type { Graph, HostArray, LanguageModel, WeightSource } from '@receptance/core';
import type { Group } from '../graph/step.ts';

/** Reads a trained tensor from the device. */
export type ReadTrained = (name: string) => Promise<HostArray>;

/** What of a model is trained, and what becomes of it. */
export interface Adaptation {
  /** `full`, `lora`, `state`: of a run that resumes it must be the same. */
  readonly kind: string;
  readonly model: LanguageModel;
  /** The trained tensors: variables of every graph that `apply` gives. */
  readonly groups: ReadonlyMap<string, Group>;
  /** The model's weights, and first values of what it has not. */
  readonly source: WeightSource;
  apply(graph: Graph): Graph;
  /** The model as trained, in official names and shapes; what is not trained as it was. */
  result(read: ReadTrained): WeightSource;
}
