import { ReceptanceError } from '@receptance/core';
import type { SavedTraining, Settings } from './options.ts';

/** What a training is by, beside its tensors: what a run that resumes must agree with. */
export interface Identity {
  readonly kind: string;
  readonly architecture: string;
  readonly backend: string;
  readonly dataLength: number;
  readonly settings: Settings;
}

const FORMAT = 'receptance-training-1';

/** Metadata of a saved training. */
export function describeTraining(step: number, identity: Identity): Record<string, string> {
  return { format: FORMAT, step: String(step), training: JSON.stringify(identity) };
}

/**
 * The steps that were done.
 * @throws ReceptanceError `BAD_RESUME` for a file that is no saved training, or one of another training
 */
export function stepOf({ metadata }: SavedTraining, identity: Identity): number {
  const step = Number(metadata['step'] ?? Number.NaN);
  if (metadata['format'] !== FORMAT || !Number.isSafeInteger(step) || step < 0) {
    throw badResume('it is no saved training', 'give a file that training wrote, not a model');
  }
  const before = flat(parsed(metadata['training'] ?? '{}'));
  const now = flat(JSON.parse(JSON.stringify(identity)));
  // Another backend rounds otherwise, and that is all.
  const changed = [...new Set([...before.keys(), ...now.keys()])]
    .filter((name) => name !== 'backend' && before.get(name) !== now.get(name))
    .map((name) => `${name.replace('settings.', '')} was ${before.get(name)}, is ${now.get(name)}`);
  if (changed.length > 0) {
    throw badResume(changed.join('; '), 'resume with the settings and data of the run, or begin another');
  }
  return step;
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
