import { type Device, detectModel, type LanguageModel, type WeightSource } from '@receptance/core';
import { aftFormsChecks } from './aft-forms.ts';
import type { Numbers } from './case.ts';
import { EXACT } from './case.ts';
import type { Check } from './check.ts';
import type { Tolerances } from './compare.ts';
import { ModelRunner, type Piece, type RunnerLimits } from './model-runner.ts';
import { Random } from './random.ts';
import { type RandomRwkv7Options, randomRwkv7 } from './random-rwkv7.ts';
import { guard } from './run-case.ts';
import { Verdict } from './verdict.ts';
import { wkv4FormsCheck } from './wkv4-forms.ts';

/** Different orders of the same sums, no more. */
const SAME: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1e-10, maxAbs: 2e-5 } };
const LIMITS: RunnerLimits = { N: 40, S: 4, Z: 6 };

const MODELS: Readonly<Record<string, RandomRwkv7Options>> = {
  small: {
    ...{ layers: 2, heads: 2, headSize: 8, ffn: 40, vocabulary: 31, seed: 'small' },
    ranks: { w: 5, a: 4, v: 3, g: 6 },
  },
  'one head of 64': {
    ...{ layers: 3, heads: 1, headSize: 64, ffn: 96, vocabulary: 50, seed: 'one head of 64' },
    ranks: { w: 8, a: 8, v: 8, g: 16 },
  },
};

interface Context {
  readonly verdict: Verdict;
  readonly model: LanguageModel;
  readonly random: Random;
  /** Opens the model afresh, every slot at the start of a text. */
  open(): Promise<ModelRunner>;
}

interface Identity {
  readonly name: string;
  /** Needs sequences of unequal lengths in one run. */
  readonly ragged?: boolean;
  check(context: Context): Promise<void>;
}

/** What holds for every recurrent model whatever its weights: one model, run in two ways, gives one result. */
export function identityChecks(): Check[] {
  const models = Object.entries(MODELS).flatMap(([model, options]) => {
    const weights = randomRwkv7(options);
    return IDENTITIES.map((identity) => identityCheck(identity, model, weights));
  });
  return [wkv4FormsCheck(), ...aftFormsChecks(), ...models];
}

function identityCheck(identity: Identity, modelName: string, weights: WeightSource): Check {
  const id = `identity/${identity.name}/rwkv7 ${modelName}`;
  const what = ['block7', 'linear', 'gather', 'layerNorm'];
  return {
    ...{ id, what },
    run: (device, { tolerance }) =>
      guard(id, async () => {
        if (identity.ragged === true && !device.info.ragged) {
          return { id, status: 'unsupported', reason: 'the backend takes equally long sequences only' };
        }
        const opened: ModelRunner[] = [];
        const verdict = new Verdict(id, device.info, tolerance);
        try {
          await identity.check(contextOf(id, verdict, device, weights, opened));
        } finally {
          for (const runner of opened) runner.free();
        }
        return verdict.result();
      }),
  };
}

function contextOf(
  id: string,
  verdict: Verdict,
  device: Device,
  weights: WeightSource,
  opened: ModelRunner[],
): Context {
  const model = detectModel(weights.tensors);
  return {
    ...{ verdict, model, random: new Random(id) },
    async open() {
      const runner = await ModelRunner.open(device, model, weights, LIMITS);
      opened.push(runner);
      return runner;
    },
  };
}

function textOf({ random, model }: Context, length: number): number[] {
  return Array.from({ length }, () => random.integer(model.vocabularySize));
}

/** Logits of the pieces run one after the other, joined. */
async function oneByOne(runner: ModelRunner, pieces: readonly Piece[]): Promise<Float64Array> {
  const rows: number[] = [];
  for (const piece of pieces) rows.push(...(await runner.logits([piece])));
  return Float64Array.from(rows);
}

function compareStates(
  { verdict }: Context,
  name: string,
  got: Readonly<Record<string, Numbers>>,
  want: Readonly<Record<string, Numbers>>,
  tolerances: Tolerances = SAME,
): void {
  for (const [entry, numbers] of Object.entries(want))
    verdict.compare(`${name} ${entry}`, got[entry] ?? [], numbers, tolerances);
}

