import * as Plot from '@observablehq/plot';
import { COLOURS, type Figure, FRAME, short } from '../report/page/plots.ts';
import { spread } from '../statistics.ts';
import { TITLES } from './models.ts';
import type { TriangleReport } from './report.ts';

/** A plot, and the name of its file in the documentation. */
export interface NamedFigure extends Figure {
  readonly name: string;
}

export function triangleFigures(report: TriangleReport): NamedFigure[] {
  return [accuracy(report), curves(report), speeds(report), decodeTimes(report), memory(report)].filter(
    (found) => found !== undefined,
  );
}

/** The same colour for a model in every plot. */
function colours({ models }: TriangleReport): Plot.ScaleOptions {
  return { domain: models.map(({ name }) => TITLES[name]), range: COLOURS };
}

/** Above the first facet, or the only one: a dot and a name for each model. A legend of Plot's own would be no part of the picture. */
function legend({ models }: TriangleReport, facet: { readonly fx?: string } = {}): Plot.Markish[] {
  const space = 8;
  let x = 0;
  return models.flatMap(({ name }) => {
    const title = TITLES[name];
    const own = [{ title, ...facet }];
    const at = { frameAnchor: 'top-left', dy: -42, ...(facet.fx === undefined ? {} : { fx: 'fx' }) } as const;
    const marks = [
      Plot.dot(own, { ...at, dx: x + 5, r: 5, fill: 'title' }),
      Plot.text(own, { ...at, dx: x + 14, text: 'title', textAnchor: 'start', fill: 'currentColor' }),
    ];
    x += 14 + 7.5 * title.length + 2 * space;
    return marks;
  });
}

function accuracy(report: TriangleReport): NamedFigure | undefined {
  const { trainings, models, tasks } = report;
  const rows = trainings.map(({ task, model, score }) => ({
    ...{ task, model: TITLES[model], exact: score.exact, chance: score.chance },
  }));
  if (rows.length === 0) return undefined;
  return {
    name: 'accuracy',
    title: 'What was learned',
    caption:
      'Answers of held-out texts that are right as a whole, %; of the stories, characters. The orange line: what a guess gets right that knows the form alone.',
    options: {
      ...{ ...FRAME, height: 90 + 26 * models.length, marginLeft: 95, marginRight: 45, marginTop: 40 },
      fx: { label: null, domain: tasks.map(({ name }) => name), padding: 0.25 },
      x: { percent: true, domain: [0, 100], label: null, ticks: [0, 50, 100], grid: true },
      y: { label: null, domain: models.map(({ name }) => TITLES[name]) },
      color: colours(report),
      marks: [
        Plot.barX(rows, { fx: 'task', y: 'model', x: 'exact', fill: 'model', insetTop: 2, insetBottom: 2 }),
        Plot.tickX(rows, { fx: 'task', y: 'model', x: 'chance', stroke: 'var(--bound)', strokeWidth: 2.5 }),
        Plot.text(rows, {
          ...{ fx: 'task', y: 'model', x: 'exact', text: ({ exact }) => shareText(exact) },
          ...{ textAnchor: 'start', dx: 5, fill: 'currentColor' },
        }),
      ],
    },
  };
}

function curves(report: TriangleReport): NamedFigure | undefined {
  const { trainings, tasks } = report;
  const points = trainings.flatMap(({ task, model, curve }) =>
    curve.map(({ tokens, loss }) => ({ task, model: TITLES[model], tokens: tokens / 1000, loss })),
  );
  const [first] = tasks;
  if (points.length === 0 || first === undefined) return undefined;
  return {
    name: 'curves',
    title: 'Loss in training',
    caption: 'Cross-entropy of the tokens of answers, nats, against thousands of tokens read.',
    options: {
      ...{ ...FRAME, height: 300, marginLeft: 50, marginTop: 70 },
      fx: { label: null, domain: tasks.map(({ name }) => name), padding: 0.15 },
      x: { label: 'thousand tokens', ticks: 3, nice: true },
      y: { label: 'nats', grid: true, zero: true },
      color: colours(report),
      marks: [
        Plot.ruleY([0], { stroke: 'currentColor' }),
        Plot.lineY(points, { fx: 'task', x: 'tokens', y: 'loss', z: 'model', stroke: 'model', strokeWidth: 2 }),
        ...legend(report, { fx: first.name }),
      ],
    },
  };
}

function speeds(report: TriangleReport): NamedFigure | undefined {
  const points = report.speeds.map(({ model, length, tokensPerSecond }) => ({
    ...{ model: TITLES[model], at: length, ...spread(tokensPerSecond) },
  }));
  return lines(report, points, {
    ...{ name: 'training-speed', title: 'Training speed', x: 'tokens of a text', y: 'tokens/s' },
    caption:
      'Tokens a second of whole steps of training, as many tokens in each step. Whiskers are the middle half of the samples.',
  });
}

function decodeTimes(report: TriangleReport): NamedFigure | undefined {
  const points = report.decodes.map(({ model, context, milliseconds }) => ({
    ...{ model: TITLES[model], at: context, ...spread([milliseconds]) },
  }));
  return lines(report, points, {
    ...{ name: 'decode-time', title: 'Time of a token', x: 'tokens of text before it', y: 'ms' },
    caption: 'Milliseconds of one more token after so many.',
  });
}

function memory(report: TriangleReport): NamedFigure | undefined {
  const points = report.decodes.map(({ model, context, memoryBytes }) => ({
    ...{ model: TITLES[model], at: context, ...spread([memoryBytes / 1024]) },
  }));
  return lines(report, points, {
    ...{ name: 'decode-memory', title: 'Memory of a text', x: 'tokens of text', y: 'KiB' },
    caption: 'KiB that hold a text of so many tokens: a state, sums, or a cache of keys and values.',
  });
}

interface Point {
  readonly model: string;
  readonly at: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** A measurement against a size, both logarithmic. */
function lines(
  report: TriangleReport,
  points: readonly Point[],
  { x, y, ...about }: Pick<NamedFigure, 'name' | 'title' | 'caption'> & { readonly x: string; readonly y: string },
): NamedFigure | undefined {
  const sizes = [...new Set(points.map(({ at }) => at))].toSorted((a, b) => a - b);
  if (sizes.length === 0) return undefined;
  return {
    ...about,
    options: {
      ...{ ...FRAME, height: 340, marginLeft: 65, marginRight: 30, marginTop: 70 },
      x: { type: 'log', label: x, ticks: sizes, tickFormat: (size: number) => size.toLocaleString('en') },
      y: { type: 'log', label: y, grid: true, ticks: 4, tickFormat: short },
      color: colours(report),
      marks: [
        Plot.lineY(points, { x: 'at', y: 'median', z: 'model', stroke: 'model', strokeWidth: 2 }),
        Plot.ruleX(points, { x: 'at', y1: 'low', y2: 'high', stroke: 'model' }),
        Plot.dot(points, { x: 'at', y: 'median', fill: 'model', r: 4 }),
        ...legend(report),
      ],
    },
  };
}

/** Percent, finer where little is learned or missing. */
export function shareText(share: number): string {
  const percent = 100 * share;
  return percent === 0 || percent === 100 || (percent >= 10 && percent < 99) ? percent.toFixed(0) : percent.toFixed(1);
}
