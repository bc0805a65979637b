import { expect, test } from 'vitest';
import { MOST_STEPS, nextSteps } from '../src/pace.ts';

test('steps double while a run of twice as many takes no more than 50 ms', () => {
  expect(nextSteps(1, 1)).toBe(2);
  expect(nextSteps(8, 8)).toBe(16);
  expect(nextSteps(16, 32)).toBe(25);
  expect(nextSteps(25, 50)).toBe(25);
});

test('a slow device makes one token at a time, a fast one no more than the buffers hold', () => {
  expect(nextSteps(1, 400)).toBe(1);
  expect(nextSteps(8, 800)).toBe(1);
  expect(nextSteps(MOST_STEPS, 0)).toBe(MOST_STEPS);
});
