import { computed, signal } from '@preact/signals';
import { text } from '../text.ts';
import type { TrainEvent, TrainKind, TrainStep } from '../worker/protocol.ts';
import { openRef, wanted } from './model.ts';
import { fail } from './notices.ts';
import { recall } from './texts.ts';
import { trainingWorker } from './worker.ts';

export interface TrainChoice {
  readonly what: TrainKind;
  readonly text: string;
  readonly steps: number;
  readonly layers: number;
  readonly width: number;
}

export const choice = signal<TrainChoice>({ what: 'new', text: text.train.example, steps: 100, layers: 2, width: 64 });
/** Every step of the training that there is. */
export const steps = signal<readonly TrainStep[]>([]);
export const isTraining = signal(false);
export const isDone = signal(false);
/** Paused, or done: there is something to download. */
export const hasTraining = computed(() => steps.value.length > 0);

let controller: AbortController | undefined;

/** Begins with what is chosen, or goes on with what was paused. */
export async function train(anew: boolean): Promise<void> {
  const { text: given } = choice.value;
  if (anew && given.trim().length < 32) return fail(new Error(text.train.short));
  controller = new AbortController();
  isTraining.value = true;
  if (anew) {
    steps.value = [];
    isDone.value = false;
  }
  const { model, backend } = wanted.value;
  const request = { ...choice.value, model, backend: backend === 'auto' ? 'wasm' : backend } as const;
  try {
    const onEvent = (event: TrainEvent): void => {
      if (event.kind === 'step') steps.value = [...steps.value, event];
    };
    const { done } = await trainingWorker().call('train', anew ? request : undefined, {
      onEvent,
      signal: controller.signal,
    });
    isDone.value = done;
  } catch (error) {
    fail(error);
  } finally {
    isTraining.value = false;
  }
}

/** After the step that is being made. */
export function pause(): void {
  controller?.abort();
}

export async function trainedFile(): Promise<File | undefined> {
  try {
    return new File([await trainingWorker().call('trained', undefined)], text.train.name);
  } catch (error) {
    fail(error);
    return undefined;
  }
}

/** Opens what was trained in place of the model that is open. */
export async function writeWithIt(): Promise<void> {
  const file = await trainedFile();
  if (file === undefined || !(await openRef({ kind: 'file', file }, file.name))) return;
  await recall();
  location.hash = '#write';
}
