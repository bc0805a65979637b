import { signal } from '@preact/signals';
import { text } from '../text.ts';
import { openRef, wanted } from './model.ts';
import { fail } from './notices.ts';
import { importState, recall } from './texts.ts';
import type { Kind } from './tree.ts';

const STATE = /\.state\.safetensors$/;
const MODEL = /\.(pth|pt|safetensors|gguf|bin)$/;
const VOCABULARY = /\.(txt|json)$/;

/** The file that is open, to be kept in the browser where that is wanted. */
export const openFile = signal<{ readonly file: File; readonly vocabulary?: File | undefined } | undefined>(undefined);

/** Files that a person dropped or chose: a model, its vocabulary, or a state, told apart by their names. */
export async function takeFiles(files: readonly File[], kind: Kind): Promise<void> {
  const state = files.find(({ name }) => STATE.test(name));
  if (state !== undefined) return importState(kind, state);
  const vocabulary = files.find(({ name }) => VOCABULARY.test(name));
  const found = files.find(({ name }) => MODEL.test(name)) ?? files.find((file) => file !== vocabulary);
  if (found !== undefined) return openModelFile(found, vocabulary);
  if (vocabulary !== undefined) return addVocabulary(vocabulary);
}

async function openModelFile(file: File, vocabulary: File | undefined): Promise<void> {
  if (!(await openRef({ kind: 'file', file, vocabulary }, file.name))) return;
  openFile.value = { file, vocabulary };
  await recall();
}

/** A vocabulary alone is for the file that is open. */
async function addVocabulary(vocabulary: File): Promise<void> {
  const { model } = wanted.value;
  if (model.kind === 'file') return openModelFile(model.file, vocabulary);
  fail(new Error(text.errors.vocabularyFor));
}
