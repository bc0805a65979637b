export { ReceptanceError } from '@receptance/core';
export type { ChatMessage } from '@receptance/tokenizer';
export type { ChatInput, ChatOptions } from './chat.ts';
export type { BatchOptions, Completion } from './generate-batch.ts';
export type { GenerateOptions } from './generate-options.ts';
export type { TokenLogprob, TokenLogprobs } from './host-choice.ts';
export { load, type ModelOptions, type ModelSource, type WeightType } from './load.ts';
export type {
  EmbedOptions,
  Logits,
  LogitsOptions,
  Model,
  ModelMemory,
  ReadingOptions,
  RecoverOptions,
} from './model.ts';
export { type Bias, type LogitsProcessor, type ProcessorContext, typical } from './processors.ts';
export { randomSeed } from './random.ts';
export { type Choice, type ChoiceOptions, checkChoice, type Sampling } from './sampling.ts';
export type { RestoreOptions, SavedState, SavedTensor } from './saved-state.ts';
export type { Finish, Piece, Session } from './session.ts';
export { loadState, saveState } from './state-file.ts';
export type { Prompt } from './tokens.ts';
export type { Trace } from './trace.ts';
