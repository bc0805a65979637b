import type { Measurement, MeasurementName } from '../report/report.ts';

const UNITS: Readonly<Record<MeasurementName, Measurement['unit']>> = {
  decode: 'tokens/s',
  tokenTime: 'ms',
  prefill: 'tokens/s',
  firstToken: 'ms',
  batch: 'tokens/s',
  context: 'ms',
  load: 'ms',
  fileRead: 'ms',
  memoryBefore: 'bytes',
  peakMemory: 'bytes',
};

/** What one program's measurements came to so far. */
export class Samples {
  readonly #series = new Map<string, { name: MeasurementName; at?: number; samples: number[] }>();
  /** Milliseconds of a token, and of a prompt of so many, from the warm-up. */
  readonly cost: { decode: number; prefill(tokens: number): number } = { decode: 0, prefill: () => 0 };
  /** What was not measured, and why. */
  readonly leftOut: Set<string> = new Set<string>();

  leaveOut(reason: string): void {
    this.leftOut.add(reason);
  }

  add(name: MeasurementName, samples: readonly number[], at?: number): void {
    const key = `${name} ${at ?? ''}`;
    const found = this.#series.get(key) ?? { name, samples: [], ...(at === undefined ? {} : { at }) };
    found.samples.push(...samples);
    this.#series.set(key, found);
  }

  measurements(): Measurement[] {
    return [...this.#series.values()].map((series) => ({ ...series, unit: UNITS[series.name] }));
  }
}
