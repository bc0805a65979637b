import { reference } from '@receptance/backend-reference';
import { bytesSource, openCheckpoint } from '@receptance/checkpoint';
import { type Backend, BackendUnavailableError, type Device } from '@receptance/core';
import { expect, test } from 'vitest';
import { load, ReceptanceError } from '../src/index.ts';
import { loadFile } from '../src/node.ts';
import { collect } from './support/collect.ts';
import { randomModel } from './support/models.ts';

const bytes = randomModel(4);
const backend = reference();
const code = (name: string) => expect.objectContaining({ code: name, hint: expect.any(String) });

test('every kind of source loads; an open checkpoint stays open', async () => {
  const checkpoint = await openCheckpoint(bytesSource(bytes));
  const logits: unknown[] = [];
  for (const source of [bytes, bytes.slice().buffer, new Blob([bytes.slice()]), bytesSource(bytes), checkpoint]) {
    const model = await load(source, { backend });
    logits.push((await model.logits('abc')).data);
    await model.close();
  }
  for (const each of logits) expect(each).toEqual(logits[0]);
  expect(await checkpoint.read('ln_out.bias')).toHaveLength(64);
});

test('loading tells what it does', async () => {
  const seen = new Map<string, number>();
  const model = await load(bytes, { backend, onProgress: ({ what, done, total }) => seen.set(what, done / total) });
  expect(Object.fromEntries(seen)).toEqual({ 'reading the header': 1, 'loading weights': 1, compiling: 1 });
  expect(model).toMatchObject({ architecture: 'rwkv7', layers: 2, width: 16, vocabularySize: 256, maxSequences: 4 });
  const { sessionBytes, stateBytes } = model.memory;
  expect(sessionBytes).toBe(2 * 8 * (2 * (16 + 16 + 2 * 8 * 8) + 256));
  expect(stateBytes).toBe(4.5 * sessionBytes);
  await model.close();
});

test('loading refuses what it cannot load', async () => {
  await expect(load('model.pth' as never, { backend })).rejects.toThrow(code('BAD_SOURCE'));
  await expect(load(undefined as never, { backend })).rejects.toThrow(code('BAD_SOURCE'));
  await expect(load(bytes, {} as never)).rejects.toThrow(code('BAD_OPTION'));
  await expect(load(bytes, { backend, maxSequences: 0 })).rejects.toThrow(code('BAD_OPTION'));
  await expect(load(bytes, { backend, chunk: 1.5 })).rejects.toThrow(code('BAD_OPTION'));
  await expect(load(bytes.slice(0, 5000), { backend })).rejects.toThrow(code('TRUNCATED_FILE'));
  await expect(load(new Uint8Array(100), { backend })).rejects.toThrow(code('NOT_A_CHECKPOINT'));
  await expect(loadFile('no-such-file.pth', { backend })).rejects.toThrow(code('FILE_NOT_FOUND'));
});

test('of a list of backends the first that opens is taken, and why others are not is told', async () => {
  const none = (reason: string): Backend => ({
    ...backend,
    name: 'none',
    open: () => Promise.reject(new BackendUnavailableError('none', reason, { hint: 'get one' })),
  });
  const told: string[] = [];
  const onUnavailable = ({ message }: BackendUnavailableError): number => told.push(message);
  const model = await load(bytes, { backend: [none('no GPU'), backend], onUnavailable });
  expect(model.device.backend).toBe('reference');
  expect(told).toEqual(['backend none is not available: no GPU']);
  await model.close();
  await expect(load(bytes, { backend: [none('no GPU'), none('no driver')] })).rejects.toMatchObject({
    code: 'BACKEND_UNAVAILABLE',
    message: expect.stringMatching(/no GPU.*no driver/),
    hint: 'get one',
  });
  await expect(load(bytes, { backend: [] })).rejects.toThrow(code('BAD_OPTION'));
  const broken: Backend = { ...backend, open: () => Promise.reject(new Error('a bug')) };
  await expect(load(bytes, { backend: [broken, backend] })).rejects.toThrow('a bug');
});

