import { reference } from '@receptance/backend-reference';
import { afterAll, describe, expect, test } from 'vitest';
import { type GenerateOptions, type LogitsProcessor, load, type Piece, typical } from '../src/index.ts';
import { StopStrings } from '../src/stop-strings.ts';
import { collect } from './support/collect.ts';
import { randomModel, scriptedModel } from './support/models.ts';

const code = (name: string) => expect.objectContaining({ code: name, hint: expect.any(String) });
const model = await load(randomModel(2), { backend: reference() });
const scripted = await load(scriptedModel('abcdefg 1234\n'), { backend: reference() });
afterAll(() => Promise.all([model.close(), scripted.close()]));

async function generate(options: GenerateOptions, on = model) {
  const session = await on.session();
  const pieces: Piece[] = [];
  for await (const piece of session.generate({ prompt: 'Once', stopTokens: [], ...options })) pieces.push(piece);
  const saved = await session.save();
  await session.close();
  return { pieces, tokens: pieces.map(({ token }) => token), saved };
}

describe('stop strings', () => {
  const from = (options: Partial<GenerateOptions>) =>
    ({ prompt: 'a', greedy: true, maxTokens: 50, ...options }) as const;

  test.each([1, 3, 64])('are not given out, nor what begins them; runs of %i', async (stepsPerRun) => {
    const session = await scripted.session();
    const made = await collect(session.generate(from({ stop: ['g 1', 'zzz'], stepsPerRun })));
    expect(made).toMatchObject({ texts: ['b', 'c', 'd', 'e', 'f', '', '', ''], finish: 'stop' });
    // The session ends with the token that completes the stop string.
    expect(session.length).toBe(9);
    expect((await session.save()).tail).toEqual([...'fg 1'].map((char) => char.charCodeAt(0)));
    expect((await collect(session.generate({ greedy: true, maxTokens: 3 }))).text).toBe('234');
    await session.close();
  });

  test('what only began like one is given out with what shows that', async () => {
    const session = await scripted.session();
    const { texts } = await collect(session.generate(from({ stop: ['cdx', 'dez', 'g 12345'] })));
    expect(texts).toEqual(['b', '', '', 'c', 'def', '', '', '', '', '', '', 'g 1234\n']);
    await session.close();
  });

  test('maxTokens and a stop token give out what was held back', async () => {
    const session = await scripted.session();
    expect(await collect(session.generate(from({ stop: ['de?'], maxTokens: 4 })))).toMatchObject({
      ...{ texts: ['b', 'c', '', 'de'], finish: 'length' },
    });
    const { tokens, texts, finish } = await collect(session.generate({ greedy: true, maxTokens: 99, stop: ['4\n?'] }));
    expect({ text: texts.at(-1), token: tokens.at(-1), finish }).toEqual({ text: '4\n', token: 0, finish: 'stop' });
    // The stop token is not part of the text.
    expect(session.length).toBe(13);
    await session.close();
  });

  test('found in any pieces that a text comes in, the earliest ends it', () => {
    const text = 'one two\n\nthree END';
    for (let size = 1; size <= text.length; size++) {
      const stopping = new StopStrings(['END', '\n\n', '\n\nthree']);
      let out = '';
      for (let at = 0; at < text.length; at += size) {
        const { text: given, stopped } = stopping.push(text.slice(at, at + size));
        out += given;
        if (stopped) break;
      }
      expect(out).toBe('one two');
    }
    const none = new StopStrings([]);
    expect(none.push('as it is')).toEqual({ text: 'as it is', stopped: false });
  });
});

