import { createHash } from 'node:crypto';
import { MODELS, type ModelName, type Size } from './models.ts';
import { TASKS } from './tasks/index.ts';

/** What is trained and measured. Two runs of one plan make the same trainings, bit for bit. */
export interface Plan extends Size {
  readonly models: readonly ModelName[];
  /** Names, and the steps that each is trained for. */
  readonly tasks: Readonly<Record<string, number>>;
  /** Learning rates that are tried. */
  readonly rates: readonly number[];
  /** Share of the steps after which the best rate so far is kept, and the others given up. */
  readonly trial: number;
  /** Texts in a batch. */
  readonly sequences: number;
  /** Held-out texts: to choose the rate by, and as many others to report. */
  readonly heldOut: number;
  /** Texts as long as these are trained on for a few steps, to see how fast that is. */
  readonly lengths: readonly number[];
  /** Tokens of a step there: fewer texts of more tokens. */
  readonly stepTokens: number;
  /** Tokens after which a token is timed. */
  readonly contexts: readonly number[];
  readonly threads: number;
  readonly seed: number;
}

/** That of docs/triangle.md. */
export const FULL: Plan = {
  ...{ layers: 2, width: 64, headSize: 32, window: 32, length: 64 },
  models: MODELS,
  tasks: { recall: 600, copying: 400, stories: 120, dyck: 150, addition: 200 },
  ...{ rates: [1e-3, 4e-3], trial: 0.2, sequences: 8, heldOut: 256 },
  ...{ lengths: [64, 128, 256, 512, 1024], stepTokens: 1024 },
  contexts: [1000, 3000, 10_000, 30_000],
  ...{ threads: 1, seed: 1 },
};

/** Everything once, in a minute or two: too little to learn from. */
export const QUICK: Plan = {
  ...{ ...FULL, width: 32, headSize: 16, window: 16 },
  tasks: Object.fromEntries(TASKS.map(({ name }) => [name, 40])),
  ...{ rates: [4e-3], trial: 1, sequences: 4, heldOut: 32, lengths: [64, 128], stepTokens: 256, contexts: [1000] },
};

/** A name of what all trainings and timings of the plan have in common: what was done for another choice of tasks is not done again. */
export function planName({ tasks: _, ...plan }: Plan): string {
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 12);
}

/** A name of one training: with other steps it is another. */
export function trainingName({ tasks }: Plan, task: string, model: ModelName): string {
  return `${task}-${tasks[task]}/${model}`;
}
