import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { described, gguf, value } from './support/gguf.ts';
import * as ops from './support/pickle.ts';
import { dict, get, global, integer, type Ops, pickle, put, string, tensor, tuple } from './support/pickle.ts';
import { fixture, survive, surviveOpening } from './support/sources.ts';
import { pth, u32, u64, utf8 } from './support/zip.ts';

const w = tensor({ length: 2, shape: [2], strides: [1] });
const storages = { 0: new Uint8Array(8) };
const wide = pth(pickle(dict([string('w'), w])), storages, { zip64: true });
const LETTERS = ['a', 'b', '\\x00'];

/** A small file with a tensor of every form, blocks, and a vocabulary. */
const small = gguf({
  metadata: [
    ...described('rwkv6', 3),
    value.u32('rwkv6.rescale_every_n_layers', 1),
    value.string('tokenizer.ggml.model', 'rwkv'),
    value.strings('tokenizer.ggml.tokens', LETTERS),
    value.raw('tokenizer.ggml.token_type', 9, [...u32(5), ...u64(3), ...LETTERS.flatMap(() => u32(1))]),
  ],
  tensors: [
    { name: 'token_embd.weight', shape: [2, 32], type: 8, data: new Uint8Array(68).fill(1) },
    { name: 'blk.0.time_mix_lerp_fused.weight', shape: [5, 1, 1, 2], data: new Uint8Array(40) },
    { name: 'blk.1.time_mix_w1.weight', shape: [3, 2], data: new Uint8Array(24).fill(2) },
    { name: 'blk.1.time_mix_w2.weight', shape: [1, 32], type: 2, data: new Uint8Array(18).fill(3) },
    { name: 'blk.1.time_mix_first.weight', shape: [1, 2], data: new Uint8Array(8) },
    { name: 'blk.2.channel_mix_value.weight', shape: [1, 256], type: 14, data: new Uint8Array(210).fill(17) },
    { name: 'blk.2.time_mix_output.weight', shape: [2, 8], type: 1, data: new Uint8Array(32).fill(9) },
  ],
});

const files: readonly (readonly [string, Uint8Array])[] = [
  ...['views.pth', 'nested.pth', 'module.pth', 'official.safetensors'].map((name) => [name, fixture(name)] as const),
  ['ZIP64', wide],
  ['GGUF', small],
];

