import { readFileSync } from 'node:fs';
import {
  BLOCKS,
  byteLength,
  convertTensors,
  type DType,
  isBigMatrix,
  narrow,
  quantize,
  quantizedSource,
  type WeightSource,
  widen,
} from '@receptance/core';
import { describe, expect, it } from 'vitest';

interface Blocks {
  readonly dequantised: Readonly<Record<string, { readonly blocks: string; readonly numbers: string }>>;
  readonly quantised: { readonly numbers: string; readonly q8_0: string; readonly q4_0: string };
  readonly half: { readonly numbers: string; readonly f16: string };
}

/** Made by fixtures/make_blocks.py, with the Python package gguf. */
const fixture: Blocks = JSON.parse(readFileSync(new URL('fixtures/blocks.json', import.meta.url), 'utf8'));

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}

function floats(base64: string): Float32Array {
  return new Float32Array(bytes(base64).buffer);
}

function isDType(name: string): name is DType {
  return Object.hasOwn(BLOCKS, name);
}

/** Bits, so that -0 is not 0. */
function bits(numbers: Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

describe('block formats', () => {
  it('are all of those that GGUF files of RWKV have', () => {
    const formats = ['q4_0', 'q4_1', 'q4_k', 'q5_0', 'q5_1', 'q5_k', 'q6_k', 'q8_0'];
    expect(Object.keys(fixture.dequantised).sort()).toEqual(formats);
  });

  it.each(Object.keys(fixture.dequantised))('%s widens to the bits that gguf makes', (dtype) => {
    const { blocks = '', numbers = '' } = fixture.dequantised[dtype] ?? {};
    if (!isDType(dtype)) throw new Error(`${dtype} is no type`);
    const expected = floats(numbers);
    const stored = bytes(blocks);
    expect(stored.length).toBe(byteLength(dtype, expected.length));
    const out = new Float32Array(expected.length + 3);
    // At an odd byte and from an odd element on.
    widen(dtype, Uint8Array.of(9, ...stored).subarray(1), out, 3);
    expect(Buffer.compare(bits(out.subarray(3)), bits(expected))).toBe(0);
    const wide = new Float64Array(expected.length);
    widen(dtype, stored, wide);
    expect(Buffer.compare(bits(Float32Array.from(wide)), bits(expected))).toBe(0);
    expect(wide.every((x) => Object.is(Math.fround(x), x))).toBe(true);
  });

  it.each(['q8_0', 'q4_0'] as const)('%s is quantised to the bytes that gguf makes', (dtype) => {
    const made = quantize(dtype, floats(fixture.quantised.numbers));
    expect(Buffer.compare(made, bytes(fixture.quantised[dtype]))).toBe(0);
  });

  it.each([
    ['part of a block', new Float32Array(33), 'BAD_SHAPE'],
    ['a number that is none', new Float32Array(32).fill(Number.NaN), 'OVERFLOW'],
    ['a scale beyond half precision', new Float32Array(32).fill(1e9), 'OVERFLOW'],
  ])('cannot hold %s', (_what, numbers, code) => {
    for (const dtype of ['q8_0', 'q4_0'] as const) {
      expect(() => quantize(dtype, numbers)).toThrow(expect.objectContaining({ code }));
    }
  });
});

describe('narrowing', () => {
  it('rounds doubles to half precision once, as numpy does', () => {
    const doubles = new Float64Array(bytes(fixture.half.numbers).buffer);
    expect(Buffer.compare(narrow('w', 'f16', doubles), bytes(fixture.half.f16))).toBe(0);
  });

  it('rounds to bfloat16 to nearest, ties to even', () => {
    const ulp = 2 ** -7;
    const numbers = Float64Array.of(1 + ulp / 2, 1 + 1.5 * ulp, 1 + ulp / 2 + 2 ** -40, -1.5, 2 ** -133, 2 ** -134, -0);
    const rounded = new Uint16Array(narrow('w', 'bf16', numbers).buffer);
    expect([...rounded]).toEqual([0x3f80, 0x3f82, 0x3f81, 0xbfc0, 1, 0, 0x8000]);
  });

  it('keeps every half and every bfloat16', () => {
    for (const [dtype, finite] of [
      ['f16', 0x7c00],
      ['bf16', 0x7f80],
    ] as const) {
      const stored = Uint16Array.from({ length: finite * 2 }, (_, i) => (i < finite ? i : 0x8000 | (i - finite)));
      const numbers = new Float32Array(stored.length);
      widen(dtype, new Uint8Array(stored.buffer), numbers);
      expect(Buffer.compare(narrow('w', dtype, numbers), new Uint8Array(stored.buffer))).toBe(0);
    }
  });

  it.each([
    ['f16', 65520],
    ['f16', -1e5],
    ['bf16', 3.4e38 * 1.0001],
    ['f32', 1e39],
    ['f32', Number.NaN],
  ] as const)('to %s refuses %d, by name and place', (dtype, x) => {
    expect(() => narrow('blocks.0.w', dtype, Float64Array.of(1, x), 10)).toThrow(
      expect.objectContaining({ code: 'OVERFLOW', message: expect.stringMatching(/blocks\.0\.w holds .* element 11/) }),
    );
  });
});

function sourceOf(tensors: Record<string, { dtype: DType; shape: number[]; data: Uint8Array }>): WeightSource {
  const infos = Object.entries(tensors).map(
    ([name, { dtype, shape, data }]) => [name, { dtype, shape, bytes: data.length }] as const,
  );
  return {
    tensors: new Map(infos),
    read: async (name, range) => tensors[name]?.data.slice(range?.start, range?.end) ?? new Uint8Array(),
  };
}

describe('a source of other types', () => {
  const numbers = floats(fixture.quantised.numbers);
  const f32 = bits(numbers);
  const source = sourceOf({
    'emb.weight': { dtype: 'f32', shape: [numbers.length / 64, 64], data: f32 },
    'blocks.0.att.ln_x.weight': { dtype: 'f32', shape: [64], data: f32.slice(0, 256) },
    'blocks.0.att.w1': { dtype: 'f32', shape: [2, 32], data: f32.slice(0, 256) },
    'head.weight': { dtype: 'f32', shape: [2, 48], data: f32.slice(0, 384) },
    'blocks.0.ffn.key.weight': { dtype: 'q4_0', shape: [1, 32], data: new Uint8Array(18) },
  });

  it('quantises the big matrices and nothing else', async () => {
    const quantized = quantizedSource(source, 'q8_0');
    expect([...quantized.tensors].map(([name, { dtype }]) => `${name} ${dtype}`)).toEqual([
      'emb.weight q8_0',
      'blocks.0.att.ln_x.weight f32',
      'blocks.0.att.w1 f32',
      'head.weight f32',
      'blocks.0.ffn.key.weight q4_0',
    ]);
    expect(quantized.tensors.get('emb.weight')?.bytes).toBe(byteLength('q8_0', numbers.length));
    expect(Buffer.compare(await quantized.read('emb.weight'), bytes(fixture.quantised.q8_0))).toBe(0);
    expect(await quantized.read('head.weight')).toEqual(await source.read('head.weight'));
  });

  it('gives any range of bytes', async () => {
    const whole = bytes(fixture.quantised.q4_0);
    const quantized = quantizedSource(source, 'q4_0');
    for (const [start, end] of [
      [0, 0],
      [1, 2],
      [17, 19],
      [18, 36],
      [35, 400],
      [whole.length - 1, whole.length],
    ] as const) {
      expect(await quantized.read('emb.weight', { start, end })).toEqual(whole.slice(start, end));
    }
    for (const [start, end] of [
      [0, whole.length + 1],
      [2, 1],
      [-1, 0],
      [0.5, 1],
    ] as const) {
      await expect(quantized.read('emb.weight', { start, end })).rejects.toMatchObject({ code: 'BAD_RANGE' });
    }
  });

  it('takes the matrices it is told to, if they are whole blocks', () => {
    const only = quantizedSource(source, 'q8_0', (name) => name === 'blocks.0.att.w1');
    expect(only.tensors.get('blocks.0.att.w1')?.dtype).toBe('q8_0');
    expect(only.tensors.get('emb.weight')?.dtype).toBe('f32');
    expect(() => quantizedSource(source, 'q8_0', (name) => name === 'head.weight')).toThrow(
      expect.objectContaining({ code: 'BAD_SHAPE', message: expect.stringContaining('head.weight') }),
    );
  });

  it('rounds those it is told to', async () => {
    const rounded = convertTensors(source, { dtype: 'bf16', only: isBigMatrix });
    const types = Object.fromEntries([...rounded.tensors].map(([name, { dtype }]) => [name, dtype]));
    expect(types).toEqual({
      ...{ 'emb.weight': 'bf16', 'head.weight': 'bf16', 'blocks.0.ffn.key.weight': 'bf16' },
      ...{ 'blocks.0.att.ln_x.weight': 'f32', 'blocks.0.att.w1': 'f32' },
    });
    expect(Buffer.compare(await rounded.read('blocks.0.att.w1'), f32.slice(0, 256))).toBe(0);
    expect(Buffer.compare(await rounded.read('emb.weight'), narrow('emb.weight', 'bf16', numbers))).toBe(0);
  });

  it('converts in pieces, and blocks too', async () => {
    const many = Float32Array.from({ length: 600_000 }, (_, i) => i / 64);
    const large = convertTensors(sourceOf({ w: { dtype: 'f32', shape: [600_000], data: bits(many) } }), {
      dtype: 'bf16',
    });
    const wanted = narrow('w', 'bf16', many);
    expect(Buffer.compare(await large.read('w'), wanted)).toBe(0);
    const range = { start: 524_287, end: 1_048_579 };
    expect(Buffer.compare(await large.read('w', range), wanted.subarray(range.start, range.end))).toBe(0);
    const { blocks = '', numbers: expected = '' } = fixture.dequantised['q6_k'] ?? {};
    const q6 = sourceOf({ w: { dtype: 'q6_k', shape: [4, 256], data: bytes(blocks) } });
    const wide = convertTensors(q6, { dtype: 'f32' });
    expect(Buffer.compare(await wide.read('w'), bytes(expected))).toBe(0);
    expect(Buffer.compare(await wide.read('w', { start: 1021, end: 1030 }), bytes(expected).slice(1021, 1030))).toBe(0);
  });

  it('says which tensor cannot be converted', async () => {
    const wide = sourceOf({
      'head.weight': { dtype: 'f32', shape: [1, 32], data: bits(new Float32Array(32).fill(1e9)) },
    });
    const refused = { code: 'OVERFLOW', message: expect.stringContaining('head.weight'), hint: expect.any(String) };
    await expect(convertTensors(wide, { dtype: 'f16' }).read('head.weight')).rejects.toMatchObject(refused);
    await expect(quantizedSource(wide, 'q4_0').read('head.weight')).rejects.toMatchObject(refused);
  });
});
