import { Random } from '@receptance/conformance';
import { median, quantile } from '../statistics.ts';
import { type Measurement, measurementOf, type Report } from './report.ts';
import { alignedRows, figure } from './text.ts';

export interface Ratio {
  readonly id: string;
  readonly measurement: Measurement;
  readonly before: number;
  readonly after: number;
  /** How many times better: more tokens a second, less time or memory. */
  readonly better: number;
  /** Of `better`, with 95 % confidence, by bootstrap over the samples of both. */
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2000;

/** Every measurement that both reports have. */
export function compareReports(before: Report, after: Report): Ratio[] {
  return after.entries.flatMap((entry) => {
    const old = before.entries.find(({ id }) => id === entry.id);
    if (old === undefined) return [];
    return entry.measurements.flatMap((measurement): Ratio[] => {
      const twin = measurementOf(old, measurement.name, measurement.at);
      return twin === undefined || measurement.name === 'fileRead' ? [] : [ratioOf(entry.id, twin, measurement)];
    });
  });
}

function ratioOf(id: string, before: Measurement, after: Measurement): Ratio {
  const random = new Random(`${id} ${after.name} ${after.at}`);
  const resampled = (samples: readonly number[]): number =>
    median(samples.map(() => samples[random.integer(samples.length)] ?? 0));
  const better = (old: number, now: number): number => (after.unit === 'tokens/s' ? now / old : old / now);
  const ratios = Array.from({ length: RESAMPLES }, () => better(resampled(before.samples), resampled(after.samples)));
  const [was, is] = [median(before.samples), median(after.samples)];
  return {
    ...{ id, measurement: after, before: was, after: is, better: better(was, is) },
    ...{ low: quantile(ratios, 0.025), high: quantile(ratios, 0.975) },
  };
}

/** What the interval says; one sample on either side says nothing. */
function verdictOf({ low, high }: Ratio, samples: number): string {
  if (samples < 2) return 'one sample only';
  if (low > 1) return 'better';
  return high < 1 ? 'worse' : 'no difference seen';
}

export function comparisonTable(before: Report, after: Report): string {
  const ratios = compareReports(before, after);
  const seen = new Set(ratios.map(({ id }) => id));
  const alone = (one: Report, where: string): string[] =>
    one.entries.filter(({ id }) => !seen.has(id)).map(({ id }) => `only in the ${where}: ${id}`);
  const heads = ['what', '', 'before', 'after', 'unit', 'times better', '95 %', ''];
  const rows = ratios.map((ratio) => {
    const { id, measurement, better, low, high } = ratio;
    const what = measurement.at === undefined ? measurement.name : `${measurement.name} ${measurement.at}`;
    const figures = [figure(ratio.before), figure(ratio.after), measurement.unit, better.toFixed(2)];
    return [id, what, ...figures, `${low.toFixed(2)}…${high.toFixed(2)}`, verdictOf(ratio, measurement.samples.length)];
  });
  return [
    ...machineNotes(before, after),
    ...alignedRows([heads, ...rows]),
    ...alone(before, 'first'),
    ...alone(after, 'second'),
  ].join('\n');
}

/** Figures of two machines, or of one that is quiet and one that is not, are not what a change did. */
function machineNotes(before: Report, after: Report): string[] {
  const differences = (['cpu', 'cores', 'engine', 'platform'] as const).filter(
    (key) => before.machine[key] !== after.machine[key],
  );
  const rooflines = after.roofline.flatMap(({ threads, bytesPerSecond }) => {
    const old = before.roofline.find((probe) => probe.threads === threads);
    return old === undefined
      ? []
      : [`memory read by ${threads}: ${(bytesPerSecond / old.bytesPerSecond).toFixed(2)} ×`];
  });
  return [
    ...differences.map((key) => `other ${key}: ${before.machine[key]} before, ${after.machine[key]} after`),
    `the machine itself: ${rooflines.join(', ')}; load ${before.machine.loadBefore} before, ${after.machine.loadBefore} after`,
    '',
  ];
}
