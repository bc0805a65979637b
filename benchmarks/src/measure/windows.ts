import type { Backend, WeightSource } from '@receptance/core';
import { load, type Session } from 'receptance';
import { quantile } from '../statistics.ts';

/** A part of a long text. */
export interface Window {
  /** Tokens up to its end. */
  readonly position: number;
  /** Microseconds a token: what the quickest quarter of its runs took at most, so that other programs hardly show. */
  readonly best: number;
  /** The same of a text that begins anew, taken in turns with this window. */
  readonly fresh: number;
  /** Of the process, at its end. */
  readonly residentBytes: number;
}

export interface WindowOptions {
  readonly tokens: number;
  /** How many windows. */
  readonly count: number;
  readonly signal: AbortSignal;
}

/** Tokens that a run gives: they come together. */
const STEPS = 16;
/** Times that a window and a fresh text take turns. */
const TURNS = 4;
/** The least that a window can be of. */
export const WINDOW_TOKENS: number = STEPS * TURNS;

/** Decodes one text and tells of it window by window; less than a run at its end is left out. */
export async function* decodeInWindows(
  source: WeightSource,
  backend: Backend,
  { tokens, count, signal }: WindowOptions,
): AsyncGenerator<Window> {
  const model = await load(source, { backend, maxSequences: 2 });
  try {
    const session = await model.session();
    const size = Math.max(STEPS, Math.floor(tokens / count / TURNS));
    for (let position = 0; tokens - position >= STEPS; ) {
      const [own, fresh]: [number[], number[]] = [[], []];
      for (let turn = 0; turn < TURNS && tokens - position >= STEPS; turn++) {
        const part = Math.min(size, tokens - position);
        own.push(...(await runTimes(session, part, position === 0, signal)));
        position += part;
        const other = await model.session();
        fresh.push(...(await runTimes(other, Math.min(size, 256), true, signal)));
        await other.close();
      }
      yield {
        ...{ position, best: quantile(own, 0.25), fresh: quantile(fresh, 0.25) },
        residentBytes: process.memoryUsage.rss(),
      };
    }
  } finally {
    await model.close();
  }
}

/** Microseconds a token of each run of a continuation. */
async function runTimes(session: Session, tokens: number, begins: boolean, signal: AbortSignal): Promise<number[]> {
  const times: number[] = [];
  const prompt = begins ? { prompt: [1] } : {};
  let [done, began] = [0, performance.now()];
  for await (const _ of session.generate({
    ...prompt,
    ...{ greedy: true, maxTokens: tokens, stopTokens: [], stepsPerRun: STEPS, signal },
  })) {
    if (++done % STEPS !== 0) continue;
    const now = performance.now();
    times.push((1000 * (now - began)) / STEPS);
    began = now;
  }
  // A prompt is read in the first.
  return times.length > 1 ? times.slice(1) : times;
}
