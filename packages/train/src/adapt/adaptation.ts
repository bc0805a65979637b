import type { Graph, HostArray, WeightSource } from '@receptance/core';
import type { ObjectiveOptions } from '../graph/objective.ts';
import type { Group } from '../weights/groups.ts';

/** Reads a trained tensor from the device. */
export type ReadTrained = (name: string) => Promise<HostArray>;

/** What of a model is trained, and what becomes of it. */
export interface Adaptation {
  /** `full`, `lora`, `state`: of a run that resumes it must be the same. */
  readonly kind: string;
  readonly architecture: string;
  readonly vocabularySize: number;
  /** What neither names nor shapes of the tensors tell of the model: of a run that resumes it must be the same. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  /** What is made small (see `objectiveGraph`), with the trained tensors as variables. */
  objective(options: ObjectiveOptions): Graph;
  /** The trained tensors. */
  readonly groups: ReadonlyMap<string, Group>;
  /** The model's weights, and first values of what it has not. */
  readonly source: WeightSource;
  /** The model as trained, in official names and shapes; what is not trained as it was. */
  result(read: ReadTrained): WeightSource;
}
