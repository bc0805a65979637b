import type { ContextCost, Machine } from '../report/report.ts';
import type { ModelName } from './models.ts';
import type { Plan } from './plan.ts';
import type { Score } from './score.ts';

/** What a run measured. The JSON that is written, and that the page and the documentation are made from: see `schema.json`. */
export interface TriangleReport {
  readonly schema: 'receptance-triangle/1';
  /** When it ended, ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly plan: Plan;
  readonly models: readonly ModelCard[];
  readonly tasks: readonly TaskCard[];
  readonly trainings: readonly TrainedModel[];
  readonly speeds: readonly TrainingSpeed[];
  readonly decodes: readonly DecodeCost[];
  /** What was not done before the run was stopped. */
  readonly missing: readonly string[];
}

export interface ModelCard {
  readonly name: ModelName;
  /** Width of the feed-forward part. */
  readonly ffn: number;
  /** Numbers that are trained and read. */
  readonly parameters: number;
}

export interface TaskCard {
  readonly name: string;
  readonly about: string;
  /** What a guess is that knows the form alone. */
  readonly guess: string;
  readonly steps: number;
  /** A text of T tokens. */
  readonly example: string;
}

export interface TrainedModel {
  readonly task: string;
  readonly model: ModelName;
  readonly rate: number;
  readonly steps: number;
  readonly tokens: number;
  /** The rates that were tried, and the held-out losses that chose among them; none where there was one rate. */
  readonly trials: readonly { readonly rate: number; readonly loss: number | null }[];
  /** Losses of the training after so many tokens, each the mean of the steps since the point before. */
  readonly curve: readonly { readonly tokens: number; readonly loss: number }[];
  readonly score: Score;
  /** Of all its steps at the rate that was kept. */
  readonly seconds: number;
}

/** Steps of training on texts of `length` tokens. */
export interface TrainingSpeed {
  readonly model: ModelName;
  readonly length: number;
  readonly tokensPerSecond: readonly number[];
}

/** A token of a text against the text's length, and the memory that holds the text. */
export interface DecodeCost extends ContextCost {
  readonly model: ModelName;
}

export function trainingOf({ trainings }: TriangleReport, task: string, model: ModelName): TrainedModel | undefined {
  return trainings.find((each) => each.task === task && each.model === model);
}
