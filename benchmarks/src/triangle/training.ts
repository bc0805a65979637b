import { join } from 'node:path';
import { type Backend, ReceptanceError } from '@receptance/core';
import { createTrainer, type Schedule, type Trainer, type TrainerOptions, tokenArray } from '@receptance/train';
import { type LogLine, TrainingFolder } from '@receptance/train/node';
import { type Corpus, corpusOf } from './corpus.ts';
import type { SizedModel } from './models.ts';
import { type Plan, trainingName } from './plan.ts';
import { predict } from './predict.ts';
import type { TrainedModel } from './report.ts';
import { scoreOf } from './score.ts';
import type { Task } from './tasks/task.ts';

/** Points of a curve of losses. */
const POINTS = 40;
/** Steps between two saves. */
const SAVE_EVERY = 250;

/** What all models are trained with, whatever they are. */
export const SCHEDULE: Omit<Schedule, 'rate' | 'finalRate'> = { kind: 'wsd', warmup: 30, decay: 0.4 };
const WEIGHT_DECAY = 0.1;

/** The corpora of a task: to learn from, to choose the learning rate by, to report. */
export interface Corpora {
  readonly training: Corpus;
  readonly choosing: Corpus;
  readonly heldOut: Corpus;
}

export function corporaOf(task: Task, { seed, tasks, sequences, heldOut, length }: Plan): Corpora {
  const steps = tasks[task.name] ?? 0;
  const [training, choosing, last] = [steps * sequences, heldOut, heldOut].map((texts, part) =>
    corpusOf(task, 3 * seed + part, texts, length),
  );
  if (training === undefined || choosing === undefined || last === undefined) throw new Error('three corpora are made');
  return { training, choosing, heldOut: last };
}

/** Steps of a model's training, those of rates that are given up included. */
export function stepsOf({ tasks, rates, trial }: Plan, { name }: Task): number {
  const steps = tasks[name] ?? 0;
  return steps + (rates.length - 1) * trialStepsOf(steps, trial);
}

function trialStepsOf(steps: number, trial: number): number {
  return Math.max(1, Math.round(trial * steps));
}

export interface TrainingJob {
  readonly task: Task;
  readonly corpora: Corpora;
  readonly model: SizedModel;
  readonly plan: Plan;
  readonly backend: Backend;
  /** Where trainings are kept, to be gone on with. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Told after each step, and what the loss was. */
  onStep(loss: number): void;
}

/** A training of one model at one rate. */
interface Run {
  readonly rate: number;
  readonly folder: TrainingFolder;
}

/**
 * Trains a model on a task: at every rate for the trial, and on at the one that then foresees other held-out texts best. Saves
 * and throws the signal's reason when it is aborted.
 */
export async function trainModel(job: TrainingJob): Promise<TrainedModel> {
  const { task, model, plan, corpora } = job;
  const steps = plan.tasks[task.name] ?? 0;
  const trials: { readonly run: Run; readonly loss: number }[] = [];
  for (const rate of plan.rates) {
    const run = {
      rate,
      folder: await TrainingFolder.open(join(job.folder, trainingName(plan, task.name, model.name), String(rate))),
    };
    trials.push({
      run,
      loss: plan.rates.length === 1 ? Number.NaN : await tried(job, run, trialStepsOf(steps, plan.trial)),
    });
  }
  const [best] = trials.toSorted((a, b) => a.loss - b.loss);
  if (best === undefined) throw new ReceptanceError('BAD_OPTION', 'no rate is given', { hint: 'give at least one' });
  const { run } = best;
  const trainer = await opened(job, run);
  try {
    await advance(trainer, steps, job, run);
    const predicted = await predict(job.backend, model.config, trainer.weights(), corpora.heldOut.tokens, plan);
    const lines = await run.folder.lines();
    return {
      ...{ task: task.name, model: model.name, rate: run.rate, steps, tokens: steps * trainer.tokensPerStep },
      // JSON has no infinity: a training that diverged has no loss.
      trials:
        plan.rates.length === 1
          ? []
          : trials.map(({ run: { rate }, loss }) => ({ rate, loss: Number.isFinite(loss) ? loss : null })),
      curve: curveOf(lines, trainer.tokensPerStep),
      score: scoreOf(corpora.heldOut, predicted),
      seconds: lines.reduce((sum, { seconds = 0 }) => sum + seconds, 0),
    };
  } finally {
    await trainer.close();
  }
}

/** The held-out loss at the end of the trial; a training that was there already is asked its log. A diverged one has none. */
async function tried(job: TrainingJob, run: Run, trialSteps: number): Promise<number> {
  const known = (await run.folder.lines()).find(({ step, heldOut }) => step === trialSteps && heldOut !== undefined);
  if (known?.heldOut !== undefined) return known.heldOut;
  const trainer = await opened(job, run);
  try {
    await advance(trainer, trialSteps, job, run);
    const { tokens, counts } = job.corpora.choosing;
    const { loss } = await trainer.evaluate(tokenArray(tokens, counts), { tokens: tokens.length });
    await run.folder.log({ step: trialSteps, heldOut: loss });
    return loss;
  } catch (error) {
    if (!ReceptanceError.isInstance(error) || error.code !== 'NOT_FINITE') throw error;
    return Number.POSITIVE_INFINITY;
  } finally {
    await trainer.close();
  }
}

async function opened({ task, model, plan, corpora, backend }: TrainingJob, { rate, folder }: Run): Promise<Trainer> {
  const { sequences, length, seed } = plan;
  const options: TrainerOptions = {
    ...{ backend, model: model.config, data: tokenArray(corpora.training.tokens, corpora.training.counts) },
    ...{ order: 'aligned', sequences, length, seed, steps: plan.tasks[task.name] ?? 0 },
    ...{ schedule: { ...SCHEDULE, rate }, weightDecay: WEIGHT_DECAY },
  };
  if (!(await folder.isBegun())) {
    await folder.clear();
    return createTrainer(options);
  }
  const resume = await folder.saved();
  try {
    const trainer = await createTrainer({ ...options, resume });
    await folder.forget(trainer.step);
    return trainer;
  } finally {
    await resume.close();
  }
}

/** Steps up to `until`, saved there, now and then, and when the signal says so. */
async function advance(
  trainer: Trainer,
  until: number,
  { signal, onStep }: TrainingJob,
  { folder }: Run,
): Promise<void> {
  for await (const { step, loss, milliseconds } of trainer.run({ until, signal })) {
    await folder.log({ step, loss, seconds: milliseconds / 1000 });
    onStep(loss);
    if (step % SAVE_EVERY === 0) await folder.save(trainer);
  }
  await folder.save(trainer);
  signal.throwIfAborted();
}

/** Losses of the training, each the mean of its part of the steps. */
export function curveOf(lines: readonly LogLine[], tokensPerStep: number): TrainedModel['curve'] {
  const steps = lines.filter((line) => line.loss !== undefined);
  const size = Math.max(1, Math.ceil(steps.length / POINTS));
  return Array.from({ length: Math.ceil(steps.length / size) }, (_, i) => {
    const part = steps.slice(i * size, (i + 1) * size);
    const loss = part.reduce((sum, each) => sum + (each.loss ?? 0), 0) / part.length;
    return { tokens: (part.at(-1)?.step ?? 0) * tokensPerStep, loss };
  });
}
