import { ReceptanceError } from '@receptance/core';
import { storiesModel } from '@receptance/model-stories';
import { type BytesTokenizer, type Tokenizer, worldTokenizer } from '@receptance/tokenizer';
import type { Model, WeightType } from 'receptance';
import { loadFile } from 'receptance/node';
import { backendNamed, backendNames, DEFAULT_BACKEND } from './backends.ts';
import { readText } from './files.ts';
import { badOption, type OptionSpecs, type Values } from './options.ts';
import type { Terminal } from './terminal.ts';

const WEIGHT_TYPES: readonly WeightType[] = ['f32', 'f16', 'bf16', 'q8_0', 'q4_0'];

type ModelOption = 'model' | 'tokenizer' | 'backend' | 'weights' | 'chunk';

export const MODEL_OPTIONS: OptionSpecs<ModelOption> = {
  model: {
    value: 'FILE',
    help: 'checkpoint: .safetensors, .pth, .gguf, or a Hugging Face folder (default: the small model that comes along)',
  },
  tokenizer: {
    value: 'FILE',
    help: 'World vocabulary (.txt) or tokenizer.json (default: that of a .gguf; bytes for 256 tokens)',
  },
  backend: { value: 'NAME', help: `${backendNames().join(', ')} (default: ${DEFAULT_BACKEND})` },
  weights: { value: 'TYPE', help: `how the big matrices are held: ${WEIGHT_TYPES.join(', ')} (default: as stored)` },
  chunk: { value: 'N', help: 'most tokens read at a time (default: 256)' },
};

export interface LoadedModel {
  readonly model: Model;
  /** As it was given, or `stories`. */
  readonly name: string;
  readonly backend: string;
  readonly isBundled: boolean;
  readonly loadMs: number;
}

/** The model that the options name, on one sequence. */
export async function loadModel(values: Values<ModelOption>, terminal: Terminal): Promise<LoadedModel> {
  const began = performance.now();
  const path = values.text('model');
  const weights = weightsOf(values.text('weights'));
  const backend = await backendNamed(values.text('backend') ?? DEFAULT_BACKEND, (message) => terminal.note(message));
  const { signal, onProgress } = terminal;
  const tokenizer = await tokenizerIn(values.text('tokenizer'));
  const chunk = values.integer('chunk', 1);
  const options = { backend, tokenizer, weights, maxSequences: 1, chunk, signal, onProgress };
  const model = await loadFile(path ?? storiesModel, options).catch((error: unknown) => {
    throw path === undefined && isMissing(error) ? noBundledModel(error) : error;
  });
  const isBundled = path === undefined;
  return {
    model,
    name: path ?? 'stories',
    backend: model.device.backend,
    isBundled,
    loadMs: performance.now() - began,
  };
}

/** @throws UsageError `BAD_OPTION` */
function weightsOf(text: string | undefined): WeightType | undefined {
  const type = WEIGHT_TYPES.find((each) => each === text);
  if (text === undefined || type !== undefined) return type;
  throw badOption(`--weights ${text} is no type of weights`, `types are ${WEIGHT_TYPES.join(', ')}`);
}

/** @throws ReceptanceError `BAD_VOCABULARY`, or another of `@receptance/tokenizer` */
export async function tokenizerIn(path: string | undefined): Promise<Tokenizer | undefined> {
  if (path === undefined) return undefined;
  const text = await readText(path, 'give the vocabulary file of the model');
  if (!text.trimStart().startsWith('{')) return worldTokenizer(text);
  const { huggingFaceTokenizer } = await import('@receptance/tokenizer/huggingface');
  return huggingFaceTokenizer(text);
}

/** @throws ReceptanceError `BAD_VOCABULARY`, `FILE_NOT_FOUND` */
export async function worldVocabularyIn(path: string): Promise<BytesTokenizer> {
  return worldTokenizer(await readText(path, 'give the vocabulary file of the model'));
}

function isMissing(error: unknown): boolean {
  return ReceptanceError.isInstance(error) && error.code === 'FILE_NOT_FOUND';
}

function noBundledModel(cause: unknown): ReceptanceError {
  return new ReceptanceError('FILE_NOT_FOUND', 'the model that comes with the command is not there', {
    hint: 'give another with --model FILE',
    cause,
  });
}
