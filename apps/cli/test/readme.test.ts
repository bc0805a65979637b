import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { golden, receptance, receptanceAll } from './support/receptance.ts';

const here = fileURLToPath(new URL('..', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'receptance-'));
afterAll(() => rm(folder, { recursive: true }));

/** Blocks that stand by themselves: nothing is given to them, and nothing keeps them from running. */
async function blocks(readme: string, language: string): Promise<string[]> {
  const text = await readFile(join(here, readme), 'utf8');
  const pattern = new RegExp(`(?<!<!-- (?:not run|given: [^\n]*) -->\n)\`\`\`${language}\n(.*?)\`\`\``, 'gs');
  return [...text.matchAll(pattern)].map(([, code = '']) => code);
}

test('the programs of receptance’s README run and print what they say', async () => {
  const programs = await blocks('../../packages/receptance/README.md', 'ts');
  expect(programs).toHaveLength(2);
  const outputs: string[] = [];
  for (const program of programs) {
    const args = ['--conditions=@receptance/source', '--input-type=module-typescript', '--eval', program];
    outputs.push((await promisify(execFile)(process.execPath, args, { cwd: here })).stdout);
  }
  expect(outputs[0]).toMatch(/^[\w ,.!?'"]{50}/);
  expect(outputs[1]).toBe('4 4 3\n');
});

const FILES =
  /^(golden|out\.safetensors|model\.(q8_0\.gguf|safetensors)|stories-onnx|story\.txt|run|tuned|state|(run|tuned)\/model\.safetensors)$/;

/** The command lines of a document run one after the other; what they write lies in the test's folder. */
async function statusesOf(document: string): Promise<readonly (number | null)[]> {
  await rm(folder, { recursive: true });
  await mkdir(join(folder, 'golden'), { recursive: true });
  await cp(golden('ops/wkv4_normal_zero_T2_C8.safetensors'), join(folder, 'golden', 'case.safetensors'));
  await writeFile(join(folder, 'story.txt'), 'Once upon a time there was a cat. She sat on a mat.\n'.repeat(80));
  const commandLines = (await blocks(document, 'sh'))
    .flatMap((block) => block.trim().split('\n'))
    .map((line) => {
      const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word = '']) => quoted ?? word);
      return words.slice(1).map((word) => (FILES.test(word) ? join(folder, word) : word));
    });
  // A chat reads stdin, which the others cannot share with it.
  const [chats, others] = [true, false].map((wanted) => commandLines.filter(([name]) => (name === 'chat') === wanted));
  const outcomes = [
    ...(await receptanceAll(others ?? [])),
    ...(await Promise.all((chats ?? []).map((args) => receptance(args)))),
  ];
  return outcomes.map(({ status }) => status);
}

test.each([
  ['README.md', 9],
  ['../../docs/guide/command-line.md', 12],
  ['../../docs/guide/training.md', 7],
])('the command lines of %s do what they say', async (document, count) => {
  expect(await statusesOf(document)).toEqual(Array.from({ length: count }, () => 0));
});