describe('logits on the host', () => {
  const choices = [
    { greedy: true },
    { seed: 5, sampling: { temperature: 1.3, topP: 0.9, presencePenalty: 0.4, repetitionPenalty: 1.2 } },
  ] as const;

  test.each(choices)('looking at them changes no token and no state: $seed', async (choice) => {
    const options = { ...choice, maxTokens: 12 };
    const plain = await generate(options);
    const looked = await generate({ ...options, logprobs: 0, processors: [() => {}], bias: {} });
    expect(looked.tokens).toEqual(plain.tokens);
    expect(looked.saved).toEqual(plain.saved);
    expect(plain.pieces.every((piece) => !('logprobs' in piece))).toBe(true);
  });

  test('log probabilities are those of the model', async () => {
    const { pieces, tokens } = await generate({ seed: 3, maxTokens: 5, logprobs: 4, bias: { 65: 3 } });
    const prompt = [...new TextEncoder().encode('Once')];
    const nll = await model.nll([...prompt, ...tokens]);
    for (const [i, { logprobs }] of pieces.entries()) {
      expect(logprobs?.chosen).toBeCloseTo(-(nll[prompt.length - 1 + i] ?? 0), 12);
      expect(logprobs?.likeliest).toHaveLength(4);
      const { data } = await model.logits([...prompt, ...tokens.slice(0, i)], { rows: 'last' });
      const best = data.indexOf(Math.max(...data));
      expect(logprobs?.likeliest[0]?.token).toBe(best);
      const values = logprobs?.likeliest.map(({ logprob }) => logprob) ?? [];
      expect(values).toEqual(values.toSorted((a, b) => b - a));
    }
  });

  test('bias forces and forbids', async () => {
    expect((await generate({ greedy: true, maxTokens: 4, bias: { 33: 1000 } })).tokens).toEqual([33, 33, 33, 33]);
    const { tokens } = await generate({ greedy: true, maxTokens: 6 });
    const [first = -1] = tokens;
    for (const bias of [new Map([[first, Number.NEGATIVE_INFINITY]]), { [first]: -1e9 }]) {
      for (const choice of choices) {
        expect((await generate({ ...choice, maxTokens: 40, bias })).tokens).not.toContain(first);
      }
    }
  });

  test('processors act in order, each knowing what was made', async () => {
    const seen: unknown[] = [];
    const only =
      (...allowed: number[]): LogitsProcessor =>
      (logits, { tokens, length }) => {
        seen.push([[...tokens], length]);
        const next = allowed[tokens.length % allowed.length];
        logits.forEach((_, token) => {
          if (token !== next) logits[token] = Number.NEGATIVE_INFINITY;
        });
      };
    for (const choice of choices) {
      const { tokens, saved } = await generate({ ...choice, maxTokens: 3, processors: [typical(0.9999), only(7, 8)] });
      // What typical sampling leaves over may not hold the only token that is allowed.
      expect(tokens).toEqual([7, 8, 7]);
      expect(saved.length).toBe(7);
    }
    expect(seen.slice(0, 3)).toEqual([
      [[], 4],
      [[7], 5],
      [[7, 8], 6],
    ]);
  });

  test('left early or stopped, the session stands where it was left', async () => {
    const options = {
      seed: 9,
      maxTokens: 20,
      logprobs: 0,
      stopTokens: [],
      sampling: { presencePenalty: 0.5 },
    } as const;
    const whole = await generate(options);
    const stop = whole.tokens[6] ?? -1;
    const at = whole.tokens.indexOf(stop);
    const stopped = await generate({ ...options, stopTokens: [stop] });
    expect(stopped.tokens).toEqual(whole.tokens.slice(0, at));
    const { logprobs: _, ...plain } = options;
    expect(stopped.saved).toEqual((await generate({ ...plain, maxTokens: at })).saved);
  });

  test('a processor that fails, or leaves nothing to choose, leaves the session as it was', async () => {
    const session = await model.session();
    await session.prefill('Once');
    const saved = await session.save();
    const bad: [LogitsProcessor, unknown][] = [
      [(logits) => logits.fill(Number.NaN, 3, 4), code('BAD_LOGITS')],
      [(logits) => logits.fill(Number.POSITIVE_INFINITY), code('BAD_LOGITS')],
      [(logits) => logits.fill(Number.NEGATIVE_INFINITY), code('BAD_LOGITS')],
      [
        () => {
          throw new Error('grammar');
        },
        expect.objectContaining({ message: 'grammar' }),
      ],
    ];
    for (const [processor, error] of bad) {
      const generation = session.generate({ seed: 1, maxTokens: 3, processors: [processor] });
      await expect(generation.next()).rejects.toThrow(error as Error);
      expect(await session.save()).toEqual(saved);
    }
    await session.close();
  });
});

describe('typical', () => {
  const run = (mass: number, probabilities: readonly number[]) => {
    const logits = Float32Array.from(probabilities, (p) => Math.log(p) + 2);
    typical(mass)(logits, { tokens: [], length: 0 });
    return Array.from(logits.keys()).filter((token) => logits[token] !== Number.NEGATIVE_INFINITY);
  };

  test('keeps what is about as surprising as the whole', () => {
    // H = 1.206 nats; surprisals 0.69, 1.39, 2.08, 2.08: the second is nearest, then the first.
    expect(run(0.2, [0.5, 0.25, 0.125, 0.125])).toEqual([1]);
    expect(run(0.5, [0.5, 0.25, 0.125, 0.125])).toEqual([0, 1]);
    expect(run(0.8, [0.5, 0.25, 0.125, 0.125])).toEqual([0, 1, 2]);
    expect(run(1, [0.5, 0.25, 0.125, 0.125])).toEqual([0, 1, 2, 3]);
    expect(run(0.9, [1, 0, 0])).toEqual([0]);
  });

  test('refuses what is no mass', () => {
    for (const mass of [0, -1, 1.1, Number.NaN]) expect(() => typical(mass)).toThrow(code('BAD_SAMPLING'));
  });
});

test('wrong options are refused at once', async () => {
  const session = await model.session();
  const refused: [Partial<GenerateOptions>, string][] = [
    [{ stop: [''] }, 'BAD_OPTION'],
    [{ stop: 'x' as never }, 'BAD_OPTION'],
    [{ logprobs: -1 }, 'BAD_OPTION'],
    [{ logprobs: 101 }, 'BAD_OPTION'],
    [{ processors: [1 as never] }, 'BAD_OPTION'],
    [{ bias: { 256: 1 } }, 'TOKEN_OUT_OF_RANGE'],
    [{ bias: { x: 1 } as never }, 'TOKEN_OUT_OF_RANGE'],
    [{ bias: { 1: Number.NaN } }, 'BAD_OPTION'],
    [{ bias: { 1: Number.POSITIVE_INFINITY } }, 'BAD_OPTION'],
  ];
  for (const [options, name] of refused) {
    expect(() => session.generate({ maxTokens: 1, ...options })).toThrow(code(name));
  }
  await session.close();
  const ids = await load(randomModel(4, 97), { backend: reference() });
  const other = await ids.session();
  expect(() => other.generate({ maxTokens: 1, stop: ['x'] })).toThrow(code('NO_TOKENIZER'));
  await ids.close();
});
