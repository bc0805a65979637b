import { expect, test } from 'vitest';
import { driftOf } from '../src/measure/drift.ts';
import type { Window } from '../src/measure/windows.ts';

/** Fifty windows and one before them, which is nothing like them. */
function windows(time: (share: number) => number, memory: (share: number) => number): Window[] {
  const later = Array.from({ length: 50 }, (_, i): Window => {
    const share = Math.floor(i / 5) / 9;
    // The machine as a whole is slower or faster from window to window, and one in five is disturbed.
    const machine = 100 * (1 + (i % 3));
    const disturbed = i % 5 === 2 ? 3 : 1;
    return {
      ...{ position: i, best: machine * disturbed * time(share), fresh: machine },
      residentBytes: 2e8 * disturbed * memory(share),
    };
  });
  return [{ position: 0, best: 900, fresh: 100, residentBytes: 1e7 }, ...later];
}

test('what stays as it is, is flat', () => {
  const flat = { parts: 10, time: { least: 0, most: 0 }, memory: { least: 0, most: 0 }, flat: true };
  expect(
    driftOf(
      windows(
        () => 1,
        () => 1,
      ),
    ),
  ).toEqual(flat);
});

test.each([0.04, -0.04, 0.08, -0.08])('time that ends %f away is told, and memory as well', (away) => {
  const range = { least: expect.closeTo(Math.min(away, away / 9)), most: expect.closeTo(Math.max(away, away / 9)) };
  const moving = (share: number): number => 1 + share * away;
  const still = (): number => 1;
  const flat = Math.abs(away) <= 0.05;
  expect(driftOf(windows(moving, still))).toMatchObject({ time: range, memory: { least: 0, most: 0 }, flat });
  expect(driftOf(windows(still, moving))).toMatchObject({ time: { least: 0, most: 0 }, memory: range, flat });
});

test('few windows are compared one by one', () => {
  const few = windows(
    (share) => 1 + share,
    () => 1,
  ).filter((_, i) => i === 0 || i % 5 === 1);
  expect(driftOf(few.slice(0, 4)).parts).toBe(3);
});
