import { reference } from '@receptance/backend-reference';
import { wasm } from '@receptance/backend-wasm';
import type { Backend, Device } from '@receptance/core';
import { describe, expect, test } from 'vitest';
import { type ChoiceOptions, load, type Model, type SavedState, type Session } from '../src/index.ts';
import { collect, take } from './support/collect.ts';
import { randomModel, scriptedModel } from './support/models.ts';

const bytes = randomModel(2);

/** A backend that notes how many sequences and tokens each run has, and can be made to fail. */
function watched(inner: Backend, change: Partial<Device['info']> = {}) {
  const runs: { readonly graph: string; readonly sequences: number; readonly tokens: number }[] = [];
  const state = { runs, failing: false };
  const backend: Backend = {
    ...inner,
    async open(options) {
      const device = await inner.open(options);
      const run = device.run.bind(device);
      device.run = (executable, bindings, loop) => {
        const { N: tokens = 0, S: sequences = 0, R: rows = 0 } = bindings.sizes;
        runs.push({ graph: executable.graph.name, sequences: Math.max(sequences, rows), tokens });
        if (state.failing) throw new Error('device lost');
        return run(executable, bindings, loop);
      };
      return Object.defineProperty(device, 'info', { value: { ...device.info, ...change } });
    },
  };
  return { backend, state };
}

const prompts = ['Once', 'There was a small house', 'A', 'It', 'One day, the sun'];
const choices: readonly ChoiceOptions[] = [
  { greedy: true },
  { seed: 5, sampling: { temperature: 1.2, presencePenalty: 0.4 } },
  { seed: 6, sampling: { topP: 0.9 } },
  { greedy: true },
  { seed: 7 },
];
const options = (i: number) => ({ ...choices[i], prompt: prompts[i] ?? '', maxTokens: 12 + 3 * i, stopTokens: [] });

async function sessions(model: Model): Promise<Session[]> {
  return Promise.all(prompts.map(() => model.session()));
}

/** Sums of more rows at a time may be taken in another order: the numbers are the same but for rounding. */
function expectAlike({ tensors, ...rest }: SavedState, other: SavedState | undefined): void {
  expect(rest).toEqual({ ...other, tensors: undefined });
  for (const [name, { data }] of Object.entries(tensors)) {
    const numbers = other?.tensors[name]?.data ?? [];
    expect(numbers.length).toBe(data.length);
    data.forEach((x, i) => {
      expect(Math.abs(x - Number(numbers[i])), name).toBeLessThan(1e-4 * (1 + Math.abs(x)));
    });
  }
}

describe.each([reference(), wasm()])('$name', (inner) => {
  test('texts continued together are those that each has alone, and leave the states that each leaves alone', async () => {
    const { backend, state } = watched(inner);
    const model = await load(bytes, { backend, maxSequences: 10, chunk: 16 });
    const [together, alone] = [await sessions(model), await sessions(model)];
    const made = await Promise.all(together.map((session, i) => collect(session.generate(options(i)))));
    expect(Math.max(...state.runs.map(({ sequences }) => sequences))).toBeGreaterThan(1);
    // The short prompts are read in one run, all tokens but the last of each; none has more than a chunk.
    expect(Math.max(...state.runs.map(({ tokens }) => tokens))).toBeLessThanOrEqual(16);
    expect(state.runs.some(({ graph, sequences }) => graph === 'rwkv7.logits' && sequences > 1)).toBe(true);

    state.runs.length = 0;
    for (const [i, session] of alone.entries()) {
      expect((await collect(session.generate(options(i)))).tokens).toEqual(made[i]?.tokens);
      expectAlike(await session.save(), await together[i]?.save());
    }
    expect(Math.max(...state.runs.map(({ sequences }) => sequences))).toBe(1);
    await model.close();
  });

  test('texts join and leave while others go on', async () => {
    const { backend, state } = watched(inner);
    const model = await load(bytes, { backend, maxSequences: 8 });
    const greedy = (maxTokens: number) => ({ greedy: true, maxTokens, stopTokens: [] }) as const;
    const [a, b, c, alone] = await Promise.all(Array.from({ length: 4 }, () => model.session()));
    if (!a || !b || !c || !alone) throw new Error('too few sessions');
    const first = a.generate({ ...greedy(200), prompt: 'Once' });
    const early = [await first.next(), await first.next()];
    const rest = Promise.all([collect(first), take(b.generate({ ...greedy(50), prompt: 'Twice' }), 9)]);
    const late = collect(c.generate({ ...greedy(30), prompt: 'Thrice upon a time' }));
    const [[long, left], thrice] = await Promise.all([rest, late]);
    expect(new Set(state.runs.map(({ sequences }) => sequences)).size).toBeGreaterThan(1);

    const expected = await collect(alone.generate({ ...greedy(200), prompt: 'Once' }));
    expect([...early.map(({ value }) => (typeof value === 'object' ? value.token : -1)), ...long.tokens]).toEqual(
      expected.tokens,
    );
    const others = [await model.session(), await model.session()] as const;
    expect((await collect(others[0].generate({ ...greedy(9), prompt: 'Twice' }))).tokens).toEqual(left);
    expect(b.length).toBe(14);
    expect((await collect(others[1].generate({ ...greedy(30), prompt: 'Thrice upon a time' }))).tokens).toEqual(
      thrice.tokens,
    );
    await model.close();
  });
});

