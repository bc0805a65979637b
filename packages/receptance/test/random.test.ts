import { expect, test } from 'vitest';
import { randomSeed, uniform } from '../src/random.ts';

const many = (seed: number, count: number): number[] => Array.from({ length: count }, (_, i) => uniform(seed, i));

test('numbers lie in [0, 1), also when rounded to f32', () => {
  for (const u of many(7, 10_000)) {
    expect(u).toBeGreaterThanOrEqual(0);
    expect(u).toBeLessThan(1);
    expect(Math.fround(u)).toBe(u);
  }
});

test.each([0, 1, 2 ** 32, 2 ** 53 - 1])('seed %d fills 64 bins evenly', (seed) => {
  const bins = new Array<number>(64).fill(0);
  for (const u of many(seed, 64_000)) bins[Math.floor(u * 64)] = (bins[Math.floor(u * 64)] ?? 0) + 1;
  const chiSquare = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  // 63 degrees of freedom: beyond these bounds once in a hundred thousand.
  expect(chiSquare).toBeGreaterThan(25);
  expect(chiSquare).toBeLessThan(120);
});

test('neighbouring positions and neighbouring seeds are unrelated', () => {
  const correlation = (a: readonly number[], b: readonly number[]): number =>
    (12 * a.reduce((sum, x, i) => sum + (x - 0.5) * ((b[i] ?? 0) - 0.5), 0)) / a.length;
  const u = many(1, 20_000);
  expect(Math.abs(correlation(u, u.slice(1).concat(0.5)))).toBeLessThan(0.03);
  expect(Math.abs(correlation(u, many(2, 20_000)))).toBeLessThan(0.03);
  expect(Math.abs(correlation(u, many(1 + 2 ** 32, 20_000)))).toBeLessThan(0.03);
});

test('the numbers of a seed are these, on every machine and in every version', () => {
  expect([uniform(0, 0), uniform(0, 1), uniform(42, 7), uniform(2 ** 40 + 3, 100)]).toMatchInlineSnapshot(`
    [
      0.01937335729598999,
      0.8540422320365906,
      0.14399200677871704,
      0.27081286907196045,
    ]
  `);
});

test('a seed nobody chose is one that can be given', () => {
  expect(Number.isSafeInteger(randomSeed())).toBe(true);
  expect(randomSeed()).not.toBe(randomSeed());
});
