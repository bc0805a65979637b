import { describe, expect, it } from 'vitest';
import { described, type GgufToMake, gguf, string, type TensorToMake, value } from './support/gguf.ts';
import { openBytes, refusal, TIME_LIMIT } from './support/sources.ts';
import { u32, u64 } from './support/zip.ts';

function f32(...numbers: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(numbers).buffer);
}

async function numbers(bytes: Promise<Uint8Array>): Promise<number[]> {
  return [...new Float32Array((await bytes).buffer)];
}

/** A matrix [1,2]. */
const head: TensorToMake = { name: 'output.weight', shape: [1, 2], data: f32(1, 2) };
const norm = (name: string): TensorToMake => ({ name, shape: [2], data: f32(3, 4) });

function model(metadata: readonly number[][], ...tensors: TensorToMake[]): Uint8Array {
  return gguf({ metadata: [...described(), ...metadata], tensors });
}

describe('.gguf', () => {
  it.each([2, 3])('of version %d is read', async (version) => {
    const checkpoint = await openBytes(gguf({ version, metadata: described(), tensors: [head] }));
    expect(checkpoint.format).toBe('gguf');
    expect([...checkpoint.tensors]).toEqual([['head.weight', { dtype: 'f32', shape: [1, 2], bytes: 8 }]]);
    expect(await numbers(checkpoint.read('head.weight'))).toEqual([1, 2]);
    expect(checkpoint.metadata['rwkv7.wkv.head_size']).toBe('2');
  });

  it('may have values of every type, unknown keys, another alignment, and empty arrays', async () => {
    const alignment = 64;
    const metadata = [
      ...described(),
      value.u32('general.alignment', alignment),
      ...[0, 1].map((type) => value.raw(`byte${type}`, type, [255])),
      ...[2, 3].map((type) => value.raw(`short${type}`, type, [255, 255])),
      value.raw('int', 5, [254, 255, 255, 255]),
      value.raw('yes', 7, [1]),
      value.raw('wide', 10, [...u64(2n ** 60n)]),
      value.raw('negative', 11, [...u64(2n ** 64n - 5n)]),
      value.raw('double', 12, [...new Uint8Array(Float64Array.of(0.1).buffer)]),
      value.raw('constructor', 8, string('x')),
      value.strings('none', []),
      value.raw('floats', 9, [...u32(6), ...u64(2), ...f32(1, 2)]),
    ];
    const checkpoint = await openBytes(gguf({ metadata, tensors: [norm('output_norm.bias'), head], alignment }));
    expect(await numbers(checkpoint.read('ln_out.bias'))).toEqual([3, 4]);
    expect(await numbers(checkpoint.read('head.weight'))).toEqual([1, 2]);
    const { byte0, byte1, short2, short3, int, yes, wide, negative, double } = checkpoint.metadata;
    expect([byte0, byte1, short2, short3]).toEqual(['255', '-1', '65535', '-1']);
    expect([int, yes, wide, negative, double, checkpoint.metadata['constructor']]).toEqual([
      '-2',
      'true',
      String(2n ** 60n),
      '-5',
      '0.1',
      'x',
    ]);
    expect(checkpoint.metadata).not.toHaveProperty('floats');
  });

  it('gives fused, transposed and flat tensors in their official form', async () => {
    const fused = Array.from({ length: 12 }, (_, i) => i);
    const checkpoint = await openBytes(
      model(
        [],
        { name: 'blk.0.time_mix_lerp_fused.weight', shape: [6, 1, 1, 2], data: f32(...fused) },
        { name: 'blk.0.time_mix_w1.weight', shape: [3, 2], data: f32(1, 2, 3, 4, 5, 6) },
        { name: 'blk.0.time_mix_r_k.weight', shape: [4], data: f32(1, 2, 3, 4) },
        { name: 'blk.0.time_mix_k_k.weight', shape: [2], data: f32(7, 8) },
        { name: 'blk.0.time_mix_v0.weight', shape: [2], data: f32(0, 0) },
      ),
    );
    expect(await numbers(checkpoint.read('blocks.0.att.x_v'))).toEqual([6, 7]);
    expect(checkpoint.tensors.get('blocks.0.att.x_g')).toEqual({ dtype: 'f32', shape: [1, 1, 2], bytes: 8 });
    expect(checkpoint.tensors.get('blocks.0.att.w1')?.shape).toEqual([2, 3]);
    expect(await numbers(checkpoint.read('blocks.0.att.w1'))).toEqual([1, 3, 5, 2, 4, 6]);
    expect(checkpoint.tensors.get('blocks.0.att.r_k')?.shape).toEqual([2, 2]);
    expect(checkpoint.tensors.get('blocks.0.att.k_k')?.shape).toEqual([1, 1, 2]);
    expect(checkpoint.tensors.has('blocks.0.att.v0')).toBe(false);
  });

  it('of version 6 may have its mixes in tensors of their own, and transposes w2 of each', async () => {
    const metadata = described('rwkv6');
    const w2 = { name: 'blk.0.time_mix_w2.weight', shape: [2, 3, 1], data: f32(1, 2, 3, 4, 5, 6) };
    const mixes = ['w', 'k', 'v', 'r', 'g', 'x'].map(
      (c, i): TensorToMake => ({ name: `blk.0.time_mix_lerp_${c}.weight`, shape: [2], data: f32(i, i) }),
    );
    const checkpoint = await openBytes(gguf({ metadata, tensors: [...mixes, w2] }));
    expect(await numbers(checkpoint.read('blocks.0.att.time_maa_r'))).toEqual([3, 3]);
    expect(checkpoint.tensors.get('blocks.0.att.time_maa_w2')?.shape).toEqual([2, 1, 3]);
    expect(await numbers(checkpoint.read('blocks.0.att.time_maa_w2'))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('widens transposed blocks exactly', async () => {
    const block = Uint8Array.of(0x00, 0x38, ...Array.from({ length: 32 }, (_, i) => i));
    const data = Uint8Array.of(...block, ...block.map((byte, i) => (i < 2 ? byte : byte + 32)));
    const checkpoint = await openBytes(model([], { name: 'blk.0.time_mix_g1.weight', shape: [2, 32], type: 8, data }));
    expect(checkpoint.tensors.get('blocks.0.att.g1')).toEqual({ dtype: 'f32', shape: [32, 2], bytes: 256 });
    const all = Array.from({ length: 64 }, (_, i) => ((i % 2) * 32 + (i >> 1)) / 2);
    expect(await numbers(checkpoint.read('blocks.0.att.g1'))).toEqual(all);
    expect(await numbers(checkpoint.read('blocks.0.att.g1', { start: 4, end: 16 }))).toEqual(all.slice(1, 4));
  });

  it.each([
    ['f32', 0, f32(1, -3), f32(4, -12)],
    ['f16', 1, Uint8Array.of(0x01, 0x00, 0x00, 0x3c), Uint8Array.of(0x04, 0x00, 0x00, 0x44)],
    ['bf16', 30, Uint8Array.of(0x80, 0x3f, 0x00, 0xc0), Uint8Array.of(0x80, 0x40, 0x00, 0xc1)],
  ])('restores rescaled matrices of %s', async (_dtype, type, stored, restored) => {
    const metadata = [...described('rwkv6', 5), value.u32('rwkv6.rescale_every_n_layers', 2)];
    const matrix = (name: string): TensorToMake => ({ name, shape: [1, 2], type, data: stored });
    const tensors = [
      'blk.4.time_mix_output.weight',
      'blk.4.channel_mix_value.weight',
      'blk.4.time_mix_key.weight',
      'blk.1.time_mix_output.weight',
    ].map(matrix);
    const checkpoint = await openBytes(gguf({ metadata, tensors }));
    expect(await checkpoint.read('blocks.4.att.output.weight')).toEqual(restored);
    expect(await checkpoint.read('blocks.4.ffn.value.weight')).toEqual(restored);
    expect(await checkpoint.read('blocks.4.ffn.value.weight', { start: 1, end: 3 })).toEqual(restored.slice(1, 3));
    expect(await checkpoint.read('blocks.4.att.key.weight')).toEqual(stored);
    expect(await checkpoint.read('blocks.1.att.output.weight')).toEqual(stored);
  });

  it.each([
    ['q8_0', 8, 34, [0]],
    ['q4_0', 2, 18, [0]],
    ['q4_1', 3, 20, [0, 2]],
    ['q5_0', 6, 22, [0]],
    ['q5_1', 7, 24, [0, 2]],
    ['q4_k', 12, 144, [0, 2]],
    ['q5_k', 13, 176, [0, 2]],
    ['q6_k', 14, 210, [208]],
  ] as const)('restores rescaled blocks of %s by their scales alone', async (_dtype, type, width, scales) => {
    const metadata = [...described('rwkv6', 2), value.u32('rwkv6.rescale_every_n_layers', 1)];
    const data = new Uint8Array(width * 2).fill(0x11);
    const columns = width > 100 ? 256 : 32;
    const name = 'blk.1.time_mix_output.weight';
    const checkpoint = await openBytes(gguf({ metadata, tensors: [{ name, shape: [2, columns], type, data }] }));
    // 0x1111, doubled: one more in the exponent.
    const restored = data.map((byte, i) => (scales.some((place) => i % width === place + 1) ? 0x15 : byte));
    expect(await checkpoint.read('blocks.1.att.output.weight')).toEqual(restored);
    const part = { start: width - 1, end: width + 3 };
    expect(await checkpoint.read('blocks.1.att.output.weight', part)).toEqual(restored.slice(part.start, part.end));
  });

  it('says which rescaled matrix its type cannot hold', async () => {
    const metadata = [...described('rwkv6', 2), value.u32('rwkv6.rescale_every_n_layers', 1)];
    const data = Uint8Array.of(0xff, 0x7b, 0, 0);
    const tensors = [{ name: 'blk.1.time_mix_output.weight', shape: [1, 2], type: 1, data }];
    const error = await refusal((await openBytes(gguf({ metadata, tensors }))).read('blocks.1.att.output.weight'));
    expect(error.code).toBe('OVERFLOW');
    expect(error.message).toContain('blocks.1.att.output.weight');
  });

  const eps = (number: number): number[][] => [value.f32('rwkv7.attention.layer_norm_epsilon', number)];
  const tokens = (...more: number[][]): number[][] => [value.string('tokenizer.ggml.model', 'rwkv'), ...more];
  const bad: readonly (readonly [string, GgufToMake | Uint8Array, string, RegExp])[] = [
    ['version 1', { version: 1 }, 'UNSUPPORTED_FORMAT', /version 1/],
    ['version 4', { version: 4 }, 'UNSUPPORTED_FORMAT', /version 4/],
    ['the other byte order', { version: 0x03000000 }, 'UNSUPPORTED_FORMAT', /big-endian/],
    ['another architecture', { metadata: described('llama') }, 'UNSUPPORTED_FORMAT', /"llama"/],
    ['no architecture', {}, 'UNSUPPORTED_FORMAT', /no architecture/],
    ['another eps', model(eps(1e-6), head), 'UNSUPPORTED_FORMAT', /epsilon/],
    ['no block count', { metadata: [value.string('general.architecture', 'rwkv7')] }, 'BAD_HEADER', /block_count/],
    ['a tensor of another model', model([], { ...head, name: 'blk.0.attn_q.weight' }), 'UNSUPPORTED_FORMAT', /attn_q/],
    ['a tensor of a later block', model([], norm('blk.1.attn_norm.weight')), 'UNSUPPORTED_FORMAT', /blk\.1/],
    ['a block number that is none', model([], norm('blk.00.attn_norm.weight')), 'UNSUPPORTED_FORMAT', /blk\.00/],
    ['a key twice', { metadata: [...described(), value.u32('rwkv7.block_count', 1)] }, 'BAD_HEADER', /twice/],
    ['the key __proto__', { metadata: [value.u32('__proto__', 1)] }, 'BAD_HEADER', /__proto__/],
    ['a tensor twice', model([], head, head), 'BAD_HEADER', /twice/],
    ['the tensor __proto__', model([], { ...head, name: '__proto__' }), 'BAD_HEADER', /__proto__/],
    ['a value of no type', { metadata: [value.raw('x', 13, [])] }, 'BAD_HEADER', /type 13/],
    ['an array of arrays', { metadata: [value.raw('x', 9, [...u32(9), ...u64(0)])] }, 'BAD_HEADER', /arrays/],
    ['an array of no type', { metadata: [value.raw('x', 9, [...u32(99), ...u64(0)])] }, 'BAD_HEADER', /type 99/],
    ['a truth value of 2', { metadata: [value.raw('x', 7, [2])] }, 'BAD_HEADER', /truth/],
    ['an endless array', { metadata: [value.strings('x', [], 2n ** 63n)] }, 'BAD_HEADER', /larger than any file/],
    ['a long array', { metadata: [value.strings('x', [], 2 ** 40)] }, 'BAD_HEADER', /1099511627776/],
    ['an array longer than the file', { metadata: [value.strings('x', [], 1000)] }, 'TRUNCATED_FILE', /8000 bytes/],
    ['a string longer than the file', { metadata: [[...u64(2 ** 40)]] }, 'TRUNCATED_FILE', /1099511627776/],
    ['a string that is no text', { metadata: [[...u64(1), 0xff]] }, 'BAD_HEADER', /UTF-8/],
    ['endless metadata', { pairCount: 2n ** 64n - 1n }, 'BAD_HEADER', /metadata values/],
    ['a million tensors', { tensorCount: 1_000_000, metadata: described() }, 'BAD_HEADER', /1000000 tensors/],
    ['more tensors than there are', { tensorCount: 5, metadata: described() }, 'TRUNCATED_FILE', /header/],
    ['no alignment', model([value.u32('general.alignment', 0)], head), 'BAD_HEADER', /alignment/],
    ['an odd alignment', model([value.u32('general.alignment', 48)], head), 'BAD_HEADER', /alignment/],
    ['five axes', model([], { ...head, shape: [1, 1, 1, 1, 2] }), 'BAD_HEADER', /5 axes/],
    ['an empty tensor', model([], { ...head, shape: [0, 2] }), 'BAD_TENSOR', /\[0,2\]/],
    ['a shape that overflows', model([], { ...head, shape: [2 ** 40, 2 ** 40] }), 'BAD_TENSOR', /shape/],
    ['a size beyond 2^53', model([], { ...head, shape: [2n ** 63n, 2] }), 'BAD_HEADER', /size/],
    ['rows of half a block', model([], { ...head, shape: [1, 16], type: 8 }), 'BAD_TENSOR', /Q8_0/],
    ['a type that is not held', model([], { ...head, shape: [1, 256], type: 10 }), 'UNSUPPORTED_DTYPE', /Q2_K/],
    ['a type that is unknown', model([], { ...head, type: 77 }), 'UNSUPPORTED_DTYPE', /77/],
    ['integers', model([], { ...head, type: 26 }), 'UNSUPPORTED_DTYPE', /I32/],
    ['an odd offset', model([], { ...head, offset: 8 }), 'BAD_HEADER', /multiple/],
    ['an offset beyond the end', model([], { ...head, offset: 2 ** 40 }), 'TRUNCATED_FILE', /need/],
    ['overlapping tensors', model([], head, { ...norm('output_norm.bias'), offset: 0 }), 'BAD_HEADER', /overlaps/],
    ['a matrix of three axes', model([], { ...head, shape: [1, 1, 2] }), 'BAD_TENSOR', /shape/],
    ['a vector of two', model([], { ...norm('output_norm.bias'), shape: [2, 1] }), 'BAD_TENSOR', /shape/],
    [
      'five fused mixes',
      model([], { name: 'blk.0.time_mix_lerp_fused.weight', shape: [5, 1, 1, 2], data: f32(...new Array<number>(10)) }),
      'BAD_TENSOR',
      /shape/,
    ],
    [
      'half a head',
      model([], { name: 'blk.0.time_mix_r_k.weight', shape: [3], data: f32(1, 2, 3) }),
      'BAD_TENSOR',
      /shape/,
    ],
    ['tokens that are no strings', model(tokens(value.u32('tokenizer.ggml.tokens', 1)), head), 'BAD_HEADER', /tokens/],
    [
      'too few types',
      model(
        tokens(
          value.strings('tokenizer.ggml.tokens', ['a']),
          value.raw('tokenizer.ggml.token_type', 9, [...u32(5), ...u64(0)]),
        ),
        head,
      ),
      'BAD_HEADER',
      /types/,
    ],
    [
      'an end that is no token',
      model(tokens(value.strings('tokenizer.ggml.tokens', ['a']), value.u32('tokenizer.ggml.eos_token_id', 1)), head),
      'BAD_HEADER',
      /no token/,
    ],
  ];

  it.each(bad)('with %s is refused', async (_what, file, code, message) => {
    const bytes = file instanceof Uint8Array ? file : gguf(file);
    const start = performance.now();
    const error = await refusal(openBytes(bytes, 'model.gguf'));
    expect(performance.now() - start).toBeLessThan(TIME_LIMIT);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^model\.gguf: /);
    expect(error.hint).toBeTruthy();
  });

  it('has the mixes of a file once', async () => {
    const lerp = { name: 'blk.0.time_mix_lerp_w.weight', shape: [2], data: f32(1, 2) };
    const fused = {
      name: 'blk.0.time_mix_lerp_fused.weight',
      shape: [5, 1, 1, 2],
      data: f32(...new Array<number>(10).fill(0)),
    };
    const file = gguf({ metadata: described('rwkv6'), tensors: [lerp, fused] });
    expect(await refusal(openBytes(file))).toMatchObject({
      code: 'BAD_HEADER',
      message: expect.stringContaining('time_maa_w'),
    });
  });
});