test.each([
  { maxBatch: 1, change: {}, most: 1 },
  { maxBatch: 2, change: {}, most: 2 },
  { maxBatch: undefined, change: { ragged: false }, most: 1 },
  { maxBatch: undefined, change: {}, most: 4 },
])('maxBatch $maxBatch on a device with $change: at most $most at a time', async ({ maxBatch, change, most }) => {
  const { backend, state } = watched(reference(), change);
  const model = await load(bytes, { backend, maxBatch });
  const texts = await Promise.all(
    prompts.slice(0, 4).map(async (prompt) => {
      const session = await model.session();
      return collect(session.generate({ prompt, greedy: true, maxTokens: 8, stopTokens: [] }));
    }),
  );
  expect(Math.max(...state.runs.map(({ sequences }) => sequences))).toBe(most);
  expect(texts.every(({ tokens }) => tokens.length === 8)).toBe(true);
  await model.close();
});

test('a run that fails fails for all that were in it, and leaves each as it was', async () => {
  const { backend, state } = watched(reference());
  const model = await load(bytes, { backend });
  const [a, b] = [await model.session(), await model.session()];
  await Promise.all([a.prefill('Once'), b.prefill('Twice')]);
  const saved = await Promise.all([a.save(), b.save()]);
  state.failing = true;
  const failed = await Promise.allSettled([a.decode({ greedy: true }), b.decode({ greedy: true })]);
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  state.failing = false;
  expect(await Promise.all([a.save(), b.save()])).toEqual(saved);
  state.runs.length = 0;
  await Promise.all([a.decode({ greedy: true }), b.decode({ greedy: true })]);
  expect(state.runs.map(({ sequences }) => sequences)).toEqual([2]);
  await model.close();
});

test('one sequence whose tokens cannot be right does not stop the others', async () => {
  let rotten = false;
  const inner = reference();
  const backend: Backend = {
    ...inner,
    async open() {
      const device = await inner.open();
      const read = device.read.bind(device);
      device.read = async (buffer, offset, elements) => {
        const data = await read(buffer, offset, elements);
        if (rotten && buffer.dtype === 'i32') data[1] = 9999;
        return data;
      };
      return device;
    },
  };
  const model = await load(bytes, { backend });
  const [a, b] = [await model.session(), await model.session()];
  await Promise.all([a.prefill('Once'), b.prefill('Twice')]);
  const saved = await b.save();
  rotten = true;
  const [one, other] = await Promise.allSettled([a.decode({ greedy: true }), b.decode({ greedy: true })]);
  expect(one.status).toBe('fulfilled');
  expect(other).toMatchObject({ reason: { code: 'BAD_RESULT' } });
  expect(a.length).toBe(5);
  rotten = false;
  expect(await b.save()).toEqual(saved);
  await model.close();
});

