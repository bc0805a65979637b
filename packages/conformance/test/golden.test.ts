import { reference } from '@receptance/backend-reference';
import { writeSafetensors } from '@receptance/checkpoint';
import { describe, expect, it } from 'vitest';
import { goldenChecks } from '../src/golden/discover.ts';
import type { GoldenFile } from '../src/golden/files.ts';
import { goldenFiles } from '../src/node.ts';
import type { CaseResult } from '../src/run-case.ts';
import { runSuite } from '../src/suite.ts';

const files = await goldenFiles();
const numbers = new Uint8Array(Float32Array.of(1).buffer);

function file(name: string, metadata: Record<string, string> = {}): GoldenFile {
  const bytes = writeSafetensors([{ name: 'in.x', dtype: 'f32', shape: [1], data: numbers }], metadata);
  return { name, read: async () => bytes };
}

async function resultsOf(given: readonly GoldenFile[]): Promise<Pick<CaseResult, 'id' | 'status' | 'reason'>[]> {
  const device = await reference().open();
  const checks = await goldenChecks(given);
  return Promise.all(checks.map((check) => check.run(device, { reference: device })));
}

describe('golden files', () => {
  it('are all accounted for', async () => {
    const ids = (await goldenChecks(files)).map(({ id }) => id);
    for (const { name } of files) {
      if (name.endsWith('.md') || name.endsWith('config.json') || /\.(golden|grads)\.safetensors$/.test(name)) continue;
      const stem = name.replace(/\.safetensors$/, '');
      expect(
        ids.some((id) => id.includes(name) || id.includes(stem)),
        name,
      ).toBe(true);
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('of unknown kinds are shown as such', async () => {
    const broken = { name: 'd.safetensors', read: async () => Uint8Array.of(1, 2, 3) };
    const results = await resultsOf([
      file('a.safetensors'),
      file('b.safetensors', { op: 'wkv9' }),
      file('c.txt'),
      broken,
    ]);
    expect(results.map(({ id, status }) => [id, status])).toEqual([
      ['golden/unknown/a.safetensors', 'unknown'],
      ['golden/unknown/b.safetensors', 'unknown'],
      ['golden/unknown/c.txt', 'unknown'],
      ['golden/unknown/d.safetensors', 'failed'],
    ]);
    expect(results.every(({ reason }) => reason !== undefined)).toBe(true);
  });

  it('of a model without a checkpoint beside them are shown as such', async () => {
    const results = await resultsOf([file('m.golden.safetensors'), file('n.grads.safetensors'), file('mm.pth')]);
    expect(results.map(({ id, status }) => [id, status])).toEqual([
      ['golden/unknown/m.golden.safetensors', 'unknown'],
      ['golden/unknown/n.grads.safetensors', 'unknown'],
      ['golden/unknown/mm.pth', 'unknown'],
    ]);
  });

  it('of a model of another kind are unsupported', async () => {
    const results = await resultsOf([file('m.golden.safetensors'), file('m.bf16.safetensors')]);
    expect(results.map(({ id, status }) => [id, status])).toEqual([
      ['golden/logits/m.bf16.safetensors', 'unsupported'],
    ]);
  });

  it('are noticed when a single number is wrong', async () => {
    const name = 'ops/wkv7_B1_H1_N64_T7.safetensors';
    const whole = await files.find((found) => found.name === name)?.read();
    const bytes = Uint8Array.from(whole ?? []);
    const header = new DataView(bytes.buffer).getUint32(0, true) + 8;
    // The second highest byte of the first f64: the last bits of its exponent.
    bytes[header + 6] = (bytes[header + 6] ?? 0) ^ 0x10;
    const report = await runSuite(reference(), { golden: [{ name, read: async () => bytes }], only: ['golden/'] });
    expect(report).toMatchObject({ passed: 1, failed: 1, unsupported: 0, unknown: 0 });
  });
});
