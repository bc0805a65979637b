import { execFile } from 'node:child_process';
import { copyFile, cp, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';

const here = fileURLToPath(new URL('..', import.meta.url));
const models = fileURLToPath(new URL('../../conformance/golden/models/', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'checkpoint-'));
afterAll(() => rm(folder, { recursive: true }));

/** File names of the README, where the test has them. */
const FILES = ['model.pth', 'model.q8_0.gguf', 'model.safetensors', 'folder-from-hugging-face'];

async function output(program: string): Promise<string> {
  const code = FILES.reduce((text, name) => text.replaceAll(`'${name}'`, JSON.stringify(join(folder, name))), program);
  const args = ['--conditions=@receptance/source', '--input-type=module-typescript', '--eval', code];
  return (await promisify(execFile)(process.execPath, args, { cwd: here })).stdout;
}

it('what the README shows is so', async () => {
  await copyFile(`${models}rwkv7_l2_c128_v97.pth`, join(folder, 'model.pth'));
  await cp(`${models}rwkv4_l3_c64_v97_hf`, join(folder, 'folder-from-hugging-face'), { recursive: true });
  const readme = await readFile(join(here, 'README.md'), 'utf8');
  const programs = [...readme.matchAll(/(?<!<!-- not run -->\n)```ts\n(.*?)```/gs)].map(([, code = '']) => code);
  expect(programs).toHaveLength(4);
  const [blob = '', files = '', write = '', bytes = ''] = programs;

  const chosen = `import { openAsBlob } from 'node:fs';\nconst file = await openAsBlob('model.pth');\n`;
  const facts = `console.log(JSON.stringify([checkpoint.format, checkpoint.tensors.get('emb.weight')]));`;
  const embedding = { dtype: 'f32', shape: [97, 128], bytes: 49664 };
  expect(JSON.parse(await output(chosen + blob + facts))).toEqual(['pth', embedding]);
  const counts = 'console.log(checkpoint.tensors.size, sharded.tensors.has("emb.weight"));';
  expect(await output(files + counts)).toBe('72 true\n');
  await output(write);
  const sizes = await Promise.all(['model.q8_0.gguf', 'model.safetensors'].map((name) => stat(join(folder, name))));
  const goldens = ['rwkv7_l2_c128_v97.q8_0.gguf', 'rwkv7_l2_c128_v97.fp16.safetensors'];
  for (const [i, name] of goldens.entries()) {
    expect(Math.abs((sizes[i]?.size ?? 0) - (await stat(models + name)).size)).toBeLessThan(2000);
  }
  expect(await output(`${bytes}console.log(checkpoint.metadata);`)).toBe(`{ about: 'an example' }\n`);
});
