import {
  byteLength,
  type DType,
  GraphBuilder,
  halfToNumber,
  readWidened,
  resolveParameters,
  type WeightSource,
  widen,
} from '@receptance/core';
import { describe, expect, it } from 'vitest';

function bytesOf(...numbers: number[]): Uint8Array {
  return Uint8Array.from(numbers);
}

function numbers(dtype: DType, bytes: Uint8Array, elements: number): number[] {
  const out = new Float64Array(elements);
  widen(dtype, bytes, out);
  return [...out];
}

describe('widen', () => {
  it('knows the special halves', () => {
    const halves = [0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400, 0x7c00, 0xfc00];
    const values = [0, -0, 1, -2, 65504, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, Infinity, -Infinity];
    expect(halves.map(halfToNumber)).toEqual(values);
    expect(halfToNumber(0x7e00)).toBeNaN();
  });

  it('is the inverse of rounding for every finite half', () => {
    const round = new Float16Array(1);
    const bits = new Uint16Array(round.buffer);
    for (let half = 0; half < 65536; half++) {
      bits[0] = half;
      expect(Object.is(halfToNumber(half), round[0]) || Number.isNaN(round[0])).toBe(true);
    }
  });

  it('reads little-endian numbers at any byte offset', () => {
    const shifted = bytesOf(9, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0).subarray(1);
    expect(numbers('f32', shifted, 2)).toEqual([1, -2]);
    expect(numbers('bf16', bytesOf(0x80, 0x3f, 0x00, 0xc0), 2)).toEqual([1, -2]);
    expect(numbers('f64', new Uint8Array(Float64Array.of(Math.PI).buffer), 1)).toEqual([Math.PI]);
  });

  it('widens the block formats as GGUF lays them out', () => {
    const q8 = bytesOf(0x00, 0x38, ...Array.from({ length: 32 }, (_, i) => (i - 16) & 255));
    expect(numbers('q8_0', q8, 32)).toEqual(Array.from({ length: 32 }, (_, i) => (i - 16) / 2));
    const q4 = bytesOf(0x00, 0x3c, ...Array.from({ length: 16 }, (_, i) => i | ((15 - i) << 4)));
    const low = Array.from({ length: 16 }, (_, i) => i - 8);
    expect(numbers('q4_0', q4, 32)).toEqual([...low, ...low.map((x) => -1 - x)]);
  });
});

function source(dtype: DType, shape: number[], bytes: Uint8Array): WeightSource {
  return {
    tensors: new Map([['w', { dtype, shape, bytes: bytes.length }]]),
    read: async (_, range) => bytes.slice(range?.start, range?.end),
  };
}

describe('loading', () => {
  it('reads in pieces and gets every element', async () => {
    const elements = 2_500_000;
    const stored = Float32Array.from({ length: elements }, (_, i) => i % 977);
    const ranges: number[] = [];
    const from = source('f32', [elements], new Uint8Array(stored.buffer));
    const counting: WeightSource = {
      ...from,
      read: (name, range) => {
        ranges.push((range?.end ?? 0) - (range?.start ?? 0));
        return from.read(name, range);
      },
    };
    const out = new Float32Array(elements);
    await readWidened(counting, 'w', out);
    expect(out).toEqual(stored);
    expect(Math.max(...ranges)).toBeLessThanOrEqual(4 << 20);
    expect(ranges.length).toBe(Math.ceil(byteLength('f32', elements) / (4 << 20)));
  });

  it('refuses a weight that is not finite, by name and place', async () => {
    const bytes = new Uint8Array(Float32Array.of(1, Number.NaN).buffer);
    await expect(readWidened(source('f32', [2], bytes), 'w', new Float32Array(2))).rejects.toMatchObject({
      code: 'NOT_FINITE',
      message: expect.stringContaining('w holds NaN at element 1'),
    });
  });

  it('holds leaves against the source: units aside, shapes agree; types are kept or widened', () => {
    const graph = (dtype: DType, shape: number[]) => {
      const b = new GraphBuilder('g');
      b.output('y', b.linear(b.input('x', 'f32', ['N', shape.at(-1) ?? 1]), b.parameter('w', dtype, shape)));
      return b.build();
    };
    const stored = source('f16', [1, 4, 2], new Uint8Array(16));
    expect(resolveParameters(stored, [graph('f16', [4, 2])])).toHaveLength(1);
    expect(resolveParameters(stored, [graph('f32', [4, 2])])).toHaveLength(1);
    expect(() => resolveParameters(stored, [graph('bf16', [4, 2])])).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_DTYPE' }),
    );
    expect(() => resolveParameters(stored, [graph('f16', [2, 4])])).toThrow(
      expect.objectContaining({ code: 'SHAPE_MISMATCH' }),
    );
    expect(() => resolveParameters({ ...stored, tensors: new Map() }, [graph('f16', [4, 2])])).toThrow(
      expect.objectContaining({ code: 'MISSING_TENSOR' }),
    );
    expect(() => resolveParameters(stored, [graph('f16', [4, 2]), graph('f32', [4, 2])])).toThrow(
      expect.objectContaining({ code: 'BAD_GRAPH' }),
    );
  });
});
