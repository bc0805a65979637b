import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../run.ts';
import { root } from '../workspace.ts';
import { allExamples, type Example, examplesOf, moduleOf, printedBy } from './examples.ts';

const examples = allExamples();
/** Inside `docs`, whose package names every other. */
const folder = mkdtempSync(join(root, 'docs/.examples-'));
const titleOf = ({ file, line }: Example): string => `${file}:${line}`;
const moduleName = (example: Example): string => `${titleOf(example).replaceAll(/[/:]/g, '_')}.ts`;
let complaints: readonly string[] = [];

beforeAll(async () => {
  for (const example of examples) writeFileSync(join(folder, moduleName(example)), moduleOf(example, folder));
  const compilerOptions = { rootDir: root, noEmit: true, allowImportingTsExtensions: true };
  const isolated = { composite: false, isolatedDeclarations: false, declaration: false, declarationMap: false };
  const lib = { lib: ['ES2023', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'], types: ['node'] };
  const tsconfig = {
    extends: '../../tsconfig.test.json',
    compilerOptions: { ...compilerOptions, ...isolated, ...lib, incremental: false },
    include: ['*.ts'],
    exclude: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  try {
    await run(process.execPath, [tsc, '--pretty', 'false', '-p', folder], root);
  } catch (error) {
    complaints = String(error)
      .split('\n')
      .filter((line) => /error TS\d+/.test(line));
    if (complaints.length === 0) throw error;
  }
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(examples.map((example) => [titleOf(example), example] as const))('%s is typed', (_, example) => {
  const at = `${basename(folder)}/${moduleName(example)}`;
  expect(complaints.filter((line) => line.includes(at))).toEqual([]);
});

const programs = examples.filter(({ runs }) => runs);
test.each(programs.map((example) => [titleOf(example), example] as const))(
  '%s runs and prints what it says',
  { timeout: 120_000 },
  async (_, example) => {
    const args = ['--conditions=@receptance/source', join(folder, moduleName(example))];
    const lines = (await run(process.execPath, args, folder)).split('\n');
    expect(lines).toEqual(expect.arrayContaining(printedBy(example)));
  },
);

test('examples are found with their lines, and with what is given', () => {
  const text = 'Text\n\n```ts run\na;\n```\n<!-- given: declare const b: 1; -->\n```ts\nb;\nc;\n```\n```sh\nd\n```\n';
  const found = examplesOf('x.md', text);
  expect(found.map(({ line, code, given, runs }) => [line, code, given, runs])).toEqual([
    [4, 'a;\n', '', true],
    [8, 'b;\nc;\n', 'declare const b: 1;', false],
  ]);
  const noted = examplesOf(
    'x.md',
    '<!-- a note -->\n```ts\na;\n```\n<!-- given: declare const b: 1; -->\n```ts\nb;\n```\n',
  );
  expect(noted.map(({ code, given }) => [code, given])).toEqual([
    ['a;\n', ''],
    ['b;\n', 'declare const b: 1;'],
  ]);
  const [, second] = found;
  expect(second && moduleOf(second, root).split('\n')[7]).toBe('b;');
});

test('the examples of the root’s README and of the contributing guides are among them', () => {
  const files = new Set(examples.map(({ file }) => file));
  expect([...files]).toEqual(expect.arrayContaining(['README.md', 'docs/contributing/add-a-backend.md']));
  expect(programs.length).toBeGreaterThan(0);
});
