import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gather, WINDOW } from '../src/pth/gather.ts';
import { isContiguous, viewOf } from '../src/pth/view.ts';

/** Every element of a view, one by one. */
function naive(offset: number, shape: readonly number[], strides: readonly number[]): number[] {
  let places = [offset];
  for (const [axis, size] of shape.entries()) {
    const stride = strides[axis] ?? 0;
    places = places.flatMap((place) => Array.from({ length: size }, (_, i) => place + i * stride));
  }
  return places;
}

describe('gather', () => {
  it('gives the elements in row-major order, for any strides and any range', async () => {
    const axis = fc.record({ size: fc.integer({ min: 1, max: 5 }), stride: fc.nat(7) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(axis, { maxLength: 4 }),
        fc.nat(5),
        fc.constantFrom(1, 2, 4, 8),
        fc.gen(),
        async (axes, offset, width, gen) => {
          const shape = axes.map(({ size }) => size);
          const strides = axes.map(({ stride }) => stride);
          const places = naive(offset, shape, strides);
          const view = viewOf(offset, shape, strides);
          expect(view.elements).toBe(places.length);
          const last = gen(fc.nat, places.length);
          const first = gen(fc.nat, last);
          const storage = Uint8Array.from({ length: (Math.max(...places) + 1) * width }, (_, i) => (i * 7) % 251);
          const read = async (start: number, end: number) => {
            expect(end).toBeLessThanOrEqual(storage.length);
            return storage.slice(start, end);
          };
          const expected = places
            .slice(first, last)
            .flatMap((place) => [...storage.subarray(place * width, (place + 1) * width)]);
          expect([...(await gather(read, view, width, first, last))]).toEqual(expected);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('knows what is contiguous', () => {
    expect(isContiguous(viewOf(3, [4, 5, 6], [30, 6, 1]))).toBe(true);
    expect(isContiguous(viewOf(0, [1, 5, 1], [99, 1, 0]))).toBe(true);
    expect(isContiguous(viewOf(0, [], []))).toBe(true);
    expect(isContiguous(viewOf(0, [5, 4], [1, 5]))).toBe(false);
    expect(isContiguous(viewOf(0, [5], [0]))).toBe(false);
  });

  it('reads a large storage once, front to back, a window at a time', async () => {
    const rows = 3000;
    const columns = 2000;
    const storage = new Int32Array(rows * columns).map((_, i) => i);
    const bytes = new Uint8Array(storage.buffer);
    let at = 0;
    let total = 0;
    const read = async (start: number, end: number) => {
      expect(start).toBeGreaterThanOrEqual(at);
      expect(end - start).toBeLessThanOrEqual(WINDOW);
      at = end;
      total += end - start;
      return bytes.slice(start, end);
    };
    const transposed = viewOf(0, [columns, rows], [1, columns]);
    const out = new Int32Array((await gather(read, transposed, 4, 0, transposed.elements)).buffer);
    expect(total).toBe(bytes.length);
    expect(out[rows + 2]).toBe(1 + 2 * columns);
    expect(out.at(-1)).toBe(rows * columns - 1);
    expect(out.reduce((sum, value) => sum + value, 0)).toBe(storage.reduce((sum, value) => sum + value, 0));
  });
});
