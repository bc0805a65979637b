import { reference } from '@receptance/backend-reference';
import { wasm } from '@receptance/backend-wasm';
import { bytesSource, openSafetensors, writeSafetensors } from '@receptance/checkpoint';
import { afterAll, expect, test } from 'vitest';
import { load, loadState, type SavedState, saveState } from '../src/index.ts';
import { loadFile } from '../src/node.ts';
import { collect } from './support/collect.ts';
import { goldenModel, goldenTensors } from './support/golden.ts';
import { randomModel } from './support/models.ts';

const code = (name: string) => expect.objectContaining({ code: name, hint: expect.any(String) });
const bytes = randomModel(6);
const model = await load(bytes, { backend: reference() });
afterAll(() => model.close());

async function stateOf(prompt: string): Promise<SavedState> {
  const session = await model.session();
  await collect(session.generate({ prompt, seed: 1, maxTokens: 5, stopTokens: [] }));
  const saved = await session.save();
  await session.close();
  return saved;
}

test.each(['rwkv4_l3_c64_v97', 'rwkv6_l2_c128_v97', 'rwkv7_l2_c128_v97'])(
  '%s: a state saved on one backend goes on in another as the outside implementation goes on',
  async (name) => {
    const file = goldenModel(`${name}.safetensors`);
    const [expected, a] = [await goldenTensors(name), await loadFile(file, { backend: reference() })];
    const prompt = await expected('prompt');
    const greedy = await expected('greedy');
    const session = await a.session();
    await session.prefill(prompt);
    const half = await collect(session.generate({ greedy: true, maxTokens: 8 }));
    const bytes = saveState(await session.save());
    await a.close();

    const b = await loadFile(file, { backend: wasm() });
    expect(b.fingerprint).toBe(a.fingerprint);
    const other = await b.session();
    await other.restore(await loadState(bytes));
    expect(other.length).toBe(prompt.length + 8);
    const rest = await collect(other.generate({ greedy: true, maxTokens: 8 }));
    expect([...half.tokens, ...rest.tokens]).toEqual(greedy);
    await b.close();
  },
);

test('the file holds the state in f32 under its names, and says what it is of', async () => {
  const saved = await stateOf('Once');
  const file = await openSafetensors(bytesSource(saveState(saved)));
  expect([...file.tensors.keys()].sort()).toEqual(Object.keys(saved.tensors).sort());
  expect([...file.tensors.values()].every(({ dtype }) => dtype === 'f32')).toBe(true);
  expect(file.metadata).toEqual({
    ...{ format: 'receptance.state', version: '1', architecture: 'rwkv7', vocabulary: '256', layers: '2' },
    ...{ width: '16', length: '9', tail: saved.tail.join(' '), fingerprint: model.fingerprint },
  });
  const read = await loadState(saveState(saved));
  for (const [name, { shape, data }] of Object.entries(saved.tensors)) {
    expect(read.tensors[name]).toEqual({ shape, data: Float32Array.from(data) });
  }
  expect({ ...read, tensors: {} }).toEqual({ ...saved, tensors: {} });
  expect(saveState(read)).toEqual(saveState(saved));
});

test('an empty text is saved and restored', async () => {
  const session = await model.session();
  const read = await loadState(saveState(await session.save()));
  expect(read).toMatchObject({ length: 0, tail: [] });
  await session.prefill('text');
  await session.restore(read);
  expect(session.length).toBe(0);
  await session.close();
});

test('a state of other weights is taken by force alone, of another shape never', async () => {
  const saved = await loadState(saveState(await stateOf('Twice')));
  const trained = await load(randomModel(7), { backend: reference() });
  expect(trained.fingerprint).not.toBe(model.fingerprint);
  const session = await trained.session();
  await expect(session.restore(saved)).rejects.toThrow(code('STATE_OF_OTHER_WEIGHTS'));
  expect(session.length).toBe(0);
  await session.restore(saved, { force: true });
  expect(session.length).toBe(10);
  for (const other of [{ layers: 3 }, { width: 32 }, { architecture: 'rwkv6' }, { vocabularySize: 97 }]) {
    await expect(session.restore({ ...saved, ...other }, { force: true })).rejects.toThrow(code('STATE_MISMATCH'));
  }
  await trained.close();
});