describe.each(files)('%s', (_name, bytes) => {
  it('is whole', async () => {
    expect(await survive(bytes)).toBeUndefined();
  });

  it('is refused when cut at any length', async () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(await survive(bytes.subarray(0, length)), `${length}`).toMatch(
        /TRUNCATED_FILE|NOT_A_CHECKPOINT|BAD_HEADER/,
      );
    }
  });

  it('is read or refused with any byte changed', async () => {
    const changed = bytes.slice();
    for (const [at, byte] of bytes.entries()) {
      for (const value of [byte ^ 1, byte ^ 0x80, 0xff]) {
        changed[at] = value;
        await survive(changed);
      }
      changed[at] = byte;
    }
  }, 120_000);

  it('is read or refused with parts changed, moved and left out', async () => {
    const part = fc.record({
      from: fc.nat(bytes.length),
      to: fc.nat(bytes.length),
      length: fc.nat(64),
      fill: fc.option(fc.nat(255)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 8 }), fc.boolean(), async (parts, leaveOut) => {
        const changed = bytes.slice();
        for (const { from, to, length, fill } of parts) {
          if (fill === null) changed.copyWithin(to, from, from + length);
          else changed.fill(fill, to, to + length);
        }
        const [{ from, length } = { from: 0, length: 0 }] = parts;
        const rest = [...changed.subarray(0, from), ...changed.subarray(from + length)];
        await survive(leaveOut ? Uint8Array.from(rest) : changed);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('garbage', () => {
  const garbage = fc.uint8Array({ maxLength: 300 });

  it.each([
    ['alone', []],
    ['after the beginning of a zip', [0x50, 0x4b, 3, 4]],
    ['after the beginning of a GGUF file', [0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0]],
    ['after the beginning of a .safetensors', [40, 0, 0, 0, 0, 0, 0, 0, 0x7b]],
  ])('%s is refused', async (_what, start) => {
    await fc.assert(
      fc.asyncProperty(garbage, async (bytes) => {
        expect(await survive(Uint8Array.from([...start, ...bytes]))).toBeDefined();
      }),
      { numRuns: 1000 },
    );
  });

  it('as a pickle is refused', async () => {
    await fc.assert(
      fc.asyncProperty(garbage, async (bytes) => {
        expect(await survive(pth(Uint8Array.from([0x80, 2, ...bytes]), storages))).toBeDefined();
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what only looks right', () => {
  it('as a pickle is read or refused', async () => {
    const number = fc.oneof(
      fc.nat(8),
      fc.constantFrom(255, 65536, 2 ** 31, 2 ** 40, 2 ** 53 - 1),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    );
    const numbers = fc.array(number, { maxLength: 3 });
    const anyTensor = fc
      .record({ length: number, offset: number, shape: numbers, strides: numbers, key: fc.constantFrom('0', '1') })
      .map(tensor);
    const operation = fc.oneof<fc.Arbitrary<Ops>[]>(
      fc.constantFrom(
        ops.MARK,
        ops.NONE,
        ops.EMPTY_TUPLE,
        ops.EMPTY_DICT,
        ops.EMPTY_LIST,
        ops.TUPLE,
        ops.APPEND,
        ops.APPENDS,
      ),
      fc.constantFrom(ops.SETITEM, ops.SETITEMS, ops.REDUCE, ops.BUILD, ops.PERSID, dict(), tuple(), w),
      fc.nat(3).map(put),
      fc.nat(3).map(get),
      number.map(integer),
      fc.string({ maxLength: 3 }).map(string),
      fc.constantFrom('OrderedDict').map((name) => global('collections', name)),
      fc.constantFrom('FloatStorage', 'LongStorage').map((name) => global('torch', name)),
      anyTensor,
      anyTensor.map((value) => dict([string('w'), value])),
    );
    const codes = new Set<string | undefined>();
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 12 }), async (operations) => {
        codes.add(await survive(pth(pickle(...operations), storages)));
      }),
      { numRuns: 3000 },
    );
    for (const code of ['BAD_PICKLE', 'NOT_A_CHECKPOINT']) expect(codes).toContain(code);
  });

  it('as a tensor is read or refused', async () => {
    const number = fc.oneof(fc.nat(3), fc.constantFrom(2 ** 31, 2 ** 40, 2 ** 53 - 1));
    const axes = fc.array(fc.tuple(fc.nat(3), fc.oneof({ weight: 5, arbitrary: fc.nat(2) }, number)), { maxLength: 3 });
    const length = fc.oneof({ weight: 5, arbitrary: fc.constant(2) }, number);
    const codes = new Set<string | undefined>();
    await fc.assert(
      fc.asyncProperty(length, fc.nat(2), axes, async (numbers, offset, view) => {
        const shape = view.map(([size]) => size);
        const strides = view.map(([, stride]) => stride);
        const value = dict([string('w'), tensor({ length: numbers, offset, shape, strides })]);
        codes.add(await survive(pth(pickle(value), storages)));
      }),
      { numRuns: 2000 },
    );
    expect(codes).toEqual(new Set([undefined, 'BAD_TENSOR']));
  });

  it('as a header is read or refused', async () => {
    const number = fc.oneof(fc.nat(8), fc.constantFrom(-1, 0.5, 2 ** 53, 1e300, 2 ** 32), fc.maxSafeNat());
    const entry = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom('F32', 'F16', 'F64', 'I64', '__proto__'), fc.jsonValue()),
        shape: fc.oneof(fc.array(number, { maxLength: 3 }), fc.jsonValue()),
        data_offsets: fc.oneof(fc.array(number, { minLength: 2, maxLength: 2 }), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const header = fc.dictionary(
      fc.constantFrom('a', 'b', '__metadata__', 'constructor'),
      fc.oneof(entry, fc.jsonValue()),
    );
    const codes = new Set<string | undefined>();
    await fc.assert(
      fc.asyncProperty(
        header,
        fc.nat(32),
        fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
        async (value, data, length) => {
          const text = utf8(JSON.stringify(value));
          codes.add(await survive(Uint8Array.from([...u64(length ?? text.length), ...text, ...new Uint8Array(data)])));
        },
      ),
      { numRuns: 3000 },
    );
    for (const code of ['BAD_HEADER', 'UNSUPPORTED_DTYPE']) expect(codes).toContain(code);
  });

  it('as a GGUF tensor is read or refused', async () => {
    const size = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(1, 2, 4, 32, 256) },
      { weight: 1, arbitrary: fc.constantFrom(0n, 2n ** 32n, 2n ** 53n, 2n ** 64n - 1n) },
    );
    const name = fc.constantFrom(
      ...['time_mix_lerp_fused', 'time_mix_w1', 'time_mix_w2', 'time_mix_first', 'time_mix_output', 'time_mix_decay'],
    );
    const tensor = fc.record({
      name: fc.tuple(fc.nat(3), name).map(([layer, rest]) => `blk.${layer}.${rest}.weight`),
      shape: fc.array(size, { maxLength: 5 }),
      type: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(0, 1, 2, 8, 14, 30) },
        { weight: 1, arbitrary: fc.nat(40) },
      ),
      data: fc.constantFrom(new Uint8Array(64), new Uint8Array(1024).fill(60)),
    });
    const number = fc.oneof(fc.nat(4), fc.constantFrom(2 ** 31, 2 ** 32 - 1));
    const codes = new Set<string | undefined>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(tensor, { maxLength: 3 }),
        number,
        number,
        number,
        async (tensors, layers, size, every) => {
          const metadata = [...described('rwkv6', layers, size), value.u32('rwkv6.rescale_every_n_layers', every)];
          codes.add(await survive(gguf({ metadata, tensors })));
        },
      ),
      { numRuns: 3000 },
    );
    for (const code of [
      undefined,
      'BAD_TENSOR',
      'BAD_HEADER',
      'UNSUPPORTED_DTYPE',
      'UNSUPPORTED_FORMAT',
      'TRUNCATED_FILE',
    ]) {
      expect(codes).toContain(code);
    }
  });
});

describe.each(['rwkv7_l2_c256_v97.q4_k.gguf', 'rwkv7_l2_c128_tok_v600.f16.gguf'])('the header of %s', (name) => {
  const bytes = new Uint8Array(readFileSync(new URL(`../../conformance/golden/models/${name}`, import.meta.url)));

  it('is read or refused with bytes changed', async () => {
    const changed = bytes.slice();
    const change = fc.record({ at: fc.nat(15_000), byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 128, 255)) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        for (const { at, byte } of changes) changed[at] = byte;
        await surviveOpening(changed);
        for (const { at } of changes) changed[at] = bytes[at] ?? 0;
      }),
      { numRuns: 3000 },
    );
  });

  it('is refused when cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), async (length) => {
        expect(await surviveOpening(bytes.subarray(0, length))).toMatch(/TRUNCATED_FILE|NOT_A_CHECKPOINT/);
      }),
      { numRuns: 300 },
    );
  });
});
