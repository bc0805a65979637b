import * as Plot from '@observablehq/plot';
import { spread } from '../../statistics.ts';
import type { Entry, MeasurementName, Report } from '../report.ts';

/** A plot of the page, or undefined where nothing of it was measured. */
export interface Figure {
  readonly title: string;
  readonly caption: string;
  readonly options: Plot.PlotOptions;
}

/** Colours by program, as the page's style defines them for light and dark. */
export const COLOURS: readonly string[] = Array.from({ length: 8 }, (_, i) => `var(--series-${i})`);
export const FRAME = {
  width: 860,
  marginTop: 35,
  marginBottom: 45,
  style: { fontSize: '13px', fontFamily: 'inherit', background: 'none', overflow: 'visible' },
};
/** Of a number beside a dot. */
const LABEL = { textAnchor: 'start', fill: 'currentColor' } as const;
/** Weights of so many bytes a token are read from memory, not from a cache. */
const BEYOND_CACHES = 64e6;

interface Point {
  readonly group: string;
  readonly series: string;
  readonly at: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function figuresOf(report: Report): Figure[] {
  return [
    decodeFigure(report),
    sizeFigure(report, 'prefill', 'Prefill', 'tokens of the prompt', 'tokens/s'),
    sizeFigure(report, 'firstToken', 'Time to the first token', 'tokens of the prompt', 'ms'),
    sizeFigure(report, 'batch', 'Sequences together', 'sequences', 'tokens/s, all together'),
    contextFigure(report),
    loadFigure(report),
    opsFigure(report),
    qualityFigure(report),
  ].filter((found) => found !== undefined);
}

function seriesName({ program, threads, isPeer }: Entry): string {
  return isPeer || threads > 1 || program === 'wasm' ? `${program}, ${threads} thr.` : program;
}

function pointsOf(entries: readonly Entry[], name: MeasurementName): Point[] {
  return entries.flatMap((entry) =>
    entry.measurements
      .filter((found) => found.name === name)
      .map(({ at = 0, samples }) => ({
        ...{ group: `${entry.model}, ${entry.weights}`, series: seriesName(entry), at, ...spread(samples) },
      })),
  );
}

function seriesScale(points: readonly { readonly series: string }[]): Plot.ScaleOptions & { legend: boolean } {
  return { domain: [...new Set(points.map(({ series }) => series))], range: COLOURS, legend: true };
}

function decodeFigure({ entries, roofline }: Report): Figure | undefined {
  const rows = pointsOf(entries, 'decode').map((point) => ({ ...point, row: `${point.group}: ${point.series}` }));
  if (rows.length === 0) return undefined;
  const ceilings = entries.flatMap((entry) => {
    const probe = roofline.find(({ threads }) => threads === entry.threads);
    if (probe === undefined || entry.weightBytesPerToken < BEYOND_CACHES) return [];
    const row = `${entry.model}, ${entry.weights}: ${seriesName(entry)}`;
    return [{ row, tokens: probe.bytesPerSecond / entry.weightBytesPerToken }];
  });
  return {
    title: 'Decode',
    caption:
      'Tokens a second, one text. Whiskers: the middle half of the samples. Orange: what reading the weights from memory allows that many threads, for models beyond the caches.',
    options: {
      ...{ ...FRAME, height: 80 + 28 * rows.length, marginLeft: 270, marginRight: 50 },
      x: { type: 'log', label: 'tokens/s', grid: true, nice: true, tickFormat: short },
      y: { label: null, domain: rows.map(({ row }) => row) },
      color: seriesScale(rows),
      marks: [
        Plot.ruleY(rows, { y: 'row', x1: 'low', x2: 'high', stroke: 'currentColor', strokeOpacity: 0.6 }),
        Plot.tickX(ceilings, { y: 'row', x: 'tokens', stroke: 'var(--bound)', strokeWidth: 2.5 }),
        Plot.dot(rows, { y: 'row', x: 'median', fill: 'series', r: 5 }),
        Plot.text(rows, { y: 'row', x: 'high', text: ({ median }) => short(median), dx: 9, ...LABEL }),
      ],
    },
  };
}

/** A measurement against its size, both logarithmic: a small multiple for each model and weight type. */
function sizeFigure(
  { entries }: Report,
  name: MeasurementName,
  title: string,
  x: string,
  y: string,
): Figure | undefined {
  const points = pointsOf(entries, name).filter(({ at }) => at > 0);
  const sizes = [...new Set(points.map(({ at }) => at))].toSorted((a, b) => a - b);
  if (sizes.length < 2) return undefined;
  const groups = new Set(points.map(({ group }) => group)).size;
  return {
    title,
    caption: 'Lines join medians; whiskers are the middle half of the samples.',
    options: {
      ...{ ...FRAME, height: 110 + 220 * groups, marginLeft: 70, marginRight: 130 },
      x: { type: 'log', base: 2, label: x, ticks: sizes, tickFormat: String },
      y: { type: 'log', label: y, grid: true, nice: true, ticks: 4, tickFormat: short },
      fy: { label: null },
      color: seriesScale(points),
      marks: [
        Plot.lineY(points, { fy: 'group', x: 'at', y: 'median', z: 'series', stroke: 'series', strokeWidth: 2 }),
        Plot.ruleX(points, { fy: 'group', x: 'at', y1: 'low', y2: 'high', stroke: 'series' }),
        Plot.dot(points, { fy: 'group', x: 'at', y: 'median', fill: 'series', r: 4 }),
      ],
    },
  };
}

function contextFigure({ entries, baselines }: Report): Figure | undefined {
  const own = pointsOf(entries, 'context').map((point) => ({
    ...point,
    series: `RWKV, ${point.group}, ${point.series}`,
  }));
  const others = baselines.flatMap(({ model, program, costs }) =>
    costs.map(({ context, milliseconds }) => {
      const figures = { at: context, median: milliseconds, low: milliseconds, high: milliseconds };
      return { group: model, series: `transformer as large as ${model}, ${program}`, ...figures };
    }),
  );
  const points = [...own, ...others];
  if (points.length === 0) return undefined;
  const sizes = [...new Set(points.map(({ at }) => at))].toSorted((a, b) => a - b);
  return {
    title: 'Cost against the length of the text',
    caption:
      'Milliseconds a token after so many tokens. A state stays as large as it is; a cache of keys and values is read whole for every token.',
    options: {
      ...{ ...FRAME, height: 380, marginLeft: 70, marginRight: 40 },
      x: {
        type: 'log',
        label: 'tokens of text',
        ticks: sizes,
        tickFormat: (size: number) => size.toLocaleString('en'),
      },
      y: { type: 'log', label: 'ms a token', grid: true, nice: true, ticks: 5, tickFormat: short },
      color: seriesScale(points),
      marks: [
        Plot.lineY(points, { x: 'at', y: 'median', z: 'series', stroke: 'series', strokeWidth: 2 }),
        Plot.ruleX(points, { x: 'at', y1: 'low', y2: 'high', stroke: 'series' }),
        Plot.dot(points, { x: 'at', y: 'median', fill: 'series', r: 4 }),
      ],
    },
  };
}

function loadFigure({ entries }: Report): Figure | undefined {
  const rate = (entry: Entry, name: MeasurementName): { y: string; series: string; rate: number }[] =>
    entry.measurements
      .filter((found) => found.name === name)
      .map(({ at = 0, samples }) => ({
        y: `${entry.model}, ${entry.weights}, ${seriesName(entry)}`,
        series: name === 'load' ? 'loading the model' : 'reading the file',
        rate: at / spread(samples).median / 1e6,
      }));
  const points = entries.flatMap((entry) => [...rate(entry, 'load'), ...rate(entry, 'fileRead')]);
  if (points.length === 0) return undefined;
  const rows = new Set(points.map(({ y }) => y)).size;
  return {
    title: 'Loading',
    caption: 'Bytes of the file a second, from opening it to a model that answers, and merely reading it.',
    options: {
      ...{ ...FRAME, height: 70 + 30 * rows, marginLeft: 260 },
      x: { label: 'GB/s', grid: true, zero: true },
      y: { label: null },
      color: seriesScale(points),
      marks: [
        Plot.ruleX([0], { stroke: 'currentColor' }),
        Plot.dot(points, { x: 'rate', y: 'y', fill: 'series', r: 5 }),
      ],
    },
  };
}

/** Ops of less than this share of a step are drawn as one. */
const SMALL = 0.02;

function opsFigure({ ops }: Report): Figure | undefined {
  const bars = ops.flatMap(({ model, weights, program, threads, tokens, ops: times }) => {
    const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const row = `${model}, ${weights}, ${program}, ${threads} thr., ${tokens} tok.`;
    const [large, small] = [true, false].map((wanted) =>
      times.filter((op) => op.milliseconds / total >= SMALL === wanted),
    );
    const rest = (small ?? []).reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    return [
      ...(large ?? []).map(({ op, milliseconds }) => ({
        row,
        series: op.replace(/ .*/, ''),
        share: milliseconds / total,
        milliseconds,
      })),
      ...(rest > 0 ? [{ row, series: 'others', share: rest / total, milliseconds: rest }] : []),
    ];
  });
  if (bars.length === 0) return undefined;
  const rows = new Set(bars.map(({ row }) => row)).size;
  return {
    title: 'Time by op',
    caption: 'Shares of a step; milliseconds in the bars. Each kind of op is measured by itself, over its own weights.',
    options: {
      ...{ ...FRAME, height: 80 + 34 * rows, marginLeft: 300 },
      x: { label: 'share of the step', percent: true, domain: [0, 100] },
      y: { label: null },
      color: seriesScale(bars),
      marks: [
        Plot.barX(
          bars,
          Plot.stackX({
            y: 'row',
            x: 'share',
            z: 'series',
            fill: 'series',
            order: null,
            insetLeft: 0.5,
            insetRight: 0.5,
          }),
        ),
        Plot.textX(
          bars.filter(({ share }) => share > 0.07),
          Plot.stackX({
            y: 'row',
            x: 'share',
            z: 'series',
            order: null,
            text: ({ milliseconds }: { milliseconds: number }) => short(milliseconds),
            fill: 'var(--on-series)',
          }),
        ),
      ],
    },
  };
}

function qualityFigure({ quality }: Report): Figure | undefined {
  const points = quality
    .filter(({ kl }) => kl > 0)
    .map(({ model, program, weights, kl }) => ({ series: `${model}, ${program}`, weights, kl }));
  if (points.length === 0) return undefined;
  return {
    title: 'Quality',
    caption:
      'Kullback-Leibler divergence of each weight type from f32, mean over a text that the model wrote; types without any are left out.',
    options: {
      ...{
        ...FRAME,
        height: 90 + 40 * new Set(points.map(({ weights }) => weights)).size,
        marginLeft: 70,
        marginRight: 70,
      },
      x: {
        type: 'log',
        label: 'nats a token',
        grid: true,
        nice: true,
        ticks: 5,
        tickFormat: (x: number) => x.toExponential(0),
      },
      y: { label: null, domain: [...new Set(points.map(({ weights }) => weights))] },
      color: seriesScale(points),
      marks: [
        Plot.dot(points, { x: 'kl', y: 'weights', fill: 'series', r: 5 }),
        Plot.text(points, {
          x: 'kl',
          y: 'weights',
          text: ({ kl }) => kl.toExponential(1),
          dx: 9,
          ...LABEL,
        }),
      ],
    },
  };
}

/** A number as an axis shows it. */
export function short(x: number): string {
  if (x >= 1000) return `${Number((x / 1000).toPrecision(3))}k`;
  return String(Number(x.toPrecision(x >= 100 ? 3 : 2)));
}
