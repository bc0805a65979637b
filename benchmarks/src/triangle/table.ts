import { alignedRows, figure, percent } from '../report/text.ts';
import { median } from '../statistics.ts';
import { TITLES } from './models.ts';
import { shareText } from './plots.ts';
import { type TriangleReport, trainingOf } from './report.ts';

/** Rows under a heading; the first are the names of the columns. */
export interface Table {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

export function tablesOf(report: TriangleReport): Table[] {
  return [modelTable(report), accuracyTable(report), lossTable(report), speedTable(report), decodeTable(report)].filter(
    ({ rows }) => rows.length > 1 && (rows[0]?.length ?? 0) > 1,
  );
}

/** The report as text. */
export function triangleTable(report: TriangleReport): string {
  const { machine, plan, missing, trainings } = report;
  const { layers, width, length, sequences } = plan;
  const seconds = trainings.reduce((sum, each) => sum + each.seconds, 0);
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.engine}; load ${machine.loadBefore} before, ${machine.loadAfter} after`,
    `${layers} layers, width ${width}; ${sequences} texts of ${length} tokens a step; ${figure(seconds / 60)} minutes of steps in the trainings kept`,
    ...tablesOf(report).map(({ title, rows }) => [title, ...alignedRows(rows)].join('\n')),
    ...(missing.length === 0 ? [] : [`not done yet: ${missing.join(', ')}. The same command goes on.`]),
  ].join('\n\n');
}

function modelTable({ models }: TriangleReport): Table {
  const target = models[0]?.parameters ?? 1;
  const rows = models.map(({ name, parameters, ffn }) => [
    ...[
      TITLES[name],
      parameters.toLocaleString('en'),
      `${(100 * (parameters / target - 1)).toFixed(1)} %`,
      String(ffn),
    ],
  ]);
  return {
    name: 'models',
    title: 'Models of equal size',
    rows: [['model', 'parameters', 'against the first', 'feed-forward width'], ...rows],
  };
}

function accuracyTable(report: TriangleReport): Table {
  const { models, tasks, trainings } = report;
  const names = tasks.map(({ name }) => name).filter((name) => trainings.some(({ task }) => task === name));
  const rows = models.map(({ name }) => [
    TITLES[name],
    ...names.map((task) => {
      const score = trainingOf(report, task, name)?.score;
      return score === undefined ? '' : `${shareText(score.exact)} %`;
    }),
  ]);
  const chances = names.map((name) => trainings.find(({ task }) => task === name)?.score.chance ?? Number.NaN);
  const chance = chances.map((share) =>
    share > 0 && share < 5e-4 ? `${share.toExponential(0)}` : `${shareText(share)} %`,
  );
  return {
    name: 'accuracy',
    title: 'Answers of held-out texts right as a whole',
    rows: [['model', ...names], ...rows, ['a guess', ...chance]],
  };
}

function lossTable(report: TriangleReport): Table {
  const { models, tasks, trainings } = report;
  const names = tasks.map(({ name }) => name).filter((name) => trainings.some(({ task }) => task === name));
  const rows = models.map(({ name }) => [
    TITLES[name],
    ...names.map((task) => {
      const found = trainingOf(report, task, name);
      if (found === undefined) return '';
      const { score, rate } = found;
      return `${score.loss.toFixed(3)} (${percent(score.tokens)}, ${rate})`;
    }),
  ]);
  return {
    name: 'losses',
    title: 'Loss of the tokens of answers, nats (those of them right, the learning rate that was kept)',
    rows: [['model', ...names], ...rows],
  };
}

function speedTable({ models, speeds }: TriangleReport): Table {
  const lengths = [...new Set(speeds.map(({ length }) => length))];
  const rows = models.map(({ name }) => [
    TITLES[name],
    ...lengths.map((length) => {
      const found = speeds.find((each) => each.model === name && each.length === length);
      return found === undefined ? '' : median(found.tokensPerSecond).toFixed(0);
    }),
  ]);
  return {
    name: 'speeds',
    title: 'Training, tokens/s, by the length of texts',
    rows: [['model', ...lengths.map(String)], ...rows],
  };
}

function decodeTable({ models, decodes }: TriangleReport): Table {
  const contexts = [...new Set(decodes.map(({ context }) => context))];
  const rows = models.map(({ name }) => [
    TITLES[name],
    ...contexts.map((context) => {
      const found = decodes.find((each) => each.model === name && each.context === context);
      return found === undefined ? '' : `${figure(found.milliseconds)} ms, ${sizeText(found.memoryBytes)}`;
    }),
  ]);
  const heads = contexts.map((context) => `after ${context.toLocaleString('en')}`);
  return {
    name: 'decodes',
    title: 'One more token: its time, and the memory that holds the text',
    rows: [['model', ...heads], ...rows],
  };
}

function sizeText(bytes: number): string {
  return bytes < 2 ** 20 ? `${figure(bytes / 1024)} KiB` : `${figure(bytes / 2 ** 20)} MiB`;
}
