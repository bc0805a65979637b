import { ReceptanceError } from '@receptance/core';
import type { SavedTraining, Settings } from './options.ts';

/** What a training is by, beside its tensors: what a run that resumes must agree with. */
export interface Identity {
  readonly kind: string;
  readonly architecture: string;
  readonly hyperparameters: Readonly<Record<string, number>>;
  readonly backend: string;
  readonly dataLength: number;
  readonly dataFingerprint: string;
  readonly settings: Settings;
}

const FORMAT = 'receptance-training-2';
/** It did not say which data, model and frozen weights it was of. */
const FIRST_FORMAT = 'receptance-training-1';

/**
 * Metadata of a saved training.
 * @param frozen fingerprint of the weights that are not trained
 */
export function describeTraining(step: number, identity: Identity, frozen: string): Record<string, string> {
  return { format: FORMAT, step: String(step), training: JSON.stringify(identity), frozen };
}

/**
 * The steps that were done.
 * @param variables what must be saved: names and shapes
 * @throws ReceptanceError `BAD_RESUME` for a file that is no saved training, or one of another training
 */
export function stepOf(
  { metadata, tensors }: SavedTraining,
  identity: Identity,
  variables: ReadonlyMap<string, readonly number[]>,
): number {
  const step = Number(metadata['step'] ?? Number.NaN);
  if (metadata['format'] === FIRST_FORMAT) {
    throw badResume('an earlier version saved it', 'begin another, with the model that was saved beside it');
  }
  if (metadata['format'] !== FORMAT || !Number.isSafeInteger(step) || step < 0) {
    throw badResume('it is no saved training', 'give a file that training wrote, not a model');
  }
  const before = flat(parsed(metadata['training'] ?? '{}'));
  const now = flat(JSON.parse(JSON.stringify(identity)));
  // Another backend rounds otherwise, and that is all.
  const changed = [...new Set([...before.keys(), ...now.keys()])]
    .filter((name) => name !== 'backend' && before.get(name) !== now.get(name))
    .map((name) => `${name.replace(/^(settings|hyperparameters)\./, '')} was ${before.get(name)}, is ${now.get(name)}`);
  if (changed.length > 0) {
    throw badResume(changed.join('; '), 'resume with the settings and data of the run, or begin another');
  }
  const others = [...new Set([...tensors.keys(), ...variables.keys()])]
    .map((name) => ({ name, was: tensors.get(name)?.shape, is: variables.get(name) }))
    .filter(({ was, is }) => String(was) !== String(is))
    .map(({ name, was, is }) => `${name} was ${sized(was)}, is ${sized(is)}`);
  if (others.length === 0) return step;
  const [first = ''] = others;
  const more = others.length > 1 ? `; and ${others.length - 1} tensors more` : '';
  throw badResume(`${first}${more}`, 'resume with the model and the targets of the run, or begin another');
}

function sized(shape: readonly number[] | undefined): string {
  return shape === undefined ? 'not there' : `[${shape}]`;
}

/** @throws ReceptanceError `BAD_RESUME` where the weights that are not trained are others */
export function checkFrozen({ metadata }: SavedTraining, frozen: string): void {
  if (metadata['frozen'] === frozen) return;
  throw badResume('the frozen weights are those of another model', 'resume with the model that the run began with');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badResume('what it says of itself cannot be read', 'the file is damaged: take an earlier one');
  }
}

function flat(value: unknown, name = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null) return new Map([[name, String(value)]]);
  return new Map(Object.entries(value).flatMap(([key, each]) => [...flat(each, name === '' ? key : `${name}.${key}`)]));
}

function badResume(message: string, hint: string): ReceptanceError {
  return new ReceptanceError('BAD_RESUME', `the training cannot be resumed: ${message}`, { hint });
}
