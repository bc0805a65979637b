import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { wasm } from '@receptance/backend-wasm';
import { expect, test } from 'vitest';
import { counting, instructionsOf } from '../src/guards/instructions.ts';
import { heldAs } from '../src/models/held-as.ts';
import { randomWeights } from '../src/models/random-weights.ts';
import type { WeightName } from '../src/runner/protocol.ts';

const file = fileURLToPath(new URL('instructions.json', import.meta.url));
const SLACK = 1.01;

function recorded(): Record<string, number> {
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
}

// One thread, and no instruction whose result is the engine's choice: the count is the same everywhere.
const plain = wasm({ threads: 1, relaxed: false });

for (const version of [4, 5, 6, 7]) {
  for (const weights of ['f32', 'f16', 'q8_0', 'q4_0'] satisfies WeightName[]) {
    for (const tokens of [1, 32]) {
      const key = `rwkv${version}/${weights}/${tokens}`;
      test(`reading executes no more instructions than it did: ${key}`, async () => {
        const now = await instructionsOf(plain, heldAs(randomWeights(`rwkv${version}-tiny`), weights), tokens);
        if (process.env['UPDATE_GUARDS'] === '1') {
          const sorted = Object.entries({ ...recorded(), [key]: now }).sort(([a], [b]) => (a < b ? -1 : 1));
          writeFileSync(file, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
        }
        const before = recorded()[key];
        expect(before, `${key} is not recorded: UPDATE_GUARDS=1`).toBeDefined();
        expect(now).toBeLessThanOrEqual(SLACK * (before ?? 0));
        // So much less is no accident: it is to be recorded, or it may be lost again without anybody noticing.
        expect(now, 'record what was won: UPDATE_GUARDS=1').toBeGreaterThan(0.9 * (before ?? 0));
      });
    }
  }
}

test('instructions are counted as they are executed', async () => {
  const { default: wabt } = await import('wabt');
  const tools = await wabt();
  const text = `(module (func (export "sum") (param i32) (result i32) (local i32)
    block loop
      local.get 0 i32.eqz br_if 1
      local.get 0 local.get 1 i32.add local.set 1
      local.get 0 i32.const 1 i32.sub local.set 0
      br 0
    end end
    local.get 1))`;
  const binary = new Uint8Array(tools.parseWat('sum.wat', text).toBinary({}).buffer);
  const { instance } = await WebAssembly.instantiate(await counting(binary));
  const { sum, executed_instructions: executed } = instance.exports;
  if (typeof sum !== 'function' || !(executed instanceof WebAssembly.Global)) throw new Error('nothing is exported');
  expect(sum(4)).toBe(10);
  // block, loop; four rounds of 3 + 4 + 4 + 1; the last round's 3; then what stands behind the loop.
  expect(Number(executed.value)).toBe(2 + 4 * 12 + 3 + 1);
});
