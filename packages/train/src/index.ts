export type { LoraOptions } from './adapt/lora.ts';
export { type Batch, Batches, type BatchOptions } from './data/batches.ts';
export {
  split,
  type TokenSource,
  type TokenWidth,
  tokenArray,
  tokenBytes,
  tokenRange,
} from './data/token-source.ts';
export { safetensorsBytes } from './file.ts';
export type { AdamOptions } from './graph/adamw.ts';
export { type ObjectiveOptions, objectiveGraph } from './graph/objective.ts';
export { accumulateGraph, OPTIMISERS, type Optimiser, type StepOptions, stepGraph } from './graph/step.ts';
export { withVariables } from './graph/trained.ts';
export type { SavedTraining, TrainerOptions } from './options.ts';
export { rateAt, type Schedule } from './schedule.ts';
export {
  createTrainer,
  type EvaluateOptions,
  type Evaluation,
  type RunOptions,
  type StepReport,
  type Trainer,
} from './trainer.ts';
export { BASELINES, type BaselineConfig, baselineWeights } from './weights/baseline.ts';
export { ARCHITECTURES, type Architecture, type ModelConfig } from './weights/config.ts';
export { type Group, groupOf } from './weights/groups.ts';
export { initialWeights } from './weights/initial.ts';
