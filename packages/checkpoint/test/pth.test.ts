import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource, openCheckpoint } from '../src/index.ts';
import { dict, pickle, string, type TensorToPickle, tensor } from './support/pickle.ts';
import { fixture, openBytes, readAll, refusal } from './support/sources.ts';
import { pth } from './support/zip.ts';

function one(description: TensorToPickle, storage: Uint8Array): Uint8Array {
  return pth(pickle(dict([string('w'), tensor(description)])), { 0: storage });
}

describe('.pth of PyTorch', () => {
  it('gives views, strides, offsets and shared storages as contiguous tensors', async () => {
    const views = await openBytes(fixture('views.pth'));
    const plain = await openBytes(fixture('views.safetensors'));
    expect(new Set(views.tensors.keys())).toEqual(new Set(plain.tensors.keys()));
    for (const [name, info] of plain.tensors) {
      expect(views.tensors.get(name), name).toEqual(info);
      expect(await views.read(name), name).toEqual(await plain.read(name));
    }
  });

  it('gives any range of any view', async () => {
    const views = await openBytes(fixture('views.pth'));
    for (const [name, { bytes }] of views.tensors) {
      const whole = await views.read(name);
      await fc.assert(
        fc.asyncProperty(fc.nat(bytes), fc.nat(bytes), async (a, b) => {
          const range = { start: Math.min(a, b), end: Math.max(a, b) };
          expect(await views.read(name, range), name).toEqual(whole.slice(range.start, range.end));
        }),
        { numRuns: 50 },
      );
    }
  });

  it('may keep the weights under state_dict, beside other things', async () => {
    const checkpoint = await openBytes(fixture('nested.pth'));
    expect([...checkpoint.tensors]).toEqual([
      ['emb.weight', { dtype: 'f32', shape: [3, 2], bytes: 24 }],
      ['blocks.0.att.x_r', { dtype: 'f32', shape: [1, 1, 2], bytes: 8 }],
    ]);
    expect(checkpoint.metadata).toEqual({});
  });

  it.each([
    ['module.pth', ['0.weight', '0.bias', '1.weight', '1.bias']],
    ['pairs.pth', ['emb.weight', 'blocks.0.att.x_r']],
    ['without_checksums.pth', ['emb.weight', 'blocks.0.att.x_r']],
  ])('%s is read', async (name, tensors) => {
    expect([...(await readAll(bytesSource(fixture(name)))).keys()]).toEqual(tensors);
  });

  it.each([
    ['evil.pth', 'UNSAFE_PICKLE', /asks for "posix\.system"/],
    ['long.pth', 'UNSUPPORTED_DTYPE', /tensor "count" is of type torch\.LongStorage/],
    ['float8.pth', 'UNSUPPORTED_DTYPE', /tensor "w" is of type torch\.float8_e4m3fn/],
    ['negated.pth', 'UNSAFE_PICKLE', /further properties/],
    ['bare.pth', 'NOT_A_CHECKPOINT', /without a name/],
    ['protocol4.pth', 'UNSUPPORTED_FORMAT', /protocol 4/],
  ])('%s is refused', async (name, code, message) => {
    const error = await refusal(openBytes(fixture(name), 'model.pth'));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^model\.pth: /);
    expect(error.hint).toBeTruthy();
  });
});

it('a .pth is opened without its weights', async () => {
  const path = new URL('../../conformance/golden/models/rwkv7_l2_c128_v97.pth', import.meta.url);
  const bytes = new Uint8Array(readFileSync(path));
  const source = bytesSource(bytes);
  let asked = 0;
  const read: typeof source.read = (start, end, ...rest) => {
    asked += end - start;
    return source.read(start, end, ...rest);
  };
  const checkpoint = await openCheckpoint({ ...source, read });
  // The end of a zip is looked for in 64 KiB; then there are the directory, the pickle, and the header of each storage.
  expect(asked).toBeLessThan(2 ** 16 + 300 * checkpoint.tensors.size);
  expect(bytes.length).toBeGreaterThan(20 * asked);
});

