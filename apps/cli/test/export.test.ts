import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { golden, receptanceAll } from './support/receptance.ts';

const folder = await mkdtemp(join(tmpdir(), 'receptance-'));
afterAll(() => rm(folder, { recursive: true }));

const FILES = ['README.md', 'SHA256SUMS', 'decode.onnx', 'initial.onnx', 'model.onnx', 'run.py', 'weights.bin'];

test('a folder is written whole, and replaced only with --force', async () => {
  const out = join(folder, 'out');
  const line = ['export', '--model', golden('models/rwkv7_l2_c128_v97.safetensors'), '--out', out];
  const [written, refused, forced, quantised] = await receptanceAll([
    line,
    line,
    [...line, '--force'],
    [...line, '--force', '--quant', 'q8_0', '--opset-only', '--json'],
  ]);
  expect(written?.status).toBe(0);
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('--force') });
  expect(forced).toMatchObject({ status: 0, stderr: expect.stringMatching(/out: initial\.onnx.*; 2\.\d MB\n$/) });
  expect(quantised?.status).toBe(0);
  const facts = JSON.parse(quantised?.stdout ?? '') as { files: Record<string, number> };
  expect(facts).toMatchObject({ out, architecture: 'rwkv7', opset: 21 });
  expect(Object.keys(facts.files).sort()).toEqual(FILES);
  expect((await readdir(out)).sort()).toEqual(FILES);
  expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([]);
  for (const [name, bytes] of Object.entries(facts.files)) expect((await readFile(join(out, name))).length).toBe(bytes);
  const readme = await readFile(join(out, 'README.md'), 'utf8');
  expect(readme).toContain('# rwkv7, 2 layers of width 128, 97 tokens');
  expect(readme).toContain('ops of the ONNX standard alone; weights in q8_0');
});

test('a folder that holds anything else is never replaced', async () => {
  const out = join(folder, 'mine');
  await mkdir(out);
  await writeFile(join(out, 'precious'), '');
  const [refused] = await receptanceAll([['export', '--out', out, '--force']]);
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('holds precious') });
  expect(await readdir(out)).toEqual(['precious']);
});
