export { ReceptanceError } from '@receptance/core';
export type { GenerateOptions } from './generate-options.ts';
export { load, type ModelOptions, type ModelSource } from './load.ts';
export type { Logits, LogitsOptions, Model, ModelMemory } from './model.ts';
export { randomSeed } from './random.ts';
export { type Choice, type ChoiceOptions, checkChoice, type Sampling } from './sampling.ts';
export type { SavedState, SavedTensor } from './saved-state.ts';
export type { Finish, Piece, Session } from './session.ts';
export type { Prompt } from './tokens.ts';