const IDENTITIES: readonly Identity[] = [
  {
    name: 'prefill is decoding token by token',
    async check(context) {
      const text = textOf(context, 19);
      const runner = await context.open();
      const whole = await runner.logits([{ slot: 0, tokens: text }]);
      const single = await oneByOne(
        runner,
        text.map((token) => ({ slot: 3, tokens: [token] })),
      );
      context.verdict.compare('logits', whole, single, SAME);
      compareStates(context, 'after', await runner.state(0), await runner.state(3));
    },
  },
  {
    name: 'a packed batch is each text alone',
    ragged: true,
    async check(context) {
      const runner = await context.open();
      const texts = [7, 1, 12, 4].map((length) => textOf(context, length));
      const packed = await runner.logits(texts.map((tokens, s) => ({ slot: [4, 1, 5, 0][s] ?? 0, tokens })));
      const other = await context.open();
      const alone = await oneByOne(
        other,
        texts.map((tokens, s) => ({ slot: s, tokens })),
      );
      context.verdict.compare('logits', packed, alone, SAME);
      for (const [s, slot] of [4, 1, 5, 0].entries()) {
        compareStates(context, `text ${s}`, await runner.state(slot), await other.state(s));
      }
    },
  },
  {
    name: 'a batch of equal lengths is each text alone',
    async check(context) {
      const runner = await context.open();
      const texts = [5, 5, 5].map((length) => textOf(context, length));
      const packed = await runner.logits(texts.map((tokens, s) => ({ slot: [2, 0, 4][s] ?? 0, tokens })));
      const alone = await oneByOne(
        await context.open(),
        texts.map((tokens, s) => ({ slot: s, tokens })),
      );
      context.verdict.compare('logits', packed, alone, SAME);
    },
  },
  {
    name: 'any cuts of a text into runs give one state',
    async check(context) {
      const text = textOf(context, 33);
      const runner = await context.open();
      const whole = await runner.logits([{ slot: 0, tokens: text }]);
      for (let slot = 1; slot < 4; slot++) {
        const pieces: Piece[] = [];
        for (let at = 0; at < text.length; ) {
          const end = Math.min(text.length, at + 1 + context.random.integer(12));
          pieces.push({ slot, tokens: text.slice(at, end) });
          at = end;
        }
        context.verdict.compare(`logits, cut ${slot}`, await oneByOne(runner, pieces), whole, SAME);
        compareStates(context, `cut ${slot}`, await runner.state(slot), await runner.state(0));
      }
    },
  },
  {
    name: 'a text that is saved, restored and forked goes on as if never interrupted',
    async check(context) {
      const [begin, one, two] = [textOf(context, 9), textOf(context, 6), textOf(context, 8)];
      const runner = await context.open();
      await runner.logits([{ slot: 1, tokens: begin }]);
      const saved = await runner.state(1);
      runner.fork(1, 4);
      const first = await runner.logits([{ slot: 1, tokens: one }]);
      const second = await runner.logits([{ slot: 4, tokens: two }]);
      runner.restore(2, saved);
      const restored = await runner.logits([{ slot: 2, tokens: two }]);

      const other = await context.open();
      const vocabulary = context.model.vocabularySize;
      const oneWhole = await other.logits([{ slot: 0, tokens: [...begin, ...one] }]);
      const twoWhole = await other.logits([{ slot: 3, tokens: [...begin, ...two] }]);
      context.verdict.compare('the first branch', first, oneWhole.subarray(begin.length * vocabulary), SAME);
      context.verdict.compare('the fork', second, twoWhole.subarray(begin.length * vocabulary), SAME);
      context.verdict.compare('what was restored', restored, twoWhole.subarray(begin.length * vocabulary), SAME);
      compareStates(context, 'the fork', await runner.state(4), await other.state(3));
    },
  },
  {
    name: 'a loop of steps is as many runs',
    async check(context) {
      const texts = [textOf(context, 6), textOf(context, 6)];
      const pieces = texts.map((tokens, s) => ({ slot: 3 - s, tokens }));
      const runner = await context.open();
      const looped = await runner.greedy(pieces, 9);
      const other = await context.open();
      const single: number[] = [];
      let next = pieces;
      for (let step = 0; step < 9; step++) {
        const tokens = await other.greedy(next, 1);
        single.push(...tokens);
        next = pieces.map(({ slot }, s) => ({ slot, tokens: [tokens[s] ?? 0] }));
      }
      context.verdict.compare('tokens', looped, single, EXACT);
      for (const slot of [3, 2])
        compareStates(context, `slot ${slot}`, await runner.state(slot), await other.state(slot));
    },
  },
  {
    name: 'an empty text leaves its state as it is',
    ragged: true,
    async check(context) {
      const runner = await context.open();
      await runner.logits([2, 4, 5].map((slot) => ({ slot, tokens: textOf(context, 4) })));
      const before = [await runner.state(2), await runner.state(5)];
      const text = textOf(context, 3);
      const beside = await runner.logits([
        { slot: 2, tokens: [] },
        { slot: 0, tokens: text },
        { slot: 5, tokens: [] },
      ]);
      compareStates(context, 'first', await runner.state(2), before[0] ?? {}, EXACT);
      compareStates(context, 'last', await runner.state(5), before[1] ?? {}, EXACT);
      context.verdict.compare('beside them', beside, await runner.logits([{ slot: 1, tokens: text }]), SAME);
    },
  },
  {
    name: 'a run touches no slot but its own',
    async check(context) {
      const runner = await context.open();
      for (const slot of [0, 2, 3]) await runner.logits([{ slot, tokens: textOf(context, 5) }]);
      const before = [await runner.state(0), await runner.state(2), await runner.state(3)];
      await runner.logits([{ slot: 1, tokens: textOf(context, 4) }]);
      await runner.reset([4, 1]);
      for (const [i, slot] of [0, 2, 3].entries()) {
        compareStates(context, `slot ${slot}`, await runner.state(slot), before[i] ?? {}, EXACT);
      }
      const fresh = await (await context.open()).state(0);
      compareStates(context, 'reset', await runner.state(1), fresh, EXACT);
    },
  },
];
