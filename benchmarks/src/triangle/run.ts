import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeWhole } from '@receptance/checkpoint/node';
import { ReceptanceError } from '@receptance/core';
import { currentLoad, machineCard } from '../machine.ts';
import { backendEntry } from '../runner/backends.ts';
import { corpusOf } from './corpus.ts';
import { decodeCosts } from './decode.ts';
import { equalModels } from './models.ts';
import { type Plan, planName, trainingName } from './plan.ts';
import { Progress } from './progress.ts';
import type { DecodeCost, TaskCard, TrainedModel, TrainingSpeed, TriangleReport } from './report.ts';
import { trainingSpeeds } from './speed.ts';
import { TASKS } from './tasks/index.ts';
import type { Task } from './tasks/task.ts';
import { corporaOf, stepsOf, trainModel } from './training.ts';

export interface RunOptions {
  /** What is done, once, is kept here by the plan's name, and trainings that were stopped. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** One line about now, in place of the one before. */
  status(text: string): void;
  /** A line that stays. */
  note(text: string): void;
}

/** @throws ReceptanceError `BAD_OPTION` */
export function taskNamed(name: string): Task {
  const found = TASKS.find((task) => task.name === name);
  if (found !== undefined) return found;
  throw new ReceptanceError('BAD_OPTION', `there is no task ${name}`, {
    hint: `choose from ${TASKS.map((task) => task.name).join(', ')}`,
  });
}

/**
 * Measures what the plan says and has not been measured before. An aborted run saves the training that it is at, and reports what
 * there is.
 */
export async function runTriangle(plan: Plan, options: RunOptions): Promise<TriangleReport> {
  const { signal, status, note } = options;
  const folder = join(options.folder, planName(plan));
  const backend = await backendEntry('wasm').make(plan.threads, {});
  const models = equalModels(plan, plan.models);
  const missing: string[] = [];
  const once = <T>(name: string, work: () => Promise<T>): Promise<T | undefined> =>
    done(folder, name, work, signal).then((found) => {
      if (found === undefined) missing.push(name.replace(/\/result$/, ''));
      return found;
    });
  const machine = await once('machine', async () => machineCard());
  const speeds: TrainingSpeed[] = [];
  for (const length of plan.lengths) {
    status(`training on texts of ${length} tokens`);
    speeds.push(...((await once(`speeds/${length}`, () => trainingSpeeds(backend, plan, length, signal))) ?? []));
  }
  const decodes: DecodeCost[] = [];
  for (const model of plan.contexts.length === 0 ? [] : models) {
    status(`${model.name}: a token after longer and longer texts`);
    const measuring = { backend, plan, folder, signal, status };
    decodes.push(...((await once(`decodes/${model.name}`, () => decodeCosts(model, measuring))) ?? []));
  }
  const tasks = Object.keys(plan.tasks).map(taskNamed);
  const trainings: TrainedModel[] = [];
  const progress = new Progress(tasks.length * models.length, status);
  for (const task of tasks) {
    const corpora = lazily(() => corporaOf(task, plan));
    for (const model of models) {
      const name = `${task.name}/${model.name}`;
      const trained = await once(`${trainingName(plan, task.name, model.name)}/result`, () => {
        const onStep = progress.begin(name, stepsOf(plan, task));
        return trainModel({ task, model, plan, backend, folder, signal, onStep, corpora: corpora() });
      });
      progress.end();
      if (trained === undefined) continue;
      trainings.push(trained);
      const { exact, chance, loss } = trained.score;
      note(
        `${name}: rate ${trained.rate}, loss ${loss.toFixed(3)}, exact ${percent(exact)} (chance ${percent(chance)})`,
      );
    }
  }
  return {
    ...{ schema: 'receptance-triangle/1', date: new Date().toISOString(), plan, missing },
    machine: { ...(machine ?? machineCard()), loadAfter: currentLoad() },
    models: models.map(({ name, config: { ffn }, parameters }) => ({ name, ffn, parameters })),
    tasks: tasks.map((task) => cardOf(task, plan)),
    ...{ trainings, speeds, decodes },
  };
}

/** What was done before under this name; else it is done now, and kept. Undefined when the run was stopped before it was done. */
async function done<T>(
  folder: string,
  name: string,
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const path = join(folder, `${name}.json`);
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known !== undefined) return JSON.parse(known) as T;
  if (signal.aborted) return undefined;
  try {
    const found = await work();
    await mkdir(dirname(path), { recursive: true });
    await writeWhole(path, [new TextEncoder().encode(`${JSON.stringify(found)}\n`)]);
    return found;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

function cardOf({ name, about, guess, documents }: Task, { tasks, seed, length }: Plan): TaskCard {
  const { tokens } = corpusOf({ name, about, guess, documents }, 3 * seed, 1, length);
  return { name, about, guess, steps: tasks[name] ?? 0, example: String.fromCharCode(...tokens.subarray(0, length)) };
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
