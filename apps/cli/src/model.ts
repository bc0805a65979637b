import { ReceptanceError } from '@receptance/core';
import { storiesModel } from '@receptance/model-stories';
import { type Tokenizer, worldTokenizer } from '@receptance/tokenizer';
import type { Model } from 'receptance';
import { loadFile } from 'receptance/node';
import { backendNamed, backendNames, DEFAULT_BACKEND } from './backends.ts';
import { readText } from './files.ts';
import type { OptionSpecs, Values } from './options.ts';
import type { Terminal } from './terminal.ts';

export const MODEL_OPTIONS: OptionSpecs<'model' | 'tokenizer' | 'backend' | 'chunk'> = {
  model: {
    value: 'FILE',
    help: 'checkpoint: .safetensors, .pth, .gguf, or a Hugging Face folder (default: the small model that comes along)',
  },
  tokenizer: {
    value: 'FILE',
    help: 'World vocabulary (.txt) or tokenizer.json (default: that of a .gguf; bytes for 256 tokens)',
  },
  backend: { value: 'NAME', help: `${backendNames().join(', ')} (default: ${DEFAULT_BACKEND})` },
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
export async function loadModel(
  values: Values<'model' | 'tokenizer' | 'backend' | 'chunk'>,
  terminal: Terminal,
): Promise<LoadedModel> {
  const began = performance.now();
  const path = values.text('model');
  const backend = await backendNamed(values.text('backend') ?? DEFAULT_BACKEND);
  const { signal, onProgress } = terminal;
  const tokenizer = await tokenizerIn(values.text('tokenizer'));
  const options = { backend, tokenizer, maxSequences: 1, chunk: values.integer('chunk', 1), signal, onProgress };
  const model = await loadFile(path ?? storiesModel, options).catch((error: unknown) => {
    throw path === undefined && isMissing(error) ? noBundledModel(error) : error;
  });
  const isBundled = path === undefined;
  return { model, name: path ?? 'stories', backend: backend.name, isBundled, loadMs: performance.now() - began };
}

/** @throws ReceptanceError `BAD_VOCABULARY`, or another of `@receptance/tokenizer` */
async function tokenizerIn(path: string | undefined): Promise<Tokenizer | undefined> {
  if (path === undefined) return undefined;
  const text = await readText(path, 'give the vocabulary file of the model');
  if (!text.trimStart().startsWith('{')) return worldTokenizer(text);
  const { huggingFaceTokenizer } = await import('@receptance/tokenizer/huggingface');
  return huggingFaceTokenizer(text);
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
