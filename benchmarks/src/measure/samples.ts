import type { Measurement, MeasurementName } from '../report/report.ts';
import type { Settings } from './plan.ts';
import type { OpenSubject } from './subject.ts';

/** A sample is not to take much longer than this: what is slower gets fewer tokens, or is left out where that would be another thing. */
const MOST_MS = 8000;

const UNITS: Readonly<Record<MeasurementName, Measurement['unit']>> = {
  decode: 'tokens/s',
  tokenTime: 'ms',
  prefill: 'tokens/s',
  firstToken: 'ms',
  batch: 'tokens/s',
  context: 'ms',
  load: 'ms',
  peakMemory: 'bytes',
};

/** What one program's measurements came to so far. */
export class Samples {
  readonly #samples = new Map<
    string,
    { readonly name: MeasurementName; readonly at?: number; readonly samples: number[] }
  >();
  /** Milliseconds a token, from the warm-up. */
  readonly cost = { decode: 0, prefill: 0 };

  add(name: MeasurementName, samples: readonly number[], at?: number): void {
    const key = `${name} ${at ?? ''}`;
    const found = this.#samples.get(key) ?? { name, samples: [], ...(at === undefined ? {} : { at }) };
    found.samples.push(...samples);
    this.#samples.set(key, found);
  }

  measurements(): Measurement[] {
    return [...this.#samples.values()].map((series) => ({ ...series, unit: UNITS[series.name] }));
  }
}

/** One round of one program. Round 0 warms up: nothing of it counts. */
export async function takeSamples(
  subject: OpenSubject,
  samples: Samples,
  settings: Settings,
  round: number,
): Promise<void> {
  const { runner, opened } = subject;
  const { measures, tokens, prompts } = settings;
  if (round === 0) {
    await runner.decode({ tokens: 1 });
    samples.cost.decode = (await runner.decode({ tokens: 3 })).at(-1) ?? 0;
    samples.cost.decode /= 3;
    await runner.prefill({ tokens: 4 });
    samples.cost.prefill = (await runner.prefill({ tokens: 16 })) / 16;
    samples.add('load', [opened.loadMs]);
    return;
  }
  for (const at of prompts) {
    if (at * samples.cost.prefill > MOST_MS || !measures.has('prefill')) continue;
    const spent = await runner.prefill({ tokens: at });
    samples.add('prefill', [(1000 * at) / spent], at);
  }
  const fitting = Math.max(4, Math.min(tokens, Math.floor(MOST_MS / samples.cost.decode)));
  if (measures.has('decode')) {
    const times = await runner.decode({ tokens: fitting });
    samples.add('decode', [(1000 * times.length) / (times.at(-1) ?? Number.NaN)]);
  }
}
