import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Backend } from '@receptance/core';
import { expect, test } from 'vitest';
import { type TokenCost, tokenCost } from '../../src/guards/token-cost.ts';
import { heldAs } from '../../src/models/held-as.ts';
import { randomWeights } from '../../src/models/random-weights.ts';
import type { WeightName } from '../../src/runner/protocol.ts';

const file = fileURLToPath(new URL('../guards.json', import.meta.url));
const SLACK = 1.02;

type Recorded = Record<string, TokenCost>;

function recorded(): Recorded {
  return JSON.parse(readFileSync(file, 'utf8')) as Recorded;
}

/**
 * A token may not cost more steps or bytes than is recorded in test/guards.json. What costs less by now, or more for a
 * reason, is recorded by running the tests with UPDATE_GUARDS=1.
 */
export function guard(backend: Backend, name: string): void {
  for (const version of [4, 5, 6, 7]) {
    for (const weights of ['f32', 'q8_0'] satisfies WeightName[]) {
      const key = `${name}/rwkv${version}/${weights}`;
      test(`a token costs no more than it did: ${key}`, async () => {
        const now = await tokenCost(backend, heldAs(randomWeights(`rwkv${version}-tiny`), weights));
        if (process.env['UPDATE_GUARDS'] === '1') {
          const all = { ...recorded(), [key]: now };
          const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
          writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`);
        }
        const before = recorded()[key];
        expect(before, `${key} is not recorded: UPDATE_GUARDS=1`).toBeDefined();
        expect(now.steps, 'steps').toBeLessThanOrEqual(before?.steps ?? 0);
        expect(now.bytes, 'bytes moved').toBeLessThanOrEqual(SLACK * (before?.bytes ?? 0));
        expect(now.bufferBytes, 'bytes of activations').toBeLessThanOrEqual(SLACK * (before?.bufferBytes ?? 0));
      });
    }
  }
}
