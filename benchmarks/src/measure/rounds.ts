import { mean } from '../statistics.ts';
import type { Settings } from './plan.ts';
import type { Samples } from './samples.ts';
import type { OpenSubject } from './subject.ts';

/** Timed after each length of a text, and how many of them at a time. */
const CONTEXT_TOKENS = 64;
const CONTEXT_PIECE = 8;

/** Tokens of the prompts by which the time of longer ones is foreseen. */
const [FEW, MANY] = [4, 16];

/** What a sample takes at least, in milliseconds: shorter ones measure what else the machine did. */
const LEAST_SAMPLE_MS = 100;

/** Finds out how long things take, and lets the program compile and touch all that it will. */
export async function warmUp({ runner }: OpenSubject, samples: Samples): Promise<void> {
  await runner.ask('decode', { tokens: 1 });
  samples.cost.decode = ((await runner.ask('decode', { tokens: 3 })).at(-1) ?? 0) / 3;
  await runner.ask('prefill', { tokens: FEW });
  // What is paid once for a prompt, such as widening weights, is not paid for each token.
  const [few, many] = [await runner.ask('prefill', { tokens: FEW }), await runner.ask('prefill', { tokens: MANY })];
  const each = Math.max(0, (many - few) / (MANY - FEW));
  samples.cost.prefill = (tokens) => few + each * (tokens - FEW);
  await runner.ask('decode', { tokens: Math.ceil(LEAST_SAMPLE_MS / samples.cost.decode) });
}

/** One round of one program: a sample of everything that is measured in turns. */
export async function takeRound({ runner }: OpenSubject, samples: Samples, settings: Settings): Promise<void> {
  const { measures, tokens, prompts, sequences, sampleMs } = settings;
  const { cost } = samples;
  const wanted = Math.max(tokens, Math.ceil(LEAST_SAMPLE_MS / cost.decode));
  const fitting = Math.max(4, Math.min(wanted, Math.floor(sampleMs / cost.decode)));
  for (const at of prompts) {
    if (cost.prefill(at) > sampleMs) {
      samples.leaveOut(`a prompt of ${at} tokens would take ${Math.round(cost.prefill(at) / 1000)} s a sample`);
      continue;
    }
    if (measures.has('prefill')) {
      const times = await timesOf(() => runner.ask('prefill', { tokens: at }));
      samples.add('prefill', [(1000 * at) / mean(times)], at);
    }
    if (measures.has('firstToken')) {
      const times = await timesOf(() => runner.ask('firstToken', { tokens: at }));
      samples.add('firstToken', [mean(times)], at);
    }
  }
  if (measures.has('decode')) {
    const times = await runner.ask('decode', { tokens: fitting });
    samples.add('decode', [(1000 * times.length) / (times.at(-1) ?? Number.NaN)]);
  }
  if (measures.has('tokenTime')) {
    const times = await runner.ask('decode', { tokens: fitting, stepsPerRun: 1 });
    samples.add('tokenTime', times.map((time, i) => time - (times[i - 1] ?? 0)).slice(1));
  }
  for (const at of measures.has('batch') ? sequences : []) {
    const each = Math.max(2, Math.floor(fitting / at));
    samples.add('batch', [(1000 * each * at) / (await runner.ask('batch', { sequences: at, tokens: each }))], at);
  }
}

/** Does something until a sample is long enough: what it took each time. */
async function timesOf(work: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let spent = 0; spent < LEAST_SAMPLE_MS; ) {
    const time = await work();
    times.push(time);
    spent += time;
  }
  return times;
}

/** One text, read on and on: what its next tokens cost at each of the lengths. */
export async function takeContexts({ runner }: OpenSubject, samples: Samples, settings: Settings): Promise<void> {
  const { contexts, status, signal } = settings;
  // Compiles whatever the engine compiles.
  let length = (await runner.ask('decode', { tokens: CONTEXT_TOKENS, stepsPerRun: CONTEXT_PIECE })).length;
  for (const at of contexts) {
    for (const end = at - CONTEXT_TOKENS; length < end; ) {
      signal.throwIfAborted();
      const step = Math.min(end - length, 2048);
      await runner.ask('advance', { tokens: step });
      length += step;
      status(`reading a text of ${at} tokens: ${length}`);
    }
    // In pieces, whose median does not mind what else the machine does now and then.
    const times = await runner.ask('decode', { tokens: CONTEXT_TOKENS, stepsPerRun: CONTEXT_PIECE });
    length += times.length;
    const ends = times.filter((_, i) => (i + 1) % CONTEXT_PIECE === 0);
    samples.add(
      'context',
      ends.map((end, i) => (end - (ends[i - 1] ?? 0)) / CONTEXT_PIECE),
      at,
    );
  }
}