describe('generateBatch', () => {
  test('more prompts than sessions have the completions that each has alone, in their order', async () => {
    const model = await load(bytes, { backend: reference(), maxSequences: 3 });
    const session = await model.session();
    const settings = { seed: 40, maxTokens: 6, stopTokens: [] };
    const completions = await model.generateBatch([...prompts, 'Once'], settings);
    const alone = await Promise.all(
      [...prompts, 'Once'].map((_, i) => i).map((i) => ({ prompt: prompts[i] ?? 'Once', seed: 40 + i })),
    );
    for (const [i, options] of alone.entries()) {
      const fresh = await model.session();
      const { tokens, text, finish } = await collect(fresh.generate({ ...settings, ...options }));
      expect(completions[i]).toEqual({ tokens, text, finish });
      await fresh.close();
    }
    expect(completions[5]?.tokens).not.toEqual(completions[0]?.tokens);
    expect(await model.generateBatch([], settings)).toEqual([]);
    await Promise.all([model.session(), model.session()]);
    await expect(model.generateBatch(['Once'], settings)).rejects.toThrow(
      expect.objectContaining({ code: 'NO_FREE_SLOT' }),
    );
    expect(session.length).toBe(0);
    await model.close();
  });

  test('a stop token that brings held-back text is not among the tokens', async () => {
    const model = await load(scriptedModel('abcd\n'), { backend: reference() });
    const completions = await model.generateBatch(['a', 'c'], { greedy: true, maxTokens: 9, stop: ['\nUser'] });
    expect(completions).toEqual([
      { text: 'bcd\n', tokens: [98, 99, 100, 10], finish: 'stop' },
      { text: 'd\n', tokens: [100, 10], finish: 'stop' },
    ]);
    await model.close();
  });

  test('wrong arguments are found before anything runs', async () => {
    const { backend, state } = watched(reference());
    const model = await load(bytes, { backend, maxSequences: 1 });
    state.runs.length = 0;
    const settings = { seed: 1, maxTokens: 5, stopTokens: [] };
    for (const [wrong, code] of [
      [{ texts: ['Once', [999]] }, 'TOKEN_OUT_OF_RANGE'],
      [{ maxTokens: -1 }, 'BAD_OPTION'],
      [{ sampling: { topP: 2 } }, 'BAD_SAMPLING'],
      [{ seed: Number.MAX_SAFE_INTEGER }, 'BAD_SAMPLING'],
      [{ stop: [''] }, 'BAD_OPTION'],
    ] as const) {
      const { texts = ['Once', 'Twice'], ...change } = { texts: undefined, ...wrong };
      const refused = model.generateBatch(texts, { ...settings, ...change });
      await expect(refused).rejects.toThrow(expect.objectContaining({ code }));
    }
    expect(state.runs).toEqual([]);
    await model.close();
  });

  test('keeps the sessions that were free when it began, whoever asks for one meanwhile', async () => {
    const model = await load(bytes, { backend: reference(), maxSequences: 2 });
    let done = false;
    const batch = model.generateBatch([...prompts, ...prompts], { greedy: true, maxTokens: 4, stopTokens: [] });
    const settled = batch.finally(() => {
      done = true;
    });
    let refused = 0;
    while (!done) {
      await model.session().catch(() => refused++);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    expect((await settled).map(({ tokens }) => tokens.length)).toEqual(Array.from({ length: 10 }, () => 4));
    expect(refused).toBeGreaterThan(0);
    await model.close();
  });

  test('when one fails no session stays open', async () => {
    const model = await load(bytes, { backend: reference(), maxSequences: 2 });
    const endless = { seed: 1, maxTokens: Number.POSITIVE_INFINITY, stopTokens: [] };
    let calls = 0;
    const processors = [
      () => {
        if (++calls > 5) throw new Error('enough');
      },
    ];
    await expect(model.generateBatch(['Once', 'Twice', 'Thrice'], { ...endless, processors })).rejects.toThrow(
      'enough',
    );
    await Promise.all([model.session(), model.session()]);
    await model.close();
  });
});

describe('in the middle of a batch', () => {
  const greedy = { greedy: true, maxTokens: 40, stopTokens: [] } as const;

  test('a text that is aborted, or whose processor fails, does not touch the others', async () => {
    const model = await load(bytes, { backend: reference(), maxSequences: 6 });
    const [a, b, c] = [await model.session(), await model.session(), await model.session()];
    const abort = new AbortController();
    const failing = () => {
      throw new Error('a bad processor');
    };
    const aborted = (async () => {
      for await (const _ of a.generate({ ...greedy, prompt: 'Once', signal: abort.signal })) {
        if (a.length === 9) abort.abort(new Error('never mind'));
      }
    })();
    const [first, second, third] = await Promise.allSettled([
      aborted,
      collect(b.generate({ ...greedy, prompt: 'Twice', processors: [failing] })),
      collect(c.generate({ ...greedy, prompt: 'Thrice' })),
    ]);
    expect(first).toMatchObject({ reason: { message: 'never mind' } });
    expect(second).toMatchObject({ reason: { message: 'a bad processor' } });
    const alone = await model.session();
    const expected = await collect(alone.generate({ ...greedy, prompt: 'Thrice' }));
    expect(third).toMatchObject({ status: 'fulfilled', value: { tokens: expected.tokens } });
    expect([a.length, b.length]).toEqual([9, 5]);
    // Both go on from where they stand.
    const again = await Promise.all([collect(a.generate(greedy)), collect(b.generate(greedy))]);
    const whole = await model.session();
    const { tokens } = await collect(whole.generate({ ...greedy, prompt: 'Once', maxTokens: 45 }));
    expect(again[0].tokens).toEqual(tokens.slice(5));
    await model.close();
  });

  test('close() ends what reads a long text', async () => {
    const { backend, state } = watched(reference());
    const model = await load(bytes, { backend, chunk: 4 });
    const [session, text] = [await model.session(), new Array<number>(400).fill(1)];
    state.runs.length = 0;
    const reading = Promise.allSettled([session.prefill(text), model.nll(text)]);
    await expect.poll(() => state.runs.length).toBeGreaterThan(2);
    await model.close();
    expect(await reading).toMatchObject([{ reason: { code: 'SESSION_CLOSED' } }, { reason: { code: 'MODEL_CLOSED' } }]);
    expect(state.runs.length).toBeLessThan(100);
  });

  test('close() ends everything that is under way, and all of it says so', async () => {
    const model = await load(bytes, { backend: wasm(), maxSequences: 8 });
    const [a, b, c] = [await model.session(), await model.session(), await model.session()];
    await c.prefill('Once');
    const endless = { ...greedy, prompt: 'Once', maxTokens: Number.POSITIVE_INFINITY };
    const generating = [a, b].map((session) => collect(session.generate(endless)));
    const batch = model.generateBatch(['Twice', 'Thrice'], endless);
    const under = Promise.allSettled([...generating, batch]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const fork = c.fork();
    // Now the fork waits for the device.
    await Promise.resolve();
    const late = Promise.allSettled([model.session(), c.prefill('more'), model.logits('Once'), model.embed('Once')]);
    await model.close();
    const code = (pattern: RegExp) => ({ reason: { code: expect.stringMatching(pattern) } });
    for (const outcome of await under) expect(outcome).toMatchObject(code(/^(SESSION|MODEL)_CLOSED$/));
    const [session, prefill, ...readings] = await late;
    expect(session).toMatchObject(code(/^MODEL_CLOSED$/));
    expect(prefill).toMatchObject(code(/^SESSION_CLOSED$/));
    for (const reading of readings) expect(reading).toMatchObject(code(/^MODEL_CLOSED$/));
    // It was made, and closed with the others.
    await expect((await fork).prefill('x')).rejects.toMatchObject({ code: 'SESSION_CLOSED' });
  });
});
