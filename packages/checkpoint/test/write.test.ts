import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TensorToWrite } from '../src/index.ts';
import { writeSafetensors } from '../src/index.ts';
import { fixture, openBytes } from './support/sources.ts';

const one: TensorToWrite = { name: 'a', dtype: 'f32', shape: [1], data: new Uint8Array(4) };

async function tensorsOf(bytes: Uint8Array): Promise<{ tensors: TensorToWrite[]; metadata: Record<string, string> }> {
  const checkpoint = await openBytes(bytes);
  const tensors: TensorToWrite[] = [];
  for (const [name, { dtype, shape }] of checkpoint.tensors) {
    tensors.push({ name, dtype, shape, data: await checkpoint.read(name) });
  }
  return { tensors, metadata: checkpoint.metadata };
}

describe('writeSafetensors', () => {
  it.each(['official.safetensors', 'views.safetensors'])(
    'writes the bytes of the official writer: %s',
    async (name) => {
      const { tensors, metadata } = await tensorsOf(fixture(name));
      expect(writeSafetensors(tensors.toReversed(), metadata)).toEqual(fixture(name));
    },
  );

  it('writes what is read back', async () => {
    const tensor = fc
      .record({
        name: fc.string({ unit: 'grapheme' }).filter((name) => !name.startsWith('__')),
        dtype: fc.constantFrom('f64' as const, 'f32' as const, 'i32' as const, 'bf16' as const, 'f16' as const),
        shape: fc.array(fc.nat(4), { maxLength: 3 }),
        fill: fc.nat(255),
      })
      .map(({ fill, ...rest }): TensorToWrite => {
        const width = { f64: 8, f32: 4, i32: 4, bf16: 2, f16: 2 }[rest.dtype];
        return { ...rest, data: new Uint8Array(rest.shape.reduce((a, b) => a * b, 1) * width).fill(fill) };
      });
    const tensors = fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 6 });
    const metadata = fc.dictionary(
      fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
      fc.string(),
      { noNullPrototype: true },
    );
    await fc.assert(
      fc.asyncProperty(tensors, metadata, async (written, about) => {
        const bytes = writeSafetensors(written, about);
        expect(bytes.length - written.reduce((total, { data }) => total + data.length, 0)).toSatisfy(
          (n: number) => n % 8 === 0,
        );
        const read = await tensorsOf(bytes);
        expect(read.metadata).toEqual(about);
        const byName = (a: TensorToWrite, b: TensorToWrite) => (a.name < b.name ? -1 : 1);
        expect(read.tensors.sort(byName)).toEqual(written.toSorted(byName));
      }),
    );
  });

  it.each<[string, TensorToWrite[], string]>([
    ['a name twice', [one, one], 'BAD_TENSOR'],
    ['the name __metadata__', [{ ...one, name: '__metadata__' }], 'BAD_TENSOR'],
    ['the name __proto__', [{ ...one, name: '__proto__' }], 'BAD_TENSOR'],
    ['too few bytes', [{ ...one, shape: [2] }], 'BAD_TENSOR'],
    ['a negative size', [{ ...one, shape: [-1, -1] }], 'BAD_TENSOR'],
    ['half a size', [{ ...one, shape: [0.5, 2] }], 'BAD_TENSOR'],
    ['a block format', [{ ...one, dtype: 'q8_0', shape: [32], data: new Uint8Array(34) }], 'UNSUPPORTED_DTYPE'],
  ])('refuses %s', (_what, tensors, code) => {
    expect(() => writeSafetensors(tensors)).toThrow(expect.objectContaining({ code }));
  });
});