test('an abort or a failure while loading closes what was opened', async () => {
  let open = 0;
  const opening = (signal?: AbortController): Backend => ({
    ...backend,
    async open() {
      const device: Device = await backend.open();
      open++;
      signal?.abort(new Error('never mind'));
      device.close = async () => {
        open--;
      };
      return device;
    },
  });
  const abort = new AbortController();
  await expect(load(bytes, { backend: opening(abort), signal: abort.signal })).rejects.toThrow('never mind');
  expect(open).toBe(0);
  const nan = bytes.slice();
  nan.fill(255, nan.length - 4);
  await expect(load(nan, { backend: opening() })).rejects.toThrow(code('NOT_FINITE'));
  expect(open).toBe(0);
});

test('tokens and text that the model has not are refused before anything runs', async () => {
  const model = await load(bytes, { backend });
  const session = await model.session();
  for (const token of [-1, 256, 0.5, Number.NaN]) {
    await expect(session.prefill([65, token])).rejects.toThrow(code('TOKEN_OUT_OF_RANGE'));
    await expect(model.logits([token])).rejects.toThrow(code('TOKEN_OUT_OF_RANGE'));
    expect(() => session.generate({ prompt: [token], maxTokens: 1 })).toThrow(code('TOKEN_OUT_OF_RANGE'));
    expect(() => session.generate({ stopTokens: [token], maxTokens: 1 })).toThrow(code('TOKEN_OUT_OF_RANGE'));
  }
  for (const prompt of [5, true, null, {}, { length: 'long' }] as never[]) {
    await expect(session.prefill(prompt)).rejects.toThrow(code('BAD_OPTION'));
    await expect(model.logits(prompt)).rejects.toThrow(code('BAD_OPTION'));
    expect(() => session.generate({ prompt, maxTokens: 1 })).toThrow(code('BAD_OPTION'));
  }
  for (const maxTokens of [-1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY]) {
    expect(() => session.generate({ maxTokens })).toThrow(code('BAD_OPTION'));
  }
  for (const stepsPerRun of [0, 65, 1.5]) {
    expect(() => session.generate({ maxTokens: 1, stepsPerRun })).toThrow(code('BAD_OPTION'));
  }
  expect(session.length).toBe(0);
  await model.close();
});

test('a model without a tokenizer takes ids, and says what it needs for text', async () => {
  const model = await load(randomModel(4, 97), { backend });
  expect(model.tokenizer).toBeUndefined();
  const session = await model.session();
  await expect(session.prefill('text')).rejects.toThrow(code('NO_TOKENIZER'));
  await expect(model.logits('text')).rejects.toThrow(code('NO_TOKENIZER'));
  expect(() => session.generate({ prompt: 'text', maxTokens: 1 })).toThrow(code('NO_TOKENIZER'));
  await expect(session.decode()).rejects.toThrow(code('EMPTY_TEXT'));
  await expect(collect(session.generate({ maxTokens: 1 }))).rejects.toThrow(code('EMPTY_TEXT'));
  await model.close();
});

test('sessions are as many as were asked for', async () => {
  const model = await load(bytes, { backend, maxSequences: 2 });
  const [a] = [await model.session(), await model.session()];
  await expect(model.session()).rejects.toThrow(code('NO_FREE_SLOT'));
  await expect(a?.fork()).rejects.toThrow(code('NO_FREE_SLOT'));
  await a?.close();
  expect((await model.session()).length).toBe(0);
  await model.close();
});