test('the fingerprint is of the file, not of how it is read, and sees one number changed at the end of a tensor', async () => {
  const changed = bytes.slice();
  const at = changed.length - 1;
  changed[at] = (changed[at] ?? 0) ^ 1;
  const fingerprints = new Set<string>();
  for (const backend of [reference(), wasm()]) {
    for (const file of [bytes, changed]) {
      const each = await load(file, { backend });
      fingerprints.add(each.fingerprint);
      await each.close();
    }
  }
  expect([...fingerprints]).toEqual([model.fingerprint, expect.stringMatching(/^[0-9a-f]{16}$/)]);
});

test('the fingerprint costs no reading of its own', async () => {
  const file = await openSafetensors(bytesSource(bytes));
  const { metadata: _, ...weights } = file;
  for (const backend of [reference(), wasm()]) {
    const reads = new Map<string, number>();
    const read: typeof file.read = async (name, ...rest) => {
      const part = await file.read(name, ...rest);
      reads.set(name, (reads.get(name) ?? 0) + part.length);
      return part;
    };
    const each = await load({ ...weights, read }, { backend });
    expect(each.fingerprint).toBe(model.fingerprint);
    for (const [name, count] of reads) expect([name, count]).toEqual([name, file.tensors.get(name)?.bytes]);
    await each.close();
  }
});

test('the fingerprint is the one that is documented', async () => {
  const golden = await loadFile(goldenModel('rwkv7_l2_c128_v97.safetensors'), { backend: wasm() });
  // Computed from docs/guide/state.md by another program.
  expect(golden.fingerprint).toBe('4d4c5643ad9ac5eb');
  await golden.close();
});

test('files that are no states, or damaged ones, are refused', async () => {
  const saved = await stateOf('Once');
  const good = saveState(saved);
  for (const length of [0, 7, 100, good.length - 1]) {
    await expect(loadState(good.slice(0, length)), `${length} bytes`).rejects.toThrow(
      expect.objectContaining({ code: expect.stringMatching(/TRUNCATED_FILE|NOT_A_CHECKPOINT|BAD_HEADER|BAD_TENSOR/) }),
    );
  }
  await expect(loadState(bytes)).rejects.toThrow(code('BAD_STATE_FILE'));

  const { metadata } = await openSafetensors(bytesSource(good));
  const tensor = { name: 'state.0.att_xx', dtype: 'f32', shape: [1], data: new Uint8Array(4) } as const;
  const file = (parts: object, change: object = {}) =>
    writeSafetensors([{ ...tensor, ...parts }], { ...metadata, ...change });
  expect((await loadState(file({}))).tensors).toEqual({ 'state.0.att_xx': { shape: [1], data: new Float32Array(1) } });
  const bad = [
    ...[{ version: '2' }, { format: 'x' }, { length: '-1' }, { length: '9e99' }, { width: '' }, { tail: '1 x' }].map(
      (change) => file({}, change),
    ),
    file({ name: 'state.x.att_xx' }),
    file({ name: 'emb.weight' }),
    file({ dtype: 'f16', data: new Uint8Array(2) }),
    file({ data: new Uint8Array(4).fill(255) }),
  ];
  for (const each of bad) await expect(loadState(each)).rejects.toThrow(code('BAD_STATE_FILE'));

  const large = { ...saved, tensors: { 'sample.counts': { shape: [1], data: Float64Array.of(1e300) } } };
  expect(() => saveState(large)).toThrow(code('BAD_STATE_FILE'));
  expect(() => saveState({ ...saved, version: 2 as never })).toThrow(code('BAD_STATE_FILE'));
  expect(() => saveState({ ...saved, tensors: { x: { shape: [0], data: new Float32Array() } } })).toThrow(
    code('BAD_STATE_FILE'),
  );
});

test('a file that says one thing and holds another does not fit any model', async () => {
  const session = await model.session();
  const saved = await stateOf('Once');
  const wrong = [
    { ...saved, tensors: {} },
    { ...saved, tail: [] },
    { ...saved, tail: [1, 2, 3, 999] },
    { ...saved, length: 1 },
    { ...saved, tensors: { ...saved.tensors, 'state.7.att_xx': { shape: [16], data: new Float32Array(16) } } },
  ];
  for (const each of wrong) {
    await expect(session.restore(await loadState(saveState(each)))).rejects.toThrow(code('STATE_MISMATCH'));
  }
  await session.close();
});