describe('a tensor in a .pth', () => {
  const storage = new Uint8Array(24);

  it.each<[string, TensorToPickle, string]>([
    ['reaches beyond its storage', { length: 6, shape: [7], strides: [1] }, 'BAD_TENSOR'],
    ['begins beyond its storage', { length: 6, offset: 6, shape: [1], strides: [1] }, 'BAD_TENSOR'],
    ['strides beyond its storage', { length: 6, shape: [2, 2], strides: [5, 1] }, 'BAD_TENSOR'],
    ['has a stride of 2^53 - 1', { length: 6, shape: [2, 3], strides: [2 ** 53 - 1, 1] }, 'BAD_TENSOR'],
    ['repeats one number 2^52 times', { length: 6, shape: [2 ** 52], strides: [0] }, 'BAD_TENSOR'],
    ['repeats one number 2^106 times', { length: 6, shape: [2 ** 53 - 1, 2 ** 53 - 1], strides: [0, 0] }, 'BAD_TENSOR'],
    ['is larger than the file', { length: 6, shape: [1000, 6], strides: [0, 1] }, 'BAD_TENSOR'],
    ['has a storage that is not there', { key: '1', length: 6, shape: [6], strides: [1] }, 'BAD_TENSOR'],
    ['has a storage outside of data/', { key: '../data.pkl', length: 6, shape: [6], strides: [1] }, 'BAD_TENSOR'],
    ['says its storage is longer', { length: 2 ** 50, shape: [6], strides: [1] }, 'BAD_TENSOR'],
    ['says its storage is shorter', { length: 5, shape: [5], strides: [1] }, 'BAD_TENSOR'],
    ['has fewer strides than sizes', { length: 6, shape: [2, 3], strides: [1] }, 'BAD_PICKLE'],
    ['has a negative size', { length: 6, shape: [-1], strides: [1] }, 'BAD_PICKLE'],
    ['has a negative stride', { length: 6, shape: [2], strides: [-1] }, 'BAD_PICKLE'],
    ['has a negative offset', { length: 6, offset: -1, shape: [2], strides: [1] }, 'BAD_PICKLE'],
    ['has a size beyond 2^53', { length: 6, shape: [2n ** 60n], strides: [1] }, 'BAD_PICKLE'],
    ['has a length beyond 2^53', { length: 2n ** 62n, shape: [6], strides: [1] }, 'BAD_PICKLE'],
    [
      'is of a complex type',
      { storage: 'ComplexFloatStorage', length: 3, shape: [3], strides: [1] },
      'UNSUPPORTED_DTYPE',
    ],
    ['is of a quantised type', { storage: 'QInt8Storage', length: 24, shape: [24], strides: [1] }, 'UNSAFE_PICKLE'],
  ])('that %s is refused', async (_what, description, code) => {
    const error = await refusal(openBytes(one(description, storage)));
    expect(error.code).toBe(code);
    if (code.endsWith('TENSOR') || code.endsWith('DTYPE')) expect(error.message).toContain('tensor "w"');
  });

  it.each<[string, TensorToPickle, number]>([
    ['is empty', { length: 6, offset: 6, shape: [0, 5], strides: [5, 1] }, 0],
    [
      'is empty with sizes too large to multiply',
      { length: 6, shape: [2 ** 53 - 1, 2 ** 53 - 1, 0], strides: [1, 1, 1] },
      0,
    ],
    ['has no axes', { length: 6, offset: 5, shape: [], strides: [] }, 4],
    ['has any stride on axes of one', { length: 6, shape: [1, 6, 1], strides: [2 ** 53 - 1, 1, 77] }, 24],
    ['repeats rows', { length: 6, shape: [2, 6], strides: [0, 1] }, 48],
    [
      'has 60 axes',
      { length: 6, shape: [...new Array<number>(59).fill(1), 6], strides: new Array<number>(60).fill(1) },
      24,
    ],
  ])('may be one that %s', async (_what, description, bytes) => {
    expect((await readAll(bytesSource(one(description, storage)))).get('w')?.length).toBe(bytes);
  });

  it('is not read a thousand times over by a thousand names', async () => {
    const big = new Uint8Array(200_000);
    const view = tensor({ length: 50_000, shape: [50_000], strides: [1] });
    const names = Array.from({ length: 20 }, (_, i) => [string(`w${i}`), view] as const);
    const error = await refusal(openBytes(pth(pickle(dict(...names)), { 0: big })));
    expect(error.code).toBe('BAD_TENSOR');
    const tied = await openBytes(pth(pickle(dict(...names.slice(0, 2))), { 0: big }));
    expect(tied.tensors.size).toBe(2);
  });
});