test('a state is held against the model before it is written', async () => {
  const [model, other] = [await load(bytes, { backend }), await load(randomModel(4, 97), { backend })];
  const [session, foreign] = [await model.session(), await other.session()];
  await session.prefill('text');
  const saved = await session.save();
  const { 'state.0.att_xx': first, ...fewer } = saved.tensors;
  const shape = first?.shape ?? [];
  const wrong = [
    { ...saved, version: 2 },
    { ...saved, architecture: 'rwkv6' },
    { ...saved, length: 2 },
    { ...saved, tail: [1, 2, 3, 256] },
    { ...saved, tail: undefined },
    { ...saved, tensors: fewer },
    { ...saved, tensors: { ...saved.tensors, 'state.2.att_xx': first } },
    { ...saved, tensors: { ...fewer, 'state.0.att_xx': { shape: [8, 2], data: first?.data } } },
    { ...saved, tensors: { ...fewer, 'state.0.att_xx': { shape, data: new Float32Array(15) } } },
    { ...saved, tensors: { ...fewer, 'state.0.att_xx': { shape, data: 'sixteen numbers.' } } },
    { ...saved, tensors: { ...fewer, 'state.0.att_xx': null } },
    { ...saved, tensors: { ...fewer, 'state.0.att_xx': { shape, data: new Float32Array(16).fill(Number.NaN) } } },
    undefined,
  ];
  for (const state of wrong) await expect(session.restore(state as never)).rejects.toThrow(code('STATE_MISMATCH'));
  await expect(foreign.restore(saved)).rejects.toThrow(code('STATE_MISMATCH'));
  expect(await session.save()).toEqual(saved);
  await Promise.all([model.close(), other.close()]);
});

test('what is closed says so', async () => {
  const model = await load(bytes, { backend });
  const session = await model.session();
  const generation = session.generate({ prompt: 'a', maxTokens: 9, seed: 1, stopTokens: [], stepsPerRun: 4 });
  await generation.next();
  await session.close();
  await expect(generation.next()).rejects.toThrow(code('SESSION_CLOSED'));
  await expect(session.prefill('a')).rejects.toThrow(code('SESSION_CLOSED'));
  await expect(session.save()).rejects.toThrow(code('SESSION_CLOSED'));
  expect(() => session.generate({ maxTokens: 1 })).toThrow(code('SESSION_CLOSED'));
  const open = await model.session();
  await model.close();
  await model.close();
  await expect(model.session()).rejects.toThrow(code('MODEL_CLOSED'));
  await expect(model.logits('a')).rejects.toThrow(code('MODEL_CLOSED'));
  await expect(model.nll('a')).rejects.toThrow(code('MODEL_CLOSED'));
  await expect(open.decode()).rejects.toThrow(code('SESSION_CLOSED'));
});

test('a run that fails leaves the session as it was; when that fails too, the session says so', async () => {
  let failing: 'nothing' | 'runs' | 'everything' = 'nothing';
  const model = await load(bytes, {
    backend: {
      ...backend,
      async open() {
        const device = await backend.open();
        const [run, copy] = [device.run.bind(device), device.copy.bind(device)];
        device.run = async (...args) => {
          await run(...args);
          if (failing !== 'nothing') throw new Error('device lost');
        };
        device.copy = (...args) => {
          if (failing === 'everything') throw new Error('device gone');
          copy(...args);
        };
        return device;
      },
    },
  });
  const session = await model.session();
  await session.prefill('text');
  const saved = await session.save();
  failing = 'runs';
  await expect(session.decode({ greedy: true })).rejects.toThrow('device lost');
  await expect(session.prefill('more')).rejects.toThrow('device lost');
  failing = 'nothing';
  expect(await session.save()).toEqual(saved);
  const generation = session.generate({ greedy: true, maxTokens: 8, stepsPerRun: 8 });
  await generation.next();
  failing = 'everything';
  await expect(session.save()).rejects.toThrow('device gone');
  failing = 'nothing';
  await expect(session.save()).rejects.toThrow(code('SESSION_FAILED'));
  expect(ReceptanceError.isInstance(await session.save().catch((error: unknown) => error))).toBe(true);
  await model.close();
});
