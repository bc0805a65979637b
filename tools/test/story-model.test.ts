import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { run } from '../run.ts';
import { root } from '../workspace.ts';

const folder = mkdtempSync(join(tmpdir(), 'story-model-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Facts {
  readonly trainingSteps: number;
  readonly heldOutBitsPerByte: { readonly all: number };
  readonly sha256: string;
}

async function made(name: string): Promise<Facts> {
  const work = join(folder, name);
  const make = join(root, 'tools/story-model/make.ts');
  await run(process.execPath, ['--conditions=@receptance/source', make, '--work', work, '--part', '0.0005'], root);
  return JSON.parse(readFileSync(join(work, 'model.json'), 'utf8')) as Facts;
}

test('a stories model is made by one command, to the same bits again', { timeout: 240_000 }, async () => {
  const first = await made('first');
  expect(first.trainingSteps).toBe(1 + 4);
  // That of a model that knows nothing: 896 tokens, a third of one a byte.
  expect(first.heldOutBitsPerByte.all).toBeLessThan(Math.log2(896) / 2);
  expect(readFileSync(join(folder, 'first', 'samples.md'), 'utf8')).toContain('## 20');
  // What is done is not done again, but measured.
  expect(await made('first')).toEqual(first);
  expect((await made('second')).sha256).toBe(first.sha256);
});
